"""``manage.py report ACCOUNT --from D --to D --format html|pdf|csv --out PATH``."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from journal.models import Account
from journal.reports.data import report_data
from journal.reports.render import render


class Command(BaseCommand):
    help = "Render an account report to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="id or name of the account")
        parser.add_argument("--from", dest="date_from", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="date_to", type=date.fromisoformat, required=True)
        parser.add_argument("--format", dest="form", choices=["html", "pdf", "csv"], default="pdf")
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *, account: str, date_from: date, date_to: date, form: str, out: Path, **_: Any) -> None:
        found = self._account(account)

        def progress(done: int, total: int, phase: str) -> None:
            self.stderr.write(f"[{'#' * done}{'.' * (total - done)}] {phase}")

        data = report_data(
            account=found, date_from=date_from, date_to=date_to, generated_at=timezone.now(),
            generated_by="command line", progress=progress,
        )
        out.write_bytes(render(data, form))
        self.stdout.write(f"{out}: {out.stat().st_size:,} bytes")

    def _account(self, text: str) -> Account:
        try:
            found = list(Account.objects.filter(pk=text))
        except ValidationError:
            found = list(Account.objects.filter(Q(name=text))[:2])
        if len(found) != 1:
            raise CommandError(f"{'several accounts are' if found else 'no account is'} named {text!r}; give the id")
        return found[0]
