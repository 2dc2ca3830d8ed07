"""``manage.py chain_greeks PATH --out FILE.csv``: our Greeks of a chain file beside the vendor's."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.services.snapshots.chain_greeks import (
    MarketFileError,
    bucket_figures,
    chains_greeks,
    chains_read,
    csv_write,
)

_LONG = 2  # quote times from which progress is told


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
    if not (math.isfinite(rate) and -0.05 <= rate <= 0.30):
        raise ArgumentTypeError("a rate is a fraction a year between -0.05 and 0.30, such as 0.053")
    return rate


class Command(BaseCommand):
    help = "Compare our forward, implied volatility and Greeks with the vendor's for an option chain file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="chain file in any known format")
        parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write one row an option")
        parser.add_argument("--json", action="store_true", help="the summary as JSON")
        parser.add_argument("--rate", type=_rate, help="continuous rate, used where quotes state none")

    def handle(self, *, path: Path, out: Path | None, rate: float | None, **options: Any) -> None:
        try:
            chains = chains_read(path)
            found = chains_greeks(chains, rate, self._progress)
            if out is not None:
                csv_write(found, out)
        except MarketFileError as error:
            raise CommandError(f"{path}: {error}") from None
        figures = bucket_figures(found)
        if options["json"]:
            self._json(path, out, len(chains), len(found), figures)
        else:
            self._table(path, out, len(chains), len(found), figures)

    def _progress(self, done: int, count: int, quote_time: str) -> None:
        if count >= _LONG:
            self.stderr.write(f"{done + 1} of {count}: {quote_time}")

    def _json(
        self, path: Path, out: Path | None, times: int, rows: int, figures: list[dict[str, Any]]
    ) -> None:
        report = {"file": str(path), "out": str(out) if out else None, "quote_times": times, "options": rows}
        self.stdout.write(json.dumps(report | {"by_days": figures}, indent=1))

    def _table(
        self, path: Path, out: Path | None, times: int, rows: int, figures: list[dict[str, Any]]
    ) -> None:
        self.stdout.write(f"{path.name}: {times} quote times, {rows:,} options")
        self.stdout.write(
            "Quoted out-of-the-money options, |ours - vendor|: median and 95th percentile.\n"
            "Inside: smile prices within bid and ask, strikes within 15% of the forward.\n"
        )
        heads = ("days", "options", "delta", "p95", "iv", "p95", "gamma", "p95", "judged", "inside")
        keys = ("days", "options", "delta_median", "delta_p95", "iv_median", "iv_p95", "gamma_median",
                "gamma_p95", "judged", "inside")  # fmt: skip
        self.stdout.write("".join(head.rjust(10) for head in heads))
        for row in figures:
            self.stdout.write("".join(self._cell(key, row[key]).rjust(10) for key in keys))
        if out is not None:
            self.stdout.write(f"\nwritten to {out}")

    def _cell(self, key: str, value: Any) -> str:
        if value is None:
            return "-"
        if key == "inside":
            return f"{100 * value:.1f}%"
        return f"{value:.5f}" if isinstance(value, float) else str(value)
