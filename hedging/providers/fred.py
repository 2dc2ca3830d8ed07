"""Rates and macro series of the St. Louis Fed as CSV."""

from __future__ import annotations

from datetime import date

from hedging.providers.base import MIB, WantedFile, must_hold
from hedging.providers.formats import fred
from hedging.providers.formats.detect import parse_market_file
from hedging.providers.formats.tables import MarketFileError, ParsedFile

CODES = ("DTB3", "SOFR", "DFF", "DGS10", "CPIAUCSL", "PPIACO", "GDPC1", "RBUSBIS")


class Fred:
    """One CSV a series."""

    name, title = "fred", "FRED"

    def __init__(self, base: str) -> None:
        """``base`` is the address a series is asked at."""
        self._base = base

    def wanted(self, day: date) -> list[WantedFile]:
        """All series."""
        return [
            WantedFile(
                f"{self.name}/{code}",
                f"{self._base}?id={code}",
                f"{code}.csv",
                code,
                "macro",
                max_bytes=4 * MIB,
            )
            for code in CODES
        ]

    def read(self, wanted: WantedFile, content: bytes) -> ParsedFile:
        """The series named in the header."""
        parsed = parse_market_file(wanted.file, content)
        if parsed.format != fred.NAME:
            raise MarketFileError(f"not a FRED series but {parsed.format}", 1)
        return must_hold(parsed, wanted.symbol)
