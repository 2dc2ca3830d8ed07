"""Any CSV with a date column at an address of one's own, for series no publisher here has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from hedging.providers.base import WantedFile, must_hold
from hedging.providers.formats.detect import parse_market_file
from hedging.providers.formats.tables import ParsedFile


class CSVAddress:
    """Addresses from the configuration; people of the site cannot add any."""

    name, title = "csv_url", "CSV addresses"

    def __init__(self, sources: Iterable[tuple[str, str]]) -> None:
        """``sources`` are (symbol, address)."""
        self._sources = tuple(sources)

    def wanted(self, day: date) -> list[WantedFile]:
        """All addresses."""
        return [
            WantedFile(f"{self.name}/{symbol}", url, f"{symbol}.csv", symbol, "close")
            for symbol, url in self._sources
        ]

    def read(self, wanted: WantedFile, content: bytes) -> ParsedFile:
        """The series, under the configured symbol."""
        return must_hold(parse_market_file(wanted.file, content, wanted.symbol), wanted.symbol)
