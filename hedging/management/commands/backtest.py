"""``manage.py backtest --from D --to D [--ruleset NAME] [--hedge on|off|permanent] [--data F] [--json]``."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.engine.backtest.types import BacktestError, Costs, Hedge, Settings
from hedging.engine.history.folder import history_from_folder
from hedging.engine.rulesets.presets import DEFAULT
from hedging.engine.rulesets.types import RulesetError
from hedging.selectors.history import market_history
from hedging.services.backtest import Backtests
from hedging.services.rulesets import ruleset_find

_BAR = 30


class Command(BaseCommand):
    help = "Backtest a ruleset's condors and hedge layers in dollars, and measure the method's claims on it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
        parser.add_argument("--ruleset", default=DEFAULT, help="preset by name or hash, or a JSON file")
        parser.add_argument("--hedge", choices=[one.value for one in Hedge], default=Hedge.ON.value)
        parser.add_argument("--capital", type=float, default=1_000_000.0, help="dollars at the start")
        parser.add_argument("--fee", type=float, default=Costs().fee, help="dollars a contract and side")
        parser.add_argument("--spread", type=float, default=Costs().share, help="half-spread, share of price")
        parser.add_argument("--seed", type=int, default=1987, help="of the bootstrap")
        parser.add_argument("--data", type=Path, help="folder of daily CSV files; else the stored history")
        parser.add_argument("--json", action="store_true", help="everything, as JSON")

    def handle(self, *, first: date, last: date, ruleset: str, **options: Any) -> None:
        try:
            settings = Settings(
                first, last, capital=options["capital"], hedge=Hedge(options["hedge"]), seed=options["seed"],
                costs=Costs(fee=options["fee"], share=options["spread"]),
            )  # fmt: skip
            rules = ruleset_find(ruleset)
            data = options["data"]
            history = history_from_folder(data) if data else market_history()
            began = time.perf_counter()
            report = Backtests(history).report(rules, settings, self._progress)
        except RulesetError as error:
            raise CommandError("\n".join(error.problems)) from None
        except BacktestError as error:
            raise CommandError(str(error)) from None
        except FileNotFoundError as error:
            raise CommandError(f"{error.filename} is missing") from None
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=1))
            return
        self.stdout.write("\n".join(text_of(report)))
        self.stdout.write(f"{report['sessions']:,} sessions in {time.perf_counter() - began:.1f} s")

    def _progress(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            filled = _BAR * done // max(total, 1)
            end = "\n" if done == total else ""
            self.stderr.write(f"\r[{'#' * filled:<{_BAR}}] {done:,}/{total:,} sessions", ending=end)
            self.stderr.flush()


def text_of(report: dict[str, Any]) -> list[str]:
    """A report as lines for a terminal."""
    account, bare = report["account"], report["bare"]
    name, mode = report["ruleset"]["name"], report["settings"]["hedge"]
    lines = [
        f"{name}, hedge {mode}, {report['from']} to {report['to']}",
        "All marks are modelled.",
        f"{'':24}{'account':>14}{'without hedge':>16}",
    ]
    for label, key, share in (
        ("final equity", "final", False), ("return a year", "annual_return", True),
        ("volatility", "volatility", True), ("maximum drawdown", "max_drawdown", True),
        ("months gained", "positive_months", True),
    ):  # fmt: skip
        lines.append(f"{label:24}{_shown(account[key], share):>14}{_shown(bare[key], share):>16}")
    c, hedge, index = report["condors"], report["hedge"], report["benchmark"]
    lines += [
        f"condors: {c['closed']} closed, {c['won']} won, {c['pnl']:+,.0f} after costs of {c['costs']:,.0f}",
        f"interest: {report['interest']:+,.0f}",
    ]
    if hedge:
        paid, costs = f"paid {hedge['premium']:,.0f}", f"costs {hedge['costs']:,.0f}"
        lines.append(f"hedge: {paid}, received {hedge['payout']:,.0f}, {costs}, net {hedge['pnl']:+,.0f}")
    if index:
        lines += [
            f"against {index['symbol']}, {index['months']} months: correlation {index['correlation']:.3f}",
            f"  a year: tracking {index['tracking']:.1%}, mean difference {index['difference']:+.1%}",
        ]
    for one in report["claims"]:
        lines += [f"claim: {one['text']}", f"  {_measured(one)}: {one['verdict']}, {one['why']}"]
    lines += [f"gap: {text}" for text in report["gaps"]]
    lines += [f"assumption: {text}" for text in report["assumptions"]]
    return lines


def _measured(one: dict[str, Any]) -> str:
    share = one["unit"] == "fraction"
    value = _shown(one["value"], share)
    if one["low"] is None:
        return value
    return f"{value} [{_shown(one['low'], share)} to {_shown(one['high'], share)}]"


def _shown(value: float | None, share: bool) -> str:
    if value is None:
        return "unknown"
    return f"{value:.1%}" if share else f"{value:,.2f}"
