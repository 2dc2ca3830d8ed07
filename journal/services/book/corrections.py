"""Settlements follow their official values: a corrected value reverses what was booked on it and books anew.

Only what the system booked by itself follows; what a person typed or took back is theirs. Up to the day an
account is locked, a correction is reported and nothing is booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from hedging.engine.money import to_cents
from hedging.models import DailyBar
from hedging.services.snapshots.closes import FINAL_SYMBOLS, closings, final_symbol
from hedging.services.snapshots.contracts import contract_spec
from journal.models import Alert, Fill, Trade
from journal.services.alerts.alerts import AlertFinding, alert_raise
from journal.services.audit import audit_record
from journal.services.book.ledger import book_changed, trade_lock
from journal.services.book.settlement import settlement_price


@dataclass(frozen=True, slots=True)
class _Changed:
    """A booked settlement whose official value is another now, in points."""

    fill: Fill
    symbol: str
    level: Decimal
    price: Decimal


def settlements_follow() -> int:
    """Bring settlements in line with values that came after them; returns how many trades changed."""
    newer = DailyBar.objects.filter(
        symbol__in=FINAL_SYMBOLS, date=OuterRef("trade_date"), recorded_at__gt=OuterRef("created_at")
    )
    booked = Fill.objects.filter(
        Exists(newer), source=Fill.SETTLEMENT, created_by=None, reversed_by=None,
        account__archived_at__isnull=True,
    )  # fmt: skip
    trades = set(booked.order_by().values_list("trade_id", flat=True))
    return sum(_follow(pk) for pk in sorted(trades))


@transaction.atomic
def _follow(trade_id: UUID) -> bool:
    trade = trade_lock(Trade.objects.select_related("account").get(pk=trade_id), None)
    found = _changed(trade)
    by_day: dict[date, list[_Changed]] = defaultdict(list)
    for one in found:
        by_day[one.fill.trade_date].append(one)
    locked = trade.account.locked_until
    booked = False
    for day, changes in sorted(by_day.items()):
        if locked is not None and day <= locked:
            _report(trade, changes)
        else:
            trade, booked = _book(trade, changes), True
    return booked


def _changed(trade: Trade) -> list[_Changed]:
    fills = Fill.objects.filter(trade=trade, source=Fill.SETTLEMENT, created_by=None, reversed_by=None)
    rows = list(fills.select_related("contract").order_by("pk"))
    market = closings(days={fill.trade_date for fill in rows}, simulated=trade.account.is_demo)
    found = []
    for fill in rows:
        spec = contract_spec(fill.contract)
        level = market[fill.trade_date].final_level(spec)
        if level is None:  # taken back without another: what was booked stands until one is known
            continue
        price = settlement_price(spec, fill.contract.strike, level.value)
        if price != fill.price or _level_of(fill) != level.value:
            found.append(_Changed(fill, final_symbol(spec), level.value, price))
    return found


def _level_of(fill: Fill) -> Decimal:
    """The value a settlement was booked at, as its note says: ``SPX at 6480.25``."""
    return Decimal(fill.note.rpartition(" ")[2])


def _book(trade: Trade, changes: Iterable[_Changed]) -> Trade:
    """Reverse and book anew in the caller's transaction; tell the owner what changed."""
    changes = list(changes)
    before = trade.realized
    for one in changes:
        old = one.fill
        number = Fill.objects.filter(trade=trade, contract=old.contract, source=Fill.SETTLEMENT).count()
        Fill.objects.create(
            account=old.account, trade=trade, contract=old.contract, quantity=-old.quantity, price=old.price,
            fees=-old.fees, executed_at=old.executed_at, trade_date=old.trade_date, reverses=old,
            source=Fill.CORRECTED, note=f"{one.symbol} corrected to {one.level.normalize():f}",
        )  # fmt: skip
        Fill.objects.create(
            account=old.account, trade=trade, contract=old.contract, quantity=old.quantity, price=one.price,
            fees=old.fees, executed_at=old.executed_at, trade_date=old.trade_date, source=Fill.SETTLEMENT,
            external_id=f"{trade.pk}:{old.contract_id}:{number}",
            note=f"{one.symbol} at {one.level.normalize():f}",
        )  # fmt: skip
    words = _words(changes)
    trade = book_changed(None, trade, "trade.settle_again", words)
    text = f"{words}: settlement of {trade.label} changed, {_money(before)} → {_money(trade.realized)}"
    _tell(trade, changes, text)
    return trade


def _report(trade: Trade, changes: Iterable[_Changed]) -> None:
    """A locked day: say what would change, book nothing."""
    changes = list(changes)
    text = f"{_words(changes)}: {trade.label} was settled on the old value and is locked, nothing was booked"
    if _tell(trade, changes, text):
        audit_record(actor=None, action="trade.settle_locked", account=trade.account, obj=trade, summary=text)


def _words(changes: list[_Changed]) -> str:
    """``SPX of 27 Nov 2026 corrected 100.00 → 6,738.88``."""
    one = changes[0]
    day = one.fill.trade_date
    return f"{one.symbol} of {day.day} {day:%b %Y} corrected {_level_of(one.fill):,.2f} → {one.level:,.2f}"


def _tell(trade: Trade, changes: list[_Changed], text: str) -> bool:
    one = changes[0]
    key = f"corrected:{trade.pk}:{one.fill.trade_date}:{one.level.normalize():f}"
    finding = AlertFinding(Alert.Kind.CORRECTION, key, text, str(trade.pk))
    return alert_raise(account=trade.account, finding=finding) is not None


def _money(amount: Decimal) -> str:
    """Signed dollars to the cent, with a true minus."""
    cents = to_cents(amount)
    return f"{'+' if cents > 0 else '−' if cents < 0 else ''}{abs(cents):,.2f}"
