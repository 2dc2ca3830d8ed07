"""VX futures from CFE: a history file for each contract, and the settlements of one day."""

from __future__ import annotations

from datetime import date

from hedging.providers.base import MIB, WantedFile, must_hold
from hedging.providers.formats.detect import parse_market_file
from hedging.providers.formats.tables import ParsedFile
from hedging.selectors.calendar import previous_session, vix_expiries_after

CONTRACTS = 9
#: The publisher's files of single contracts begin with this one.
FIRST_CONTRACT = date(2013, 1, 1)


class CFEContracts:
    """History files of the contracts that trade, and of the one that settled last."""

    name, title = "cfe_contracts", "CFE VX contract files"

    def __init__(self, base: str) -> None:
        """``base`` is the folder of the contract files."""
        self._base = base

    def wanted(self, day: date) -> list[WantedFile]:
        """The last settled contract and the nearest monthly ones; a far one may not be listed yet."""
        expiries = vix_expiries_after(_settled_before(day), CONTRACTS + 1)
        return [self._contract(expiry, "close") for expiry in expiries]

    def _contract(self, expiry: date, group: str) -> WantedFile:
        return WantedFile(
            key=f"{self.name}/{expiry}",
            url=f"{self._base}/VX_{expiry}.csv",
            file=f"VX_{expiry}.csv",
            symbol="VX",
            group=group,
            max_bytes=2 * MIB,
            optional=True,
            once=group == "history",
        )

    def read(self, wanted: WantedFile, content: bytes) -> ParsedFile:
        """The contract; its reader refuses a file of another one."""
        return must_hold(parse_market_file(wanted.file, content), "VX")


class CFEArchive(CFEContracts):
    """History files of every contract that has settled: the past of the curve, asked for once."""

    name, title = "cfe_archive", "CFE files of settled VX contracts"

    def wanted(self, day: date) -> list[WantedFile]:
        """Settled monthly contracts, oldest first."""
        months = 12 * (day.year - FIRST_CONTRACT.year) + day.month
        last = _settled_before(day)
        expiries = vix_expiries_after(FIRST_CONTRACT, months)
        return [self._contract(expiry, "history") for expiry in expiries if expiry <= last]


def _settled_before(day: date) -> date:
    """Contracts up to here have settled and are of the past; the one after them may be quite new."""
    return date.fromordinal(day.toordinal() - 36)


class CFESettlements:
    """Settlements of all contracts on one day."""

    name, title = "cfe_settlements", "CFE daily settlements"

    def __init__(self, base: str) -> None:
        """``base`` is the address the day is asked at."""
        self._base = base

    def wanted(self, day: date) -> list[WantedFile]:
        """Today's and the last session's, in case they came late."""
        return [
            WantedFile(
                key=f"{self.name}/{at}",
                url=f"{self._base}?dt={at}",
                file=f"cfe_settlement_{at}.csv",
                symbol="VX",
                group="close",
                max_bytes=MIB,
                optional=True,
            )
            for at in (previous_session(day), day)
        ]

    def read(self, wanted: WantedFile, content: bytes) -> ParsedFile:
        """The day's VX settlements."""
        return must_hold(parse_market_file(wanted.file, content), "VX")
