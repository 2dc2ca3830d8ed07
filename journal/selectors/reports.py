"""Reads behind reports: the ledger at two moments, the stored reports, the jobs that make them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.selectors.calendar import NEW_YORK
from journal.job_kinds import RENDER_REPORT
from journal.models import MANAGE_ROLES, Account, Fill, Report, ReportSchedule, Trade, User
from journal.selectors.book.trades import live_fills, with_fills

_FINISHED_SHOWN_FOR = timedelta(hours=1)
_READS = 5


@dataclass(frozen=True, slots=True)
class BookHistory:
    """All trades of an account with their fills, at one book revision."""

    revision: int
    trades: tuple[Trade, ...]


@dataclass(frozen=True, slots=True)
class PeriodPreset:
    """A period offered by name."""

    name: str
    text: str
    date_from: date
    date_to: date


class BusyBookError(RuntimeError):
    """The book changed during every attempt to read it."""


def account_history(account: Account) -> BookHistory:
    """Read the account's trades and fills as of one book revision.

    Fills and revision are separate queries: they are read again when the book changed between
    them, rather than holding a lock that would keep people from recording.
    """
    revisions = Account.objects.filter(pk=account.pk).values_list("book_revision", flat=True)
    for _ in range(_READS):
        before = revisions.get()
        trades = tuple(
            with_fills(Trade.objects.filter(account=account).order_by("opened_at", "created_at", "pk"))
        )
        if revisions.get() == before:
            return BookHistory(before, trades)
    raise BusyBookError


def fills_until(fills: Iterable[Fill], last: date, moment: datetime) -> list[Fill]:
    """Fills of sessions up to ``last``, executed by ``moment``."""
    return [f for f in fills if f.trade_date <= last and f.executed_at <= moment]


def opened_and_last(fills: Iterable[Fill]) -> tuple[datetime, datetime] | None:
    """Moments of the first and last fill that stands; None when all were corrected away."""
    moments = [fill.executed_at for fill in live_fills(fills)]
    return (min(moments), max(moments)) if moments else None


def period_start(date_from: date) -> datetime:
    """Midnight in New York before the period's first day."""
    return datetime.combine(date_from, time(), NEW_YORK)


def period_as_of(date_to: date, now: datetime) -> datetime:
    """The moment a period's positions and marks are taken: its last midnight, or now if sooner."""
    return min(now, datetime.combine(date_to + timedelta(days=1), time(), NEW_YORK))


def period_presets(account: Account, today: date) -> list[PeriodPreset]:
    """Offer the periods people ask for, by name."""
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    quarter = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
    year = today.replace(month=1, day=1)
    first = (
        Fill.objects.filter(account=account)
        .order_by("trade_date")
        .values_list("trade_date", flat=True)
        .first()
    )
    return [
        PeriodPreset("month", "This month", month, today),
        PeriodPreset("last-month", "Last month", last_month, month - timedelta(days=1)),
        PeriodPreset("quarter", "This quarter", quarter, today),
        PeriodPreset("year", "This year", year, today),
        PeriodPreset("last-year", "Last year", year.replace(year=year.year - 1), year - timedelta(days=1)),
        PeriodPreset("all", "Since the first fill", first or year, today),
    ]


def reports_for(user: User, account: Account) -> QuerySet[Any]:
    """Stored reports of an account the user may read, newest first, without their bytes."""
    return (
        Report.objects.for_user(user).filter(account=account).select_related("requested_by").defer("content")
    )


def report_get(user: User, report_id: UUID) -> Report:
    """One report with its bytes, or 404 alike for a missing one and somebody else's."""
    found: Report = get_object_or_404(Report.objects.for_user(user).select_related("account"), pk=report_id)
    return found


def report_jobs(account: Account) -> list[Job]:
    """Report jobs worth showing: open ones, and those that ended without a report of late."""
    jobs = Job.objects.filter(kind=RENDER_REPORT, scope=account_scope(account.pk)).exclude(
        state=Job.State.DONE
    )
    since = timezone.now() - _FINISHED_SHOWN_FOR
    return [job for job in jobs[:20] if job.is_open or job.state == Job.State.DEAD or job.created_at > since]


def account_of_request(text: str, accounts: Iterable[Account]) -> Account | None:
    """Pick the account an address names from those the user may read."""
    return next((account for account in accounts if str(account.pk) == text), None)


def schedules_for(user: User, account: Account) -> list[ReportSchedule]:
    """The account's running schedules."""
    rows = ReportSchedule.objects.for_user(user).filter(account=account, stopped_at=None)
    return list(rows.select_related("created_by"))


def schedule_get(user: User, schedule_id: UUID) -> ReportSchedule:
    """One schedule the user may stop: 404 for strangers, 403 for members who neither made it nor own."""
    found: ReportSchedule = get_object_or_404(
        ReportSchedule.objects.for_user(user).select_related("account"), pk=schedule_id
    )
    owns = Account.objects.for_user(user, MANAGE_ROLES).filter(pk=found.account_id).exists()
    if found.created_by_id != user.pk and not owns:
        raise PermissionDenied("Who made a schedule may stop it, or an owner of the account.")
    return found
