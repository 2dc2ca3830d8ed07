"""Cboe's daily index history, one CSV an index."""

from __future__ import annotations

from datetime import date

from hedging.providers.base import WantedFile, must_hold
from hedging.providers.formats import series
from hedging.providers.formats.detect import parse_market_file
from hedging.providers.formats.tables import MarketFileError, ParsedFile

SYMBOLS = ("SPX", "VIX", "VIX9D", "VIX3M", "VVIX", "SKEW")


class CboeHistory:
    """Index levels since their first day."""

    name, title = "cboe_history", "Cboe index history"

    def __init__(self, base: str) -> None:
        """``base`` is the folder of the history files."""
        self._base = base

    def wanted(self, day: date) -> list[WantedFile]:
        """All indices."""
        return [
            WantedFile(
                f"{self.name}/{symbol}",
                f"{self._base}/{symbol}_History.csv",
                f"{symbol}_History.csv",
                symbol,
                "close",
            )
            for symbol in SYMBOLS
        ]

    def read(self, wanted: WantedFile, content: bytes) -> ParsedFile:
        """The series; a file of one value a day names its index in the header."""
        header = content[:200].decode("utf-8-sig", "replace").splitlines()[0].split(",") if content else []
        if len(header) == 2 and header[1].strip().upper() != wanted.symbol:
            raise MarketFileError(
                f"the source was asked for {wanted.symbol} and sent {header[1].strip()[:20]}", 1
            )
        parsed = parse_market_file(wanted.file, content, wanted.symbol)
        if parsed.format != series.INDEX_HISTORY:
            raise MarketFileError(f"not an index history but {parsed.format}", 1)
        return must_hold(parsed, wanted.symbol)
