"""A hand-made market whose marks are round numbers, and a report of hostile texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from hedging.engine.book import Settlement
from hedging.engine.market import ExpirySlice, Flag, ForwardSource, MarketSnapshot, VXPoint
from hedging.maths.smile import Smile, SmileModel
from hedging.selectors.calendar import NEW_YORK
from journal.models import Account
from journal.reports.data import report_data
from journal.reports.model import ReportData
from tests.journal.people import EXPIRY

VIX_EXPIRY = date(2026, 12, 16)
MADE = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
HOSTILE = "#let x = 1 $x$ *b* _i_ <script>alert(1)</script> @ref \\ #{ Ünï Ελλ Жук"


def _slice(root: str, expiry: date, forward: float, quotes: dict[float, tuple[float, float]]) -> ExpirySlice:
    """Strikes with their call and put mids; every quote is a dime wide."""
    strikes = np.array(sorted(quotes), dtype=np.float64)
    calls, puts = (np.array([quotes[s][side] for s in sorted(quotes)]) for side in (0, 1))
    nothing = np.array([], dtype=np.float64)
    smile = Smile(forward, 0.1, SmileModel.UNKNOWN, nothing, nothing, (0.0, 0.0), np.nan, 0.0, 0)
    return ExpirySlice(
        underlying="SPX" if root == "SPXW" else root, root=root, expiry=expiry,
        settlement=Settlement.PM if root == "SPXW" else Settlement.AM,
        settles_at=datetime(expiry.year, expiry.month, expiry.day, 16, tzinfo=NEW_YORK), t=0.08,
        forward=forward, discount=0.997, forward_source=ForwardSource.PARITY, strikes=strikes,
        call_bid=calls - 0.05, call_ask=calls + 0.05, put_bid=puts - 0.05, put_ask=puts + 0.05,
        smile=smile, flag=Flag.EOD,
    )  # fmt: skip


def market(as_of: datetime = MADE, shift: float = 0.0) -> MarketSnapshot:
    """Condor of ``people.condor_legs``: marks 8, 18, 15 and 7 points, so 18.00 to buy back."""
    spx = _slice(
        "SPXW", EXPIRY, 6700.0,
        {6450.0: (260.0, 8.0), 6500.0: (215.0, 18.0 + shift), 6900.0: (15.0, 212.0), 6950.0: (7.0, 254.0)},
    )  # fmt: skip
    vix = _slice("VIX", VIX_EXPIRY, 20.0, {30.0: (1.55, 11.5)})
    return MarketSnapshot(
        snapshot_id="hand", as_of=as_of, spot=6690.0, levels={},
        vx_curve=(VXPoint(VIX_EXPIRY, 21.15, 0.07),),
        slices={("SPXW", EXPIRY): spx, ("VIX", VIX_EXPIRY): vix}, rate=0.04,
        flags=frozenset({Flag.EOD}), content_hash="hand",
    )  # fmt: skip


def report(
    account: Account, first: date = date(2026, 11, 1), last: date = date(2026, 11, 20), **values: object
) -> ReportData:
    """Gather the account's report as of the evening of 20 November 2026."""
    given = {"as_of": MADE, "generated_at": MADE, "generated_by": "owner", **values}
    return report_data(account=account, date_from=first, date_to=last, **given)  # type: ignore[arg-type]


def renamed(data: ReportData, text: str = HOSTILE) -> ReportData:
    """Put a text wherever somebody may have typed one."""
    trades = tuple(replace(trade, label=text) for trade in data.trades)
    fills = tuple(replace(fill, trade=text, note=text) for fill in data.fills)
    header = replace(data.header, account=text, broker=text, number=text, generated_by=text)
    return replace(data, header=header, trades=trades, fills=fills)


def many_fills(data: ReportData, count: int) -> ReportData:
    """Repeat the report's fills until there are ``count`` of them."""
    fills = [
        replace(data.fills[i % len(data.fills)], executed_at=MADE - timedelta(minutes=count - i))
        for i in range(count)
    ]
    return replace(data, fills=tuple(fills))


def dollars(text: str) -> Decimal:
    """Shorten a Decimal."""
    return Decimal(text)
