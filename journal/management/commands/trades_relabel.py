"""``manage.py trades_relabel``: spells the labels of stored trades in the words of this version."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from journal.services.book.labels import labels_refresh


class Command(BaseCommand):
    """Spell labels again."""

    help = "Spell the labels of stored trades in the words of this version; run it once after an update."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many labels changed."""
        self.stdout.write(f"{labels_refresh():,} labels changed.")
