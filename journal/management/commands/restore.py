"""``manage.py restore FILE``."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from journal.errors import RuleError
from journal.services.own_data.backups import backup_restore, database_digest


class Command(BaseCommand):
    help = "Read a backup into the empty database of these settings."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **_: Any) -> None:
        try:
            backup_restore(path=file)
        except (RuleError, OSError) as error:
            raise CommandError(str(error)) from None
        digest = database_digest()
        self.stdout.write(f"{digest.rows:,} rows in {len(digest.tables)} tables, digest {digest.text}")
