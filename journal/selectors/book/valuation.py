"""Reads of what workers computed, and whether it is current."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hedging.engine.money import to_cents
from hedging.jobs.engine import WORKER_LOST
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from journal.job_kinds import VALUE_ACCOUNT
from journal.models import Account, AccountRisk, Trade, Valuation

__all__ = ["WORKER_LOST", "Current", "NewestMarks", "account_current", "trade_current", "trade_marks"]


@dataclass(frozen=True, slots=True)
class Current:
    """The newest result, whether it is of the present book revision, and the job that makes it so."""

    result: dict[str, Any] | None
    is_current: bool
    job: Job | None

    @property
    def failed(self) -> bool:
        """Whether the newest job ended in an error."""
        return self.job is not None and self.job.state == Job.State.DEAD

    @property
    def waiting(self) -> bool:
        """Whether a worker is still expected to bring a newer result."""
        return not self.is_current and self.job is not None and self.job.is_open


def _newest_job(account: Account) -> Job | None:
    return (
        Job.objects.filter(kind=VALUE_ACCOUNT, scope=account_scope(account.pk))
        .order_by("-created_at")
        .first()
    )


def trade_current(trade: Trade) -> Current:
    """The newest valuation of a trade."""
    row = Valuation.objects.filter(trade=trade).order_by("-book_revision", "-as_of").first()
    job = _newest_job(trade.account)
    current = row is not None and row.book_revision == trade.account.book_revision
    # A newer snapshot may be on its way although the revision is unchanged.
    return Current(row.result if row else None, current and not (job and job.is_open), job)


def account_current(account: Account) -> Current:
    """The newest totals of an account."""
    row = AccountRisk.objects.filter(account=account).order_by("-book_revision", "-as_of").first()
    job = _newest_job(account)
    current = row is not None and row.book_revision == account.book_revision
    return Current(row.result if row else None, current and not (job and job.is_open), job)


@dataclass(frozen=True, slots=True)
class NewestMarks:
    """Newest marks of a trade's legs in points by symbol, where they are known, and their moment."""

    as_of: datetime
    prices: dict[str, Decimal]
    flags: tuple[str, ...]


def trade_marks(trade: Trade) -> NewestMarks | None:
    """The marks of the newest valuation, rounded to a cent of a point; None before the first."""
    row = Valuation.objects.filter(trade=trade).order_by("-book_revision", "-as_of").first()
    if row is None:
        return None
    prices = {
        leg["symbol"]: to_cents(Decimal(str(leg["price"])))
        for leg in row.result["legs"]
        if leg["price"] is not None
    }
    return NewestMarks(row.as_of, prices, tuple(row.result["market"]["flags"]))
