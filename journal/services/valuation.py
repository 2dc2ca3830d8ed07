"""Valuing accounts: the worker's job, and a valuation as of any past moment on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from hedging.engine.pricing.valuation import value_book
from hedging.jobs.context import JobContext, JobError, JobStaleError
from hedging.jobs.registry import job_handler
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.job_kinds import VALUE_ACCOUNT
from journal.models import Account, AccountRisk, Valuation
from journal.selectors.book.trades import book_build
from journal.selectors.book.valued import account_result, trade_result
from journal.selectors.jobs import account_of_job
from journal.services.attribution.jobs import attribution_follow
from journal.services.book.corrections import settlements_follow
from journal.services.book.settlement import settlements_book_loaded
from journal.services.book.trades import account_revalue

NO_MARKET = "There is no market data yet. Load a chain on the Data page, then value again."


@job_handler(VALUE_ACCOUNT)
def value_account(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Value every open trade of the account on the newest snapshot; written only if nothing changed."""
    account = account_of_job(context.job)
    if int(context.job.input_revision) < account.book_revision:
        raise JobStaleError("A later change of the book replaced this request.")
    book = book_build(account)
    row = snapshot_for(simulated=account.is_demo)
    if row is None:
        raise JobError(NO_MARKET)
    market = snapshot_load(row)
    results = {}
    for number, trade in enumerate(book.trades):
        context.progress(number, len(book.trades), "valuing")
        results[trade.trade_id] = trade_result(trade, market)
    risk = account_result(book, value_book(book, market), market)

    def write() -> dict[str, Any]:
        current = Account.objects.select_for_update().get(pk=account.pk)
        if current.book_revision != book.revision:
            raise JobStaleError
        for trade_id, result in results.items():
            Valuation.objects.get_or_create(
                trade_id=trade_id,
                snapshot=row,
                book_revision=book.revision,
                defaults={"account": account, "as_of": row.as_of, "result": result},
            )
        AccountRisk.objects.get_or_create(
            account=account,
            snapshot=row,
            book_revision=book.revision,
            defaults={"as_of": row.as_of, "result": risk},
        )
        # The days that lie behind are explained by a job of their own.
        attribution_follow(account=account, nonce=row.content_hash[:16])
        return {"trades": len(results), "as_of": row.as_of.isoformat()}

    return write


@transaction.atomic
def accounts_revalue(*, simulated: bool = False) -> int:
    """Ask for a valuation of every open account on the newest snapshot; returns how many.

    The snapshot's hash is part of the job's key: the same data twice asks once.
    """
    settlements_follow()
    settlements_book_loaded()
    row = snapshot_for(simulated=simulated)
    if row is None:
        return 0
    accounts = Account.objects.filter(archived_at__isnull=True, is_demo=simulated, trades__status="open")
    count = 0
    for account in accounts.distinct():
        account_revalue(account=account, nonce=row.content_hash[:40])
        count += 1
    return count
