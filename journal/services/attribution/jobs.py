"""Attribution of accounts: computed by workers, stored day by day, rebuilt whenever fills or marks change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from hedging.jobs.context import JobContext, JobStaleError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from hedging.maths.arrays import Ints
from hedging.models import Job
from hedging.selectors.calendar import closes_at, previous_session, session_date, session_on_or_before
from hedging.services.snapshots.closes import LATEST_CHAIN, first_day_recorded
from journal.errors import RuleError
from journal.job_kinds import ATTRIBUTE
from journal.models import Account, AttributionDay, CapitalDay, DailyMark, Fill, User
from journal.selectors.book.trades import first_fill_day
from journal.selectors.jobs import account_of_job
from journal.services.attribution.build import AccountHistory, Progress, book_rows, history_build
from journal.services.attribution.capital_days import capital_rows
from journal.services.attribution.days import BookRows, summaries
from journal.services.attribution.rows import write_marks
from journal.services.audit import audit_record

#: A long history is cut into ranges of this many days, which workers take in parallel.
RANGE_DAYS = 366
_BATCH = 500


def last_closed_session() -> date:
    """The newest session whose close, and the chains just after it, are past."""
    now = timezone.now()
    day = session_on_or_before(session_date(now))
    return day if closes_at(day) + LATEST_CHAIN <= now else previous_session(day)


@job_handler(ATTRIBUTE)
def attribute_account(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Attribute an account's sessions in the payload's range; written only if the book did not change."""
    account = account_of_job(context.job)
    if int(context.job.payload.get("revision", account.book_revision)) < account.book_revision:
        raise JobStaleError("A later change of the book replaced this request.")
    first, last = (date.fromisoformat(context.job.payload[name]) for name in ("from", "to"))

    def progress(done: int, total: int) -> None:
        context.progress(done, total, "marking")

    history = history_build(account=account, first=first, last=last, progress=progress)
    context.progress(1, 1, "storing")

    def write() -> dict[str, Any]:
        return {"days": history_store(account=account, history=history, first=first, last=last)}

    return write


@transaction.atomic
def history_store(*, account: Account, history: AccountHistory | None, first: date, last: date) -> int:
    """Store the sessions from ``first`` to ``last`` that came out differently; returns how many.

    Raises JobStaleError when the book changed since the history was read. Days that no longer hold
    anything are removed; unchanged days are left alone.
    """
    current = Account.objects.select_for_update().get(pk=account.pk)
    if current.book_revision != account.book_revision:
        raise JobStaleError
    book = None if history is None else book_rows(history)
    found = [] if book is None else [one for one in summaries(book) if first <= one.day <= last]
    stored = {
        day: (content, market)
        for day, content, market in AttributionDay.objects.filter(
            account=account, day__range=(first, last)
        ).values_list("day", "content_hash", "market_hash")
    }
    fresh = [
        one for one in found if stored.get(one.day) != (one.fields["content_hash"], one.fields["market_hash"])
    ]
    gone = set(stored) - {one.day for one in found}
    _remove(account, gone | {one.day for one in fresh})
    if history is not None and book is not None and fresh:
        AttributionDay.objects.bulk_create(
            (
                AttributionDay(
                    account=account, day=one.day, book_revision=current.book_revision, **one.fields
                )
                for one in fresh
            ),
            batch_size=_BATCH,
        )
        write_marks(
            book,
            np.concatenate([one.at for one in fresh]),
            accounts=np.array([account.pk.bytes], "V16"),
            contract_ids=np.array(history.contract_ids, np.int64),
            mark_ids=np.array([-1 if mark is None else mark.pk for mark in history.mark_rows], np.int64),
        )
    _store_capital(account, book, np.concatenate([one.at for one in found]) if found else None, first, last)
    AttributionDay.objects.filter(account=account, day__range=(first, last)).update(
        book_revision=current.book_revision
    )
    return len(fresh) + len(gone)


def _remove(account: Account, days: set[date]) -> None:
    ordered = sorted(days)
    for start in range(0, len(ordered), _BATCH):
        part = ordered[start : start + _BATCH]
        DailyMark.objects.filter(account=account, day__in=part).delete()
        AttributionDay.objects.filter(account=account, day__in=part).delete()


def _store_capital(account: Account, book: BookRows | None, at: Ints | None, first: date, last: date) -> None:
    """Keep each session's margin, rewritten only where it came out differently."""
    mine = CapitalDay.objects.filter(account=account, day__range=(first, last))
    stored = dict(mine.values_list("day", "content_hash"))
    rows = [] if book is None or at is None else list(capital_rows(book, [account], at))
    fresh = [row for row in rows if stored.get(row.day) != row.content_hash]
    obsolete = sorted((set(stored) - {row.day for row in rows}) | {row.day for row in fresh})
    for start in range(0, len(obsolete), _BATCH):
        CapitalDay.objects.filter(account=account, day__in=obsolete[start : start + _BATCH]).delete()
    CapitalDay.objects.bulk_create(fresh, batch_size=_BATCH)


def attribution_request(
    *,
    account: Account,
    date_from: date | None = None,
    date_to: date | None = None,
    requested_by: User | None = None,
    nonce: str = "",
) -> list[Job]:
    """Ask the workers for the account's attribution, one job a range; the same request twice asks once.

    Raises RuleError for a range that ends before it begins. Empty when nothing was filled.
    """
    began = first_fill_day(account)
    if began is None:
        return []
    account = Account.objects.get(pk=account.pk)
    first = max(date_from, began) if date_from else began
    last = min(date_to or last_closed_session(), last_closed_session())
    if date_from and date_to and date_from > date_to:
        raise RuleError("The period ends before it starts.", "to")
    jobs = []
    while first <= last:
        until = min(first + timedelta(days=RANGE_DAYS - 1), last)
        job, made = job_request(
            kind=ATTRIBUTE,
            scope=account_scope(account.pk),
            as_of=f"{first}/{until}",
            input_revision=f"{account.book_revision}:{nonce}"[:80],
            payload={"from": str(first), "to": str(until), "revision": account.book_revision},
            requested_by=str(requested_by.public_id) if requested_by else "",
        )
        if made and requested_by:
            audit_record(
                actor=requested_by, action="attribution.request", account=account, summary=f"{first}/{until}"
            )
        jobs.append(job)
        first = until + timedelta(days=1)
    return jobs


def attribution_follow(*, account: Account, nonce: str = "") -> list[Job]:
    """Ask for what changed since the account's attribution was last written: new fills, newer market data."""
    written = AttributionDay.objects.filter(account=account).aggregate(
        at=Max("created_at"), first=Min("day"), last=Max("day")
    )
    if written["at"] is None:
        return attribution_request(account=account, nonce=nonce)
    began = first_fill_day(account)
    touched = [
        began if began and began < written["first"] else written["last"],
        Fill.objects.filter(account=account, created_at__gt=written["at"]).aggregate(d=Min("trade_date"))[
            "d"
        ],
        first_day_recorded(since=written["at"], simulated=account.is_demo),
    ]
    return attribution_request(
        account=account, date_from=min(day for day in touched if day is not None), nonce=nonce
    )


def attribution_run(
    *, account: Account, date_from: date | None, date_to: date, progress: Progress | None = None
) -> int:
    """Attribute at once and store, for commands and the demo; returns how many days changed."""
    first = date_from or first_fill_day(account)
    if first is None:
        return 0
    account = Account.objects.get(pk=account.pk)
    history = history_build(account=account, first=first, last=date_to, progress=progress)
    return history_store(account=account, history=history, first=first, last=date_to)
