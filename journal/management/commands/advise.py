"""``manage.py advise ACCOUNT --as-of D`` or ``advise --book FILE.json --as-of D``, with ``--json``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from hedging.engine.book import Book
from hedging.engine.book_json import BookError, book_read
from hedging.engine.policy.text import advice_lines
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import Ruleset, RulesetError
from hedging.selectors.calendar import NEW_YORK
from hedging.services.advice import NoMarketError, advice_for
from journal.management.accounts import account_named
from journal.models import Account, Trade
from journal.selectors.book.trades import book_build
from journal.selectors.governance.rules import ruleset_active, ruleset_named, ruleset_of
from journal.services.governance.advice import account_facts


class Command(BaseCommand):
    help = "Print layer ladder, traces and recommendations for an account or a book file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", nargs="?", help="id or name of an account")
        parser.add_argument("--book", type=Path, help="a book as JSON, instead of an account")
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="day, such as 2024-01-05; today when left out"
        )
        parser.add_argument(
            "--ruleset",
            help="preset by name or hash, JSON file, stored version by hash; left out: the active rules",
        )
        parser.add_argument("--simulated", action="store_true", help="on simulated market data")
        parser.add_argument("--json", action="store_true", dest="as_json", help="the whole advice as JSON")

    def handle(
        self, *, account: str | None, book: Path | None, as_of: date | None, ruleset: str | None,
        simulated: bool, as_json: bool, **_: Any,
    ) -> None:  # fmt: skip
        if (account is None) == (book is None):
            raise CommandError("give an account, or a file with --book")
        day = as_of or timezone.now().astimezone(NEW_YORK).date()
        row = account_named(account) if account is not None else None
        try:
            rules = self._rules(ruleset, row)
            advice = advice_for(
                book=self._file(book) if row is None else _book(row, day),
                ruleset=rules,
                day=day,
                simulated=simulated or (row is not None and row.is_demo),
                facts=None if row is None else account_facts(row, day),
            )
        except RulesetError as error:
            raise CommandError("\n".join(error.problems)) from None
        except NoMarketError as error:
            raise CommandError(str(error)) from None
        if as_json:
            self.stdout.write(json.dumps(advice.to_json(), indent=2, ensure_ascii=False))
        else:
            trades = () if row is None else Trade.objects.filter(account=row).only("pk", "label")
            names = {str(trade.pk): trade.label for trade in trades}
            self.stdout.write("\n".join(advice_lines(advice, names)))

    def _rules(self, named: str | None, account: Account | None) -> Ruleset:
        """The rules named, else the account's in force, else the default preset."""
        if named:
            return ruleset_named(named, account)
        version = None if account is None else ruleset_active(account)
        return preset(DEFAULT) if version is None else ruleset_of(version)

    def _file(self, file: Path | None) -> Book:
        assert file is not None
        try:
            return book_read(file.read_text("utf-8"))
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from None
        except (BookError, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: {error}") from None


def _book(account: Account, day: date) -> Book:
    """The account's book at the end of the day."""
    return book_build(account, until=datetime.combine(day, time.max, NEW_YORK))
