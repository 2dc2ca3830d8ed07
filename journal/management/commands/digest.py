"""``manage.py digest [--tables]``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from journal.services.own_data.backups import database_digest


class Command(BaseCommand):
    help = "One hash over every row the database holds, to compare a restored site with the one backed up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tables", action="store_true", help="rows and hash of each table as well")

    def handle(self, *, tables: bool, **_: Any) -> None:
        digest = database_digest()
        if tables:
            for name, rows, text in digest.tables:
                self.stdout.write(f"{name}  {rows}  {text}")
        self.stdout.write(f"{digest.rows:,} rows in {len(digest.tables)} tables, digest {digest.text}")
