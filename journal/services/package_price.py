"""Splitting the price of a package over its legs, so that the package stays exact to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hedging.engine.book import ContractSpec
from hedging.engine.marks import quote_mid
from hedging.selectors.calendar import session_date
from hedging.services.snapshots import snapshot_for, snapshot_load

SPLIT_NOTE = "package price split over the legs"
_STEP = Decimal("0.000001")


def market_marks(specs: Sequence[ContractSpec], moment: datetime, *, simulated: bool) -> dict[str, Decimal]:
    """Mid quotes of the session the fill happened in, where a snapshot of that session exists."""
    row = snapshot_for(as_of=moment.replace(hour=23, minute=59), simulated=simulated)
    if row is None or session_date(row.as_of) != session_date(moment):
        return {}
    market = snapshot_load(row)
    marks = {spec.symbol: quote_mid(spec, market) for spec in specs}
    return {symbol: Decimal(str(round(mark, 4))) for symbol, mark in marks.items() if mark is not None}


def split_package(
    legs: Sequence[tuple[ContractSpec, int]], packages: int, signed_price: Decimal,
    marks: dict[str, Decimal],
) -> list[Decimal]:
    """Prices per leg, none negative, whose sum over quantities is the package price exactly.

    ``signed_price`` is in points per package, + received. With marks for every leg each price is its
    mark plus an equal share of the difference; without, the legs on the paying side share it all.
    """
    total = signed_price * packages
    if marks and all(spec.symbol in marks for spec, _ in legs):
        prices = [marks[spec.symbol] for spec, _ in legs]
    else:
        prices = [Decimal(0)] * len(legs)
    gap = total - _received(legs, prices)
    # Raise what moves the sum the right way: sold legs for more received, bought legs for less.
    side = [i for i, (_, quantity) in enumerate(legs) if (quantity < 0) == (gap > 0)]
    if gap and not side:
        side = list(range(len(legs)))
    weight = sum(abs(legs[i][1]) for i in side)
    for i in side:
        prices[i] += (abs(gap) / weight).quantize(_STEP)
    if side:
        last = side[-1]
        rest = total - _received(legs, prices)
        prices[last] -= rest / legs[last][1]
    return prices


def _received(legs: Sequence[tuple[ContractSpec, int]], prices: Sequence[Decimal]) -> Decimal:
    return -sum((quantity * price for (_, quantity), price in zip(legs, prices, strict=True)), Decimal(0))
