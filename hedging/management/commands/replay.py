"""``manage.py replay --from D --to D [--ruleset NAME] [--data FOLDER] [--days] [--trace D]``."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.engine.history.folder import history_from_folder
from hedging.engine.policy.replay import summary_lines
from hedging.engine.policy.text import advice_lines
from hedging.engine.rulesets.presets import DEFAULT
from hedging.engine.rulesets.types import RulesetError
from hedging.selectors.history import market_history
from hedging.services.replay import replay_history
from hedging.services.rulesets import ruleset_find


class Command(BaseCommand):
    help = "Replay a ruleset day by day with a synthetic condor book: what it says, and when."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
        parser.add_argument("--ruleset", default=DEFAULT, help="preset by name or hash, or a JSON file")
        parser.add_argument(
            "--data", type=Path, help="folder of daily CSV files; the stored history when left out"
        )
        parser.add_argument("--days", action="store_true", help="one line a day")
        parser.add_argument("--trace", type=date.fromisoformat, help="the full advice of this day")

    def handle(
        self, *, first: date, last: date, ruleset: str, data: Path | None, days: bool, trace: date | None,
        **_: Any,
    ) -> None:  # fmt: skip
        if first > last:
            raise CommandError(f"--from {first} is after --to {last}")
        try:
            rules = ruleset_find(ruleset)
            history = history_from_folder(data) if data else market_history()
        except RulesetError as error:
            raise CommandError("\n".join(error.problems)) from None
        except FileNotFoundError as error:
            raise CommandError(f"{error.filename} is missing") from None
        began, outcomes = time.perf_counter(), []
        for outcome, advice in replay_history(history=history, ruleset=rules, first=first, last=last):
            outcomes.append(outcome)
            if days:
                self.stdout.write(outcome.text)
            if trace == outcome.day:
                self.stdout.write("\n".join(advice_lines(advice)))
        if not outcomes:
            raise CommandError("no session of this period has closes of SPX and VIX")
        for _year, group in groupby(outcomes, key=lambda one: one.day.year):
            self.stdout.write("\n".join(summary_lines(group)))
        self.stdout.write(f"{len(outcomes)} sessions in {time.perf_counter() - began:.1f} s")
