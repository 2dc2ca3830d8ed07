"""``manage.py attribute ACCOUNT --from D --to D [--json]``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from journal.api.answers.attribution import account_answer
from journal.management.accounts import account_named, progress_bar
from journal.services.attribution.jobs import attribution_run, last_closed_session
from journal.services.book.settlement import settlements_book_loaded


class Command(BaseCommand):
    help = "Mark, settle and attribute an account's days, store them, and print the period."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="id or name of the account")
        parser.add_argument("--from", dest="date_from", type=date.fromisoformat)
        parser.add_argument("--to", dest="date_to", type=date.fromisoformat)
        parser.add_argument("--json", action="store_true", dest="as_json", help="print everything as JSON")

    def handle(
        self, *, account: str, date_from: date | None, date_to: date | None, as_json: bool, **_: Any
    ) -> None:
        found = account_named(account)
        last = min(date_to or last_closed_session(), last_closed_session())
        if date_from and date_from > last:
            raise CommandError(f"the period from {date_from} to {last} ends before it starts")
        settlements_book_loaded(accounts=[found])
        found.refresh_from_db()
        bar = progress_bar(self.stderr)

        def progress(done: int, total: int) -> None:
            bar(done, max(total, 1), "marking")

        changed = attribution_run(account=found, date_from=date_from, date_to=last, progress=progress)
        bar(1, 1, "done")
        answer = account_answer(account=found, date_from=date_from, date_to=last)
        if as_json:
            self.stdout.write(json.dumps(answer, indent=2))
            return
        self.stdout.write(f"{answer['from']} to {answer['to']}: {changed} days written")
        for name, value in answer["effects"].items():
            self.stdout.write(f"{name:>12} {value:>14}")
        self.stdout.write(f"{'rounding':>12} {answer['rounding']:>14}")
        self.stdout.write(f"{'P&L':>12} {answer['pnl']:>14}")
