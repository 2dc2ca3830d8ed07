"""Cboe's delayed option quotes: the whole SPX and VIX chains as JSON, 15 minutes behind."""

from __future__ import annotations

from datetime import date

from hedging.providers.base import JSON_TYPES, MIB, WantedFile, must_hold
from hedging.providers.formats.detect import parse_market_file
from hedging.providers.formats.tables import ParsedFile


class CboeQuotes:
    """SPX and VIX chains."""

    name, title = "cboe_quotes", "Cboe delayed quotes"

    def __init__(self, base: str) -> None:
        """``base`` is the folder of the quote files."""
        self._base = base

    def wanted(self, day: date) -> list[WantedFile]:
        """Both chains."""
        return [
            WantedFile(
                key=f"{self.name}/{symbol}",
                url=f"{self._base}/_{symbol}.json",
                file=f"_{symbol}.json",
                symbol=symbol,
                group="quotes",
                types=JSON_TYPES,
                max_bytes=48 * MIB,
            )
            for symbol in ("SPX", "VIX")
        ]

    def read(self, wanted: WantedFile, content: bytes) -> ParsedFile:
        """The chain, checked to be on the underlying asked for."""
        return must_hold(parse_market_file(wanted.file, content), wanted.symbol)
