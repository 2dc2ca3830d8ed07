"""Reads of the cash ledger: balances, flows, and what of it is in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from journal.models import Account, CashEntry, User

ZERO = Decimal(0)
Kind = CashEntry.Kind
#: Money the owner put in or took out; everything else is earned, paid or borrowed.
EXTERNAL = (Kind.DEPOSIT, Kind.WITHDRAWAL)
#: What the account earned or paid beside its trades and its interest.
OTHER = (Kind.DIVIDEND, Kind.FEE, Kind.OTHER_CREDIT, Kind.OTHER_DEBIT)
#: What is held beside the cash and can never be less than nothing, and the kinds that move it.
POOLS: dict[str, tuple[str, ...]] = {
    "bucket": (Kind.ALLOCATE, Kind.RELEASE),
    "loan": (Kind.BORROW, Kind.REPAY),
    "bills": (Kind.BILL_BUY, Kind.BILL_SELL, Kind.BILL_MATURE),
}
Movement = tuple[date, str, Decimal]


@dataclass(frozen=True, slots=True)
class CashBalance:
    """Sums of the ledger up to a day, in dollars: own money net in, results, loan, bucket, bills at cost."""

    contributed: Decimal
    earned: Decimal
    paid: Decimal
    fees: Decimal
    other: Decimal
    loan: Decimal
    bucket: Decimal
    bills: Decimal

    @property
    def result(self) -> Decimal:
        """Interest, dividends, fees and other credits, + earned."""
        return self.earned - self.paid - self.fees + self.other


def entries(account: Account) -> list[CashEntry]:
    """All entries of an account in time order, corrections included."""
    return list(CashEntry.objects.filter(account=account).order_by("day", "created_at", "pk"))


def balance_of(rows: Iterable[CashEntry]) -> CashBalance:
    """Add entries up; an entry and its correction cancel."""
    sums: dict[str, Decimal] = dict.fromkeys(Kind.values, ZERO)
    for row in rows:
        sums[row.kind] += row.amount
    held = {name: sum((sums[kind] for kind in kinds), ZERO) for name, kinds in POOLS.items()}
    return CashBalance(
        sums[Kind.DEPOSIT] + sums[Kind.WITHDRAWAL],
        sums[Kind.INTEREST_EARNED],
        -sums[Kind.INTEREST_PAID],
        -sums[Kind.FEE],
        sums[Kind.DIVIDEND] + sums[Kind.OTHER_CREDIT] + sums[Kind.OTHER_DEBIT],
        **held,
    )


def bucket_uses(rows: Iterable[CashEntry]) -> list[tuple[str, Decimal]]:
    """What the Second Engine bucket holds for each of its purposes, in dollars; purposes never used are 0."""
    sums = {purpose: ZERO for purpose in CashEntry.Purpose if purpose}
    for row in rows:
        if row.kind in POOLS["bucket"] and row.purpose in sums:
            sums[CashEntry.Purpose(row.purpose)] += row.amount
    return [(str(purpose.label), amount) for purpose, amount in sums.items()]


def overdrawn(movements: Iterable[Movement], pool: str, since: date) -> date | None:
    """The first day from ``since`` on at whose end a pool would hold less than nothing."""
    by_day: dict[date, Decimal] = {}
    for day, kind, amount in movements:
        if kind in POOLS[pool]:
            by_day[day] = by_day.get(day, ZERO) + amount
    held = ZERO
    for day, amount in sorted(by_day.items()):
        held += amount
        if held < 0 and day >= since:
            return day
    return None


def opens_with_deposit(rows: Iterable[CashEntry], day: date) -> bool:
    """Whether the ledger says what the account began with: deposits in force up to its first session."""
    return sum((row.amount for row in rows if row.kind == Kind.DEPOSIT and row.day <= day), ZERO) > 0


def cash_balance(account: Account, day: date) -> CashBalance:
    """The ledger's sums up to a day."""
    return balance_of(row for row in entries(account) if row.day <= day)


def bucket_balance(account: Account, day: date) -> Decimal:
    """What the Second Engine bucket holds."""
    return cash_balance(account, day).bucket


def in_force(rows: Iterable[CashEntry]) -> list[CashEntry]:
    """Entries that are neither corrected nor a correction."""
    rows = list(rows)
    corrected = {row.reverses_id for row in rows if row.reverses_id is not None}
    return [row for row in rows if row.reverses_id is None and row.pk not in corrected]


def movements_of(rows: Iterable[CashEntry]) -> list[Movement]:
    """Day, kind and signed amount of entries."""
    return [(row.day, row.kind, row.amount) for row in rows]


def cash_rows(user: User, account: Account) -> list[tuple[CashEntry, bool]]:
    """Entries of an account the user may see, newest first, and whether each is in force."""
    rows = list(CashEntry.objects.for_user(user).filter(account=account))
    live = {row.pk for row in in_force(rows)}
    return [(row, row.pk in live) for row in rows]
