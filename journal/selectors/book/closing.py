"""What is read before trades are closed together: legs with their newest marks, and package prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from math import gcd
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from hedging.engine.money import to_cents
from hedging.selectors.market import age_text
from journal.models import WRITE_ROLES, Trade, User, Valuation
from journal.selectors.book.trades import OpenLeg, live_legs, with_fills

ZERO = Decimal(0)
NOT_VALUED = "not valued yet"


@dataclass(frozen=True, slots=True)
class ClosingLeg:
    """A live leg with its newest mark, bid and ask in points; None is unknown and ``reason`` says why.

    ``quoted_at`` is the quote's moment, ``age`` how long ago that was, ``flags`` what to know about it.
    """

    leg: OpenLeg
    mark: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    source: str
    flags: tuple[str, ...]
    quoted_at: datetime | None
    age: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClosingTrade:
    """A trade to be closed. Prices are points per package, + received and - paid; None is unknown.

    ``packages`` is how often the smallest unit of the legs is held. ``at_mark`` closes at the marks,
    ``at_market`` sells at the bids and buys at the asks; both are None where multipliers differ.
    ``reason`` says why it cannot be closed here.
    """

    trade: Trade
    legs: tuple[ClosingLeg, ...]
    expired: tuple[OpenLeg, ...]
    packages: int
    at_mark: Decimal | None
    at_market: Decimal | None
    reason: str = ""

    @property
    def is_mixed(self) -> bool:
        """Whether a point of one leg is worth other dollars than of another: then no package has a price."""
        return len({row.leg.spec.multiplier for row in self.legs}) > 1

    @property
    def is_single(self) -> bool:
        """Whether one contract alone is closed: its price needs no sign."""
        return len(self.legs) == 1

    @property
    def is_sold(self) -> bool:
        """Whether a single leg is sold to close."""
        return self.legs[0].leg.quantity > 0

    @property
    def multiplier(self) -> int:
        """Dollars a point of one package, where its legs agree."""
        return self.legs[0].leg.spec.multiplier


def closing_trades(user: User, ids: Iterable[UUID], now: datetime) -> list[ClosingTrade]:
    """The trades of the list the user may change, oldest first, open or not."""
    newest = Valuation.objects.filter(trade=OuterRef("pk")).order_by("-book_revision", "-as_of")
    rows = with_fills(Trade.objects.for_user(user, WRITE_ROLES).filter(pk__in=list(ids)))
    trades = list(rows.annotate(newest=Subquery(newest.values("pk")[:1])).order_by("opened_at", "pk"))
    values = Valuation.objects.in_bulk([trade.newest for trade in trades if trade.newest])
    return [closing_trade(trade, values.get(trade.newest), now) for trade in trades]


def closing_trade(trade: Trade, valuation: Valuation | None, now: datetime) -> ClosingTrade:
    """One trade with what its newest valuation knows of its legs."""
    live, expired = live_legs(trade, now)
    known = {leg["symbol"]: leg for leg in valuation.result["legs"]} if valuation else {}
    legs = tuple(_leg(leg, known.get(leg.spec.symbol), valuation, now) for leg in live)
    packages = reduce(gcd, (abs(leg.quantity) for leg in live), 0)
    reason = _reason(trade, live, expired)
    if reason or len({leg.spec.multiplier for leg in live}) > 1:
        return ClosingTrade(trade, legs, expired, packages, None, None, reason)
    marks = [row.mark for row in legs]
    crossed = [crossed_price(row) for row in legs]
    return ClosingTrade(
        trade, legs, expired, packages, _package(live, packages, marks), _package(live, packages, crossed)
    )


def crossed_price(row: ClosingLeg) -> Decimal | None:
    """What closing the leg at once gets: the bid for what is held, the ask for what is owed."""
    return row.bid if row.leg.quantity > 0 else row.ask


def _reason(trade: Trade, live: Sequence[OpenLeg], expired: Sequence[OpenLeg]) -> str:
    if trade.account.archived_at is not None:
        return "Its account is archived; restore it first."
    if not live and expired:
        return "Its legs have expired: they are settled, not closed."
    if not live:
        return "It is closed already."
    return ""


def _package(legs: Sequence[OpenLeg], packages: int, prices: Sequence[Decimal | None]) -> Decimal | None:
    """Points received for closing one package at these prices; None while one is unknown."""
    total = ZERO
    for leg, price in zip(legs, prices, strict=True):
        if price is None:
            return None
        total += leg.quantity // packages * price
    return to_cents(total)


def _leg(leg: OpenLeg, row: dict[str, Any] | None, valuation: Valuation | None, now: datetime) -> ClosingLeg:
    if row is None or valuation is None:
        return ClosingLeg(leg, None, None, None, "unknown", (), None, "", NOT_VALUED)
    moment = datetime.fromisoformat(row["quoted_at"]) if row["quoted_at"] else valuation.as_of
    flags = [row["quality"], *row["flags"]] if row["quality"] else list(row["flags"])
    return ClosingLeg(
        leg, _points(row["price"]), _points(row["bid"]), _points(row["ask"]), row["source"],
        tuple(dict.fromkeys(flags)), moment, age_text(now - moment), row["reason"],
    )  # fmt: skip


def _points(value: float | None) -> Decimal | None:
    return None if value is None else to_cents(Decimal(str(value)))
