"""Cash settlement of expired legs: a fill at the official value, never at a guess.

Where the official level is loaded (SPX close, SET, VRO) the fills are booked by themselves; where it is not,
a person types it. A settlement can be reversed like every fill; what a person reversed is never booked
again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from hedging.engine.book import ContractSpec, InstrumentKind, Settlement
from hedging.selectors.calendar import session_date, settles_at
from hedging.services.snapshots.closes import closings, final_symbol
from hedging.services.snapshots.contracts import contract_get_or_create
from journal.errors import RuleError
from journal.models import Account, Fill, Trade, User
from journal.selectors.book.trades import OpenLeg, trade_position, with_fills
from journal.services.book.ledger import book_changed, trade_lock

MAX_LEVEL = Decimal(100_000)
_NOTHING = "No leg of that expiry is waiting for its settlement."


@dataclass(frozen=True, slots=True)
class Due:
    """Open legs of one trade that settle on one official value; ``symbol`` names it (SPX, SET, VRO)."""

    trade: Trade
    symbol: str
    expiry: date
    settlement: Settlement
    legs: tuple[OpenLeg, ...]

    @property
    def key(self) -> str:
        """Name of the value in forms: ``SET-2026-11-20``."""
        return f"{self.symbol}-{self.expiry}"


def settlements_due(trade: Trade) -> list[Due]:
    """What of the trade has expired and is not settled, oldest first."""
    now = timezone.now()
    groups: dict[tuple[date, str], list[OpenLeg]] = {}
    for leg in trade_position(trade).legs:
        moment = settles_at(leg.spec)
        if moment is not None and moment <= now and leg.spec.expiry is not None:
            groups.setdefault((leg.spec.expiry, final_symbol(leg.spec)), []).append(leg)
    return [
        Due(trade, symbol, expiry, legs[0].spec.settlement, tuple(legs))
        for (expiry, symbol), legs in sorted(groups.items())
    ]


@transaction.atomic
def settlement_book(
    *,
    user: User | None,
    trade: Trade,
    symbol: str,
    expiry: date,
    level: Decimal,
    version: int | None = None,
) -> Trade:
    """Settle the trade's legs that expired on ``expiry`` at the official ``level`` in points.

    ``user`` None is the system. Raises RuleError when nothing waits for that value or the level cannot be
    one, ConflictError when the trade moved on since ``version``.
    """
    if not level.is_finite() or not 0 < level <= MAX_LEVEL:
        raise RuleError(f"A settlement value is between 0 and {MAX_LEVEL:,}.", "level")
    if level != round(level, 4):
        raise RuleError("A settlement value has at most four decimals.", "level")
    locked = trade_lock(trade, version)
    fresh: Trade = with_fills(Trade.objects.filter(pk=locked.pk)).get()
    due = next((d for d in settlements_due(fresh) if (d.symbol, d.expiry) == (symbol, expiry)), None)
    if due is None:
        raise RuleError(_NOTHING)
    for leg in due.legs:
        contract = contract_get_or_create(spec=leg.spec)
        before = Fill.objects.filter(trade=fresh, contract=contract, source=Fill.SETTLEMENT).count()
        moment = settles_at(leg.spec)
        assert moment is not None
        Fill.objects.create(
            account=fresh.account,
            trade=fresh,
            contract=contract,
            quantity=-leg.quantity,
            price=settlement_price(leg.spec, contract.strike, level),
            fees=Decimal(0),
            executed_at=moment,
            trade_date=expiry,
            source=Fill.SETTLEMENT,
            external_id=f"{fresh.pk}:{contract.pk}:{before}",
            note=f"{symbol} at {level.normalize():f}",
            created_by=user,
        )
    return book_changed(user, fresh, "trade.settle", f"{symbol} {expiry} at {level}")


def settlement_price(spec: ContractSpec, strike: Decimal | None, level: Decimal) -> Decimal:
    """Exact settlement value in points: intrinsic of an option, the level of a future."""
    if spec.kind is not InstrumentKind.OPTION or strike is None or spec.right is None:
        return level
    return max(int(spec.right) * (level - strike), Decimal(0))


def settlements_book_loaded(*, accounts: Iterable[Account] | None = None) -> int:
    """Settle whatever has expired and whose official value is loaded; returns how many trades.

    Archived accounts and legs whose settlement a person reversed are left alone.
    """
    today = session_date(timezone.now())
    trades = with_fills(
        Trade.objects.filter(
            status=Trade.Status.OPEN, nearest_expiry__lte=today, account__archived_at__isnull=True
        )
    )
    if accounts is not None:
        trades = trades.filter(account__in=list(accounts))
    count = 0
    for trade in trades.order_by("nearest_expiry", "pk"):
        for due in settlements_due(trade):
            if _was_reversed(due):
                continue
            closing = closings(days=[due.expiry], simulated=trade.account.is_demo)[due.expiry]
            level = closing.final_level(due.legs[0].spec)
            if level is None:
                continue
            try:
                settlement_book(
                    user=None, trade=trade, symbol=due.symbol, expiry=due.expiry, level=level.value
                )
            except RuleError:  # settled or archived meanwhile
                continue
            count += 1
    return count


def _was_reversed(due: Due) -> bool:
    """Whether a person took back a settlement of these legs.

    More of a leg that came to be known after it was settled, by an import, say, is no such decision.
    """
    symbols = {leg.spec.symbol for leg in due.legs}
    fills = due.trade.fills.all()
    by_itself = {Fill.REPLACED, Fill.CORRECTED}
    taken_back = {fill.reverses_id for fill in fills if fill.reverses_id and fill.source not in by_itself}
    return any(
        fill.source == Fill.SETTLEMENT and fill.contract.symbol in symbols and fill.pk in taken_back
        for fill in fills
    )
