"""Recording a staged batch once, and undoing it whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.services.bulk import collector_paused
from journal.errors import ConflictError, RuleError
from journal.importers.rows import IMPORTED, RowKind
from journal.job_kinds import IMPORT_COMMIT, IMPORT_READ
from journal.models import Account, Fill, ImportBatch, ImportRow, User
from journal.services.audit import audit_record
from journal.services.book.ledger import account_revalue
from journal.services.imports.cash_rows import entries_follow
from journal.services.imports.proposals import links_propose
from journal.services.imports.rebuild import Plan, Rebuilt, plan_account, rebuild
from journal.services.imports.stage import (
    State,
    Status,
    batch_lock,
    reading_make,
    reading_store,
    recorded_keys,
    status_counts,
)

#: Batches up to here are recorded while the person waits.
INLINE_ROWS = 2_000
_STEPS = 4


@transaction.atomic
def import_commit(
    *, user: User, batch: ImportBatch, version: int | None = None, inline: bool = False
) -> ImportBatch:
    """Record the new rows of a batch, once. A batch that is recorded already is answered as it is.

    Above INLINE_ROWS new rows a job does it unless ``inline``. Rows with errors stay behind and are not
    recorded. Raises ConflictError when the batch changed since ``version``.
    """
    fresh = ImportBatch.objects.get(pk=batch.pk)
    if fresh.state in (State.COMMITTED, State.COMMITTING):
        return fresh
    batch = batch_lock(batch, version, State.STAGED)
    if inline or batch.counts.get(Status.NEW, 0) <= INLINE_ROWS:
        return commit_now(user, batch, None)
    job, _ = job_request(
        kind=IMPORT_COMMIT, scope=account_scope(batch.account_id),
        input_revision=f"{batch.pk}:{batch.version}",
        payload={"batch": str(batch.pk), "file": batch.filename}, requested_by=str(user.public_id),
    )  # fmt: skip
    batch.state, batch.job_id = State.COMMITTING, job.pk
    batch.version += 1
    batch.save(update_fields=["state", "job_id", "version"])
    return batch


def commit_now(user: User, batch: ImportBatch, plan: Plan | None) -> ImportBatch:
    """Record a locked batch; ``plan`` is one made of the account as it still is."""
    if plan is None:
        _late_duplicates(batch)
        plan = plan_account(batch.account, batch)
    outcome = rebuild(user=user, account=batch.account, plan=plan)
    batch.rows.filter(status=Status.NEW, kind=RowKind.CASH.value).update(status=Status.RECORDED)
    outcome.cash = entries_follow(user=user, account=batch.account)
    by_anchor = {one.group.anchor: str(outcome.trades[one.group.number].pk) for one in plan.wanted}
    batch.plan = {
        **batch.plan,
        "shown": [
            {**trade, "trade": by_anchor.get(trade["anchor"], "")} for trade in batch.plan.get("shown", ())
        ],
        "proposed": links_propose(account=batch.account, plan=plan, trades=outcome.trades),
    }
    batch.state, batch.committed_at = State.COMMITTED, timezone.now()
    _finish(user, batch, outcome, "import.commit")
    return batch


def _late_duplicates(batch: ImportBatch) -> None:
    """What another batch recorded since this one was staged becomes a duplicate."""
    new = dict(batch.rows.filter(status=Status.NEW).values_list("key", "pk"))
    pks = [new[key] for key in recorded_keys(batch.account, list(new))]
    for start in range(0, len(pks), 500):
        ImportRow.objects.filter(pk__in=pks[start : start + 500]).update(status=Status.DUPLICATE)


def _finish(user: User, batch: ImportBatch, outcome: Rebuilt, action: str) -> None:
    """Counts, revision, audit event and valuation of a changed book."""
    found = batch.counts = status_counts(batch)
    batch.plan = {
        **batch.plan,
        "trades_made": outcome.trades_made, "trades_removed": outcome.trades_removed,
        "fills_made": outcome.fills_made, "fills_removed": outcome.fills_removed,
        "entries_made": outcome.cash[0], "entries_removed": outcome.cash[1],
        "replaced": outcome.replaced[:50],
    }  # fmt: skip
    batch.version += 1
    batch.save()
    Account.objects.filter(pk=batch.account_id).update(book_revision=F("book_revision") + 1)
    batch.account.refresh_from_db()
    audit_record(
        actor=user, action=action, account=batch.account, obj=batch, summary=batch.filename,
        changes={
            "sha256": batch.sha256, "rows": found, "trades_made": outcome.trades_made,
            "trades_removed": outcome.trades_removed, "fills_made": outcome.fills_made,
            "fills_removed": outcome.fills_removed, "cash_entries_made": outcome.cash[0],
            "cash_entries_removed": outcome.cash[1], "computed_settlements_replaced": outcome.replaced[:50],
        },
    )  # fmt: skip
    account_revalue(account=batch.account, requested_by=str(user.public_id))


@transaction.atomic
def import_undo(*, user: User, batch: ImportBatch, version: int | None = None) -> ImportBatch:
    """Take a whole batch back: its fills go, trades made of nothing else go, the rest is as before.

    What another recorded file says as well stays recorded. Raises RuleError when fills of the batch were
    corrected by hand, or when trades of it were continued by hand.
    """
    if ImportBatch.objects.get(pk=batch.pk).state == State.UNDONE:
        return ImportBatch.objects.get(pk=batch.pk)
    batch = batch_lock(batch, version, State.COMMITTED)
    held = batch.rows.filter(status__in=(Status.RECORDED, Status.WAITING))
    keys = set(held.values_list("key", flat=True))
    _check_untouched(batch.account, keys)
    held.update(status=Status.UNDONE)
    promoted = _promote(batch, keys)
    plan = plan_account(batch.account)
    outcome = rebuild(user=user, account=batch.account, plan=plan)
    outcome.cash = entries_follow(user=user, account=batch.account)
    links_propose(account=batch.account, plan=plan, trades=outcome.trades)
    batch.state, batch.undone_at = State.UNDONE, timezone.now()
    batch.plan = {**batch.plan, "kept_by_other_files": promoted}
    _finish(user, batch, outcome, "import.undo")
    return batch


def _promote(batch: ImportBatch, keys: set[str]) -> int:
    """Rows of other recorded files that were duplicates of this one's are recorded in their own right."""
    others = ImportRow.objects.filter(
        account=batch.account, status=Status.DUPLICATE, batch__state=State.COMMITTED
    ).exclude(batch=batch)
    chosen: dict[str, int] = {}
    for pk, key in others.order_by("pk").values_list("pk", "key"):
        if key in keys:
            chosen.setdefault(key, pk)
    pks = list(chosen.values())
    for start in range(0, len(pks), 500):
        ImportRow.objects.filter(pk__in=pks[start : start + 500]).update(status=Status.RECORDED)
    return len(pks)


def _check_untouched(account: Account, keys: set[str]) -> None:
    """Refuse where an undo would tear apart what was recorded by hand on top of the batch."""
    reversals = Fill.objects.filter(account=account, reverses__source__in=IMPORTED)
    corrected = set(reversals.values_list("reverses", flat=True))
    mine: dict[UUID, str] = {}
    fills = Fill.objects.filter(account=account, source__in=IMPORTED)
    for pk, identity, trade_id in fills.values_list("pk", "external_id", "trade_id"):
        if identity.partition("/")[0] in keys:
            if pk in corrected:
                raise RuleError(
                    "A fill of this import was corrected by hand; undo would lose the correction."
                )
            mine[trade_id] = identity
    by_hand = Fill.objects.filter(account=account, source__in=("manual", "form", "api"), reversed_by=None)
    continued = by_hand.filter(trade_id__in=list(mine)[:5_000]).select_related("trade").first()
    if continued is not None:
        raise RuleError(
            f"{continued.trade.label} has a fill entered by hand on top of this import; reverse it first."
        )


def _user(context: JobContext) -> User:
    user = User.objects.filter(public_id=context.job.requested_by).first()
    if user is None:
        raise JobError("The requester's login was deleted.")
    return user


def _batch(context: JobContext, *states: str) -> ImportBatch:
    batch = ImportBatch.objects.select_related("account").filter(pk=context.job.payload["batch"]).first()
    if batch is None or batch.state not in states:
        raise JobError("This import has moved on. Reload the page.")
    return batch


@job_handler(IMPORT_READ)
@collector_paused()
def read_batch(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Read a large file; rows and plan are stored in the transaction that ends the job."""
    batch = _batch(context, State.READING)
    context.progress(0, 100, "reading the file")
    reading = reading_make(
        batch, lambda done, total: context.progress(done * 70 // total, 100, "checking rows")
    )
    context.progress(70, 100, "storing rows and planning")

    @collector_paused()
    def write() -> dict[str, Any]:
        fresh = batch_lock(batch, batch.version, State.READING)
        stored = reading_store(fresh, reading)
        return {"batch": str(stored.pk), "state": stored.state, "counts": stored.counts}

    return write


@job_handler(IMPORT_COMMIT)
@collector_paused()
def commit_batch(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Record a large batch. It is planned first; the plan holds while the book's revision does."""
    user, batch = _user(context), _batch(context, State.COMMITTING)
    context.progress(1, _STEPS, "reading rows")
    revision = batch.account.book_revision
    _late_duplicates(batch)
    context.progress(2, _STEPS, "grouping into trades")
    plan = plan_account(batch.account, batch)
    context.progress(3, _STEPS, f"writing {batch.counts[Status.NEW]:,} rows")

    @collector_paused()
    def write() -> dict[str, Any]:
        try:
            fresh = batch_lock(batch, batch.version, State.COMMITTING)
        except (ConflictError, RuleError) as error:
            raise JobError(str(error)) from None
        done = commit_now(user, fresh, plan if fresh.account.book_revision == revision else None)
        return {
            "batch": str(done.pk),
            "counts": done.counts,
            **{k: done.plan[k] for k in ("trades_made", "fills_made")},
        }

    return write


@transaction.atomic
def import_release(*, batch: ImportBatch) -> ImportBatch:
    """Back to checking, when the job that was to record the batch ended without doing so."""
    batch = batch_lock(batch, None, State.COMMITTING)
    job = Job.objects.filter(pk=batch.job_id).first() if batch.job_id else None
    if job is not None and job.state not in (Job.State.DEAD, Job.State.CANCELLED):
        raise RuleError("The import is still running; cancel it first.")
    batch.state = State.STAGED
    batch.version += 1
    batch.save(update_fields=["state", "version"])
    return batch
