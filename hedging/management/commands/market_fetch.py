"""``manage.py market_fetch``: fetch market data now, whatever the schedule says."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.services.locks import LockHeldError
from hedging.services.market.fetch import BUSY, GROUPS, HISTORY, market_fetch, providers

_BAR = 24


class Command(BaseCommand):
    help = (
        "Fetch market data from Cboe, CFE, FRED and configured addresses; what did not change is not stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = [*GROUPS, HISTORY, *(provider.name for provider in providers())]
        parser.add_argument(
            "--source", action="append", default=[], choices=names, help="a group or a provider; repeatable"
        )

    def handle(self, *, source: list[str], **_: Any) -> None:
        try:
            done = market_fetch(names=source, progress=self._tell)
        except LockHeldError:
            raise CommandError(BUSY) from None
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")
        for one in done:
            self.stdout.write(f"{one.key}: {one.state}" + (f", {one.new} new" if one.new else "")
                              + (f" ({one.message})" if one.message else ""))  # fmt: skip
        failed = sum(one.state == "failed" for one in done)
        if failed:
            raise CommandError(
                f"{failed} of {len(done)} files could not be fetched; stored data are unchanged"
            )

    def _tell(self, done: int, total: int, key: str) -> None:
        if self.stderr.isatty():
            filled = _BAR * done // total
            self.stderr.write(
                f"\r\x1b[K[{'#' * filled}{'.' * (_BAR - filled)}] {done} of {total} {key[:40]}", ending=""
            )
            self.stderr.flush()
