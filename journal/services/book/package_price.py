"""Splitting the price of a package over its legs, so that the package stays exact.

Brokers print one price for a spread. Fills need a price per contract, so the package price is
shared: over the quoted marks of the fill's session where a snapshot of that session exists, else
wholly over the legs on the paying side. Such fills carry SPLIT_NOTE; only their sum is what the
broker printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import product

from hedging.engine.book import ContractSpec
from hedging.engine.pricing.marks import quote_mid
from hedging.selectors.calendar import NEW_YORK, session_date
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.errors import RuleError

SPLIT_NOTE = "package price split over the legs"
_STEP = Decimal("0.000001")
_MARK_DIGITS = 4


def market_marks(specs: Sequence[ContractSpec], moment: datetime, *, simulated: bool) -> dict[str, Decimal]:
    """Read mid quotes of the session a fill happened in, where a snapshot of it exists."""
    evening = moment.astimezone(NEW_YORK).replace(hour=23, minute=59)
    row = snapshot_for(as_of=evening, simulated=simulated)
    if row is None or session_date(row.as_of) != session_date(moment):
        return {}
    market = snapshot_load(row)
    marks = {spec.symbol: quote_mid(spec, market) for spec in specs}
    return {
        symbol: Decimal(str(round(mark, _MARK_DIGITS))) for symbol, mark in marks.items() if mark is not None
    }


def split_package(
    legs: Sequence[tuple[ContractSpec, int]],
    packages: int,
    signed_price: Decimal,
    marks: dict[str, Decimal],
) -> list[Decimal]:
    """Share a package price; no price is negative and the sum over quantities is exact.

    ``signed_price`` is in points per package, + received. With marks for every leg each price is
    its mark, plus an equal share of the difference on the legs it raises; without, those legs share
    it all. Raises RuleError when the legs cannot add up to such a price at all.
    """
    ratios = [quantity // packages for _, quantity in legs]
    if marks and all(spec.symbol in marks for spec, _ in legs):
        prices = [marks[spec.symbol] for spec, _ in legs]
    else:
        prices = [Decimal(0)] * len(legs)
    gap = signed_price - _received(ratios, prices)
    if not gap:
        return prices
    # Raise what moves the sum the right way: sold legs for more received, bought legs for less.
    side = [i for i, ratio in enumerate(ratios) if (ratio < 0) == (gap > 0)]
    if not side:
        return _scaled(ratios, signed_price)
    weight = sum(abs(ratios[i]) for i in side)
    for i in side:
        prices[i] += (abs(gap) / weight).quantize(_STEP)
    return _settled(ratios, prices, side, signed_price)


def _scaled(ratios: Sequence[int], signed_price: Decimal) -> list[Decimal]:
    """Prices of legs that are all bought or all sold: one price for each contract."""
    weight = -sum(ratios)
    price = (signed_price / weight).quantize(_STEP)
    if price < 0:
        side = "bought" if weight < 0 else "sold"
        raise RuleError(f"Legs that are all {side} cannot have this price; check its sign.", "legs")
    return _settled(ratios, [price] * len(ratios), range(len(ratios)), signed_price)


def _settled(
    ratios: Sequence[int], prices: list[Decimal], side: Sequence[int], signed_price: Decimal
) -> list[Decimal]:
    """Move the last millionths so that the sum is exact; raises RuleError where none can."""
    rest = int((signed_price - _received(ratios, prices)) / _STEP)
    if not rest:
        return prices
    legs = [*side, *(i for i in range(len(ratios)) if i not in side)]
    reach = sum(abs(ratio) for ratio in ratios)
    for first, last in product(legs, repeat=2):
        for steps in range(reach if first != last else 1):
            more, left = divmod(rest + ratios[first] * steps, ratios[last])
            moved = list(prices)
            moved[first] += steps * _STEP
            moved[last] -= more * _STEP
            if not left and min(moved) >= 0:
                return moved
    raise RuleError("The package price cannot be shared exactly over these legs.", "legs")


def _received(ratios: Sequence[int], prices: Sequence[Decimal]) -> Decimal:
    return -sum((ratio * price for ratio, price in zip(ratios, prices, strict=True)), Decimal(0))
