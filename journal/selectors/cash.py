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


@dataclass(frozen=True, slots=True)
class CashBalance:
    """Sums of the ledger up to a day, in dollars: own money net in, results, loan and bucket."""

    contributed: Decimal
    earned: Decimal
    paid: Decimal
    fees: Decimal
    other: Decimal
    loan: Decimal
    bucket: Decimal

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
    return CashBalance(
        sums[Kind.DEPOSIT] + sums[Kind.WITHDRAWAL],
        sums[Kind.INTEREST_EARNED],
        -sums[Kind.INTEREST_PAID],
        -sums[Kind.FEE],
        sums[Kind.DIVIDEND] + sums[Kind.OTHER_CREDIT] + sums[Kind.OTHER_DEBIT],
        sums[Kind.BORROW] + sums[Kind.REPAY],
        sums[Kind.ALLOCATE] + sums[Kind.RELEASE],
    )


def cash_balance(account: Account, day: date) -> CashBalance:
    """The ledger's sums up to a day."""
    return balance_of(row for row in entries(account) if row.day <= day)


def bucket_balance(account: Account, day: date) -> Decimal:
    """What the Second Engine bucket holds."""
    return cash_balance(account, day).bucket


def cash_rows(user: User, account: Account) -> list[tuple[CashEntry, bool]]:
    """Entries of an account the user may see, newest first, and whether each is in force."""
    rows = list(CashEntry.objects.for_user(user).filter(account=account))
    corrected = {row.reverses_id for row in rows if row.reverses_id is not None}
    return [(row, row.reverses_id is None and row.pk not in corrected) for row in rows]
