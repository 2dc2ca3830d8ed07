"""What every source of market data is: a list of things to fetch, and a reader that checks them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hedging.providers.formats.tables import MarketFileError, ParsedFile

MIB = 1024 * 1024
CSV_TYPES = (
    "text/csv",
    "text/plain",
    "application/csv",
    "application/octet-stream",
    "application/vnd.ms-excel",
)
JSON_TYPES = ("application/json", "text/json", "text/plain", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class WantedFile:
    """One thing to fetch: ``key`` names it for ever, ``file`` is the name its reader sees.

    ``symbol`` is what it must turn out to hold; ``group`` says when it is due: quotes, close, macro, or
    history when somebody asks.
    """

    key: str
    url: str
    file: str
    symbol: str
    group: str
    types: tuple[str, ...] = CSV_TYPES
    max_bytes: int = 16 * MIB
    optional: bool = False  # may not be published yet: 404 and 403 are no failure
    once: bool = False  # final: after a good answer it is not asked for again


class Provider(Protocol):
    """One publisher."""

    name: str
    title: str

    def wanted(self, day: date) -> list[WantedFile]:
        """What to fetch on a day, in New York."""

    def read(self, wanted: WantedFile, content: bytes) -> ParsedFile:
        """Parse the answer; raises MarketFileError for a damaged one or one about something else."""


def must_hold(parsed: ParsedFile, symbol: str) -> ParsedFile:
    """The parsed file, if all it holds is the symbol's and it holds something; else MarketFileError."""
    held = {bar.symbol for bar in parsed.bars} | {chain.underlying for chain in parsed.chains}
    if parsed.vx:
        held.add("VX")
    if held != {symbol}:
        what = ", ".join(sorted(held)) or "nothing"
        raise MarketFileError(f"the source was asked for {symbol} and sent {what}")
    return parsed
