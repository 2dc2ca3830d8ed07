"""``manage.py glossary``: prints docs/glossary.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from journal.glossary import markdown


class Command(BaseCommand):
    """Print the glossary as Markdown."""

    help = "Print the glossary as Markdown, as it stands in docs/glossary.md."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write to standard output."""
        self.stdout.write(markdown(), ending="")
