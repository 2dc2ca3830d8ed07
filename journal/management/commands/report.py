"""``manage.py report ACCOUNT --from D --to D --format html|pdf|csv|xlsx --out PATH``."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from journal.errors import RuleError
from journal.management.accounts import account_named, progress_bar
from journal.models import Report
from journal.selectors.reports import period_as_of
from journal.services.reports.jobs import report_check


class Command(BaseCommand):
    help = "Render an account report to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="id or name of the account")
        parser.add_argument("--from", dest="date_from", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="date_to", type=date.fromisoformat, required=True)
        parser.add_argument("--format", dest="form", choices=Report.Format.values, default="pdf")
        parser.add_argument(
            "--out", type=Path, required=True,
            help="file to write; the csv format is a zip of tables, or one file when PATH ends in .csv",
        )  # fmt: skip

    def handle(self, *, account: str, date_from: date, date_to: date, form: str, out: Path, **_: Any) -> None:
        from journal.reports.data import STEPS, report_data
        from journal.reports.render import render

        found = account_named(account)
        if not out.parent.is_dir():
            raise CommandError(f"{out} cannot be written: there is no folder {out.parent}")
        bar = progress_bar(self.stderr)
        try:
            report_check(form=form, date_from=date_from, date_to=date_to)
        except RuleError as refusal:
            raise CommandError(refusal.message) from None
        now = timezone.now()
        data = report_data(
            account=found, date_from=date_from, date_to=date_to, as_of=period_as_of(date_to, now),
            generated_at=now, generated_by="the command line", progress=bar,
        )  # fmt: skip
        form = "one-csv" if form == "csv" and out.suffix.lower() == ".csv" else form
        content = render(data, form, lambda done, phase: bar(done, STEPS, phase))
        bar(STEPS, STEPS, "done")
        try:
            out.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}") from None
        self.stdout.write(f"{out}: {len(content):,} bytes")
