"""Valuing accounts: the worker's job, and a valuation as of any past moment on request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from hedging.engine.analysis import analyse_trade
from hedging.engine.book import Book, BookTrade
from hedging.engine.codec import to_json
from hedging.engine.market import MarketSnapshot as EngineSnapshot
from hedging.engine.scenarios import stress_test
from hedging.engine.structure import describe
from hedging.engine.valuation import BookValuation, TradeValuation, value_book, value_trade
from hedging.models import MarketSnapshot
from hedging.services.jobs import JobContext, JobError, JobStaleError, job_handler
from hedging.services.snapshots import snapshot_for, snapshot_load
from journal.models import Account, AccountRisk, Trade, Valuation
from journal.selectors.trades import book_build, book_trade, trade_position
from journal.services.attribution import attribution_follow
from journal.services.errors import RuleError
from journal.services.settlement import settlements_book_loaded
from journal.services.trades import VALUE_ACCOUNT, account_revalue

NO_MARKET = "There is no market data yet. Load a chain on the Data page, then value again."


@job_handler(VALUE_ACCOUNT)
def value_account(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Value every open trade of the account on the newest snapshot; written only if nothing changed."""
    account = Account.objects.filter(pk=account_of_scope(context.job.scope)).first()
    if account is None:
        raise JobError("The account is gone.")
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


def account_of_scope(scope: str) -> UUID:
    """The account id in ``account:<uuid>``."""
    return UUID(scope.removeprefix("account:"))


def trade_result(trade: BookTrade, market: EngineSnapshot) -> dict[str, Any]:
    """Valuation and analysis of a trade as JSON."""
    return {
        **to_json(value_trade(trade, market)),
        "analysis": to_json(analyse_trade(trade, market)),
        "structure": to_json(describe(trade.legs, trade.cash)),
        "market": market_summary(market),
    }


def market_summary(market: EngineSnapshot) -> dict[str, Any]:
    """What a result says about the market it stands on."""
    vix = market.levels.get("VIX")
    return {
        "as_of": market.as_of.isoformat(),
        "spot": market.spot,
        "vix": vix.value if vix else None,
        "flags": sorted(flag.value for flag in market.flags),
        "content_hash": market.content_hash,
        "snapshot": market.snapshot_id,
    }


def account_result(book: Book, valued: BookValuation, market: EngineSnapshot) -> dict[str, Any]:
    """Totals of the account with and without the hedge, margin and stressed loss, as JSON."""
    stress = stress_test(book.trades, market)
    loss, shock, unknown = stress.worst
    margins = [describe(trade.legs, trade.cash).margin for trade in book.trades if trade.legs]
    known = [margin for margin in margins if margin is not None]
    return {
        "condors": to_json(valued.condors),
        "hedges": to_json(valued.hedges),
        "layers": {str(layer): to_json(totals) for layer, totals in valued.layers.items()},
        "total": to_json(valued.total),
        "margin": sum(known),
        "margin_partial": len(known) < len(margins),
        "stressed_loss": loss,
        "stress": shock._asdict(),
        "stress_unknown": unknown,
        "coverage": stress.coverage,
        "open_trades": len(book.trades),
        "capital": book.capital,
        "market": market_summary(market),
    }


def valuation_as_of(*, trade: Trade, as_of: datetime | None) -> tuple[MarketSnapshot, dict[str, Any]]:
    """Value a trade as it was at ``as_of`` on the snapshot that spoke then; raises RuleError."""
    row = snapshot_for(as_of=as_of, simulated=trade.account.is_demo)
    if row is None:
        raise RuleError("No market data is loaded for that time.", "as_of")
    position = trade_position(trade, until=as_of)
    if not position.legs:
        raise RuleError("The trade had no open legs at that time.", "as_of")
    return row, trade_result(book_trade(trade, position), snapshot_load(row))


def valued_now(trade: Trade, market: EngineSnapshot) -> TradeValuation:
    """A trade's valuation on a snapshot, for callers that hold one already."""
    return value_trade(book_trade(trade, trade_position(trade)), market)


@transaction.atomic
def accounts_revalue(*, simulated: bool = False) -> int:
    """Ask for a valuation of every open account on the newest snapshot; returns how many.

    The snapshot's hash is part of the job's key: the same data twice asks once.
    """
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
