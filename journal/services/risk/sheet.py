"""The risk sheet: a worker's look at every account at once, stored for the pages, with the cases it opens."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import Count, Max, Sum
from django.utils import timezone

from hedging.engine.money import to_cents
from hedging.engine.pricing.firm import FirmRisk, firm_risk
from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import history_scope
from hedging.models import Job, MarketSnapshot
from hedging.selectors.calendar import session_date
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.job_kinds import RISK_SHEET
from journal.models import (
    Account,
    AttributionDay,
    AuditEvent,
    CashEntry,
    Fill,
    Recommendation,
    RiskLimit,
    RiskRow,
    RiskSheet,
)
from journal.selectors.governance.discipline import GUARDRAIL_OVERRIDE
from journal.selectors.risk.books import FirmBooks, firm_books
from journal.selectors.risk.console import sheet_age
from journal.selectors.risk.limits import breaches, limit_book
from journal.selectors.risk.standing import Standing, standings
from journal.services.risk.cases import cases_follow
from journal.services.risk.firm import firm_figures

#: Sheets of earlier moments of a day go after so many days; the last of each day stays for the charts.
KEEP_INTRADAY = timedelta(days=5)
_OVERRIDES = timedelta(days=30)
_GREEKS = {"delta": 0, "gamma": 1, "theta": 2, "vega": 3}
_BATCH = 500


def sheet_request(*, simulated: bool) -> Job | None:
    """Ask for a sheet of what is new: market, books, ledger, attribution or limits; None without a market."""
    row = snapshot_for(simulated=simulated)
    if row is None or not Account.objects.filter(archived_at__isnull=True, is_demo=simulated).exists():
        return None
    job, _ = job_request(
        kind=RISK_SHEET, scope=history_scope(simulated=simulated), as_of=row.content_hash[:40],
        input_revision=_inputs(simulated), payload={"simulated": simulated},
    )  # fmt: skip
    return job


def _inputs(simulated: bool) -> str:
    accounts = Account.objects.filter(archived_at__isnull=True, is_demo=simulated)
    days = AttributionDay.objects.filter(account__is_demo=simulated)
    parts = [
        session_date(timezone.now()),
        accounts.aggregate(n=Count("pk"), r=Sum("book_revision"), at=Max("updated_at")),
        CashEntry.objects.filter(account__is_demo=simulated).aggregate(n=Count("pk"), at=Max("created_at")),
        days.aggregate(n=Count("pk"), at=Max("created_at")),
        RiskLimit.objects.aggregate(n=Count("pk"), a=Max("in_force_at"), b=Max("ended_at")),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@job_handler(RISK_SHEET)
def make_sheet(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Value every account on the newest snapshot; rows, the firm's figures and cases are stored at once."""
    began = time.monotonic()
    simulated = bool(context.job.payload["simulated"])
    row = snapshot_for(simulated=simulated)
    if row is None:
        raise JobError("There is no market data yet.")
    market = snapshot_load(row)
    books = firm_books(simulated=simulated)
    context.progress(1, 4, "valuing all accounts")
    found = firm_risk(books.book, market)
    context.progress(2, 4, "equity and drawdown")
    today = session_date(timezone.now())
    money = standings(books.accounts, today)
    context.progress(3, 4, "the firm's picture")
    figures = firm_figures(books=books, found=found, market=market, money=money)

    def write() -> dict[str, Any]:
        sheet, made = RiskSheet.objects.get_or_create(
            simulated=simulated, content_key=_content_key(row, books, today, context.job.input_revision),
            defaults={
                "as_of": row.as_of, "day": session_date(row.as_of), "market_hash": row.content_hash,
                "accounts": len(books.accounts), "figures": figures, "seconds": time.monotonic() - began,
            },
        )  # fmt: skip
        if not made:
            return {"sheet": sheet.pk}
        rows = _rows(sheet, books, found, money)
        limits = limit_book()
        broken = {
            one.account_id: breaches(one, limits.limits(account))
            for one, account in zip(rows, books.accounts, strict=True)
        }
        for one in rows:
            one.breaches = len(broken[one.account_id])
            one.severity = max((b.severity for b in broken[one.account_id]), default=0)
        RiskRow.objects.bulk_create(rows, batch_size=_BATCH)
        opened, closed = cases_follow(rows=rows, found=broken)
        _forget(simulated)
        return {"sheet": sheet.pk, "accounts": len(rows), "opened": opened, "closed": closed}

    return write


def _content_key(row: MarketSnapshot, books: FirmBooks, today: date, inputs: str) -> str:
    parts = [row.content_hash, str(today), inputs, *(f"{a.pk}{a.book_revision}" for a in books.accounts)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _rows(sheet: RiskSheet, books: FirmBooks, found: FirmRisk, money: Sequence[Standing]) -> list[RiskRow]:
    age = sheet_age(sheet)
    counts = _Counts.read()
    return [_row(sheet, i, account, found, money[i], counts, age) for i, account in enumerate(books.accounts)]


class _Counts:
    """Per account: recommendations that wait, overrides of 30 days, the last fill recorded."""

    def __init__(self, waiting: Mapping[Any, int], overrides: Mapping[Any, int], last: Mapping[Any, Any]):
        self.waiting, self.overrides, self.last = waiting, overrides, last

    @classmethod
    def read(cls) -> _Counts:
        """Three queries for all accounts."""
        waiting = Recommendation.objects.filter(state=Recommendation.State.NEW).order_by().values("account")
        since = timezone.now() - _OVERRIDES
        overridden = AuditEvent.objects.filter(at__gte=since, action=GUARDRAIL_OVERRIDE).order_by()
        last = Fill.objects.order_by().values("account").annotate(at=Max("created_at"))
        return cls(
            dict(waiting.annotate(n=Count("pk")).values_list("account", "n")),
            dict(overridden.values("account_id").annotate(n=Count("pk")).values_list("account_id", "n")),
            dict(last.values_list("account", "at")),
        )


def _row(
    sheet: RiskSheet, i: int, account: Account, found: FirmRisk, money: Standing, counts: _Counts, age: int
) -> RiskRow:
    capital = float(account.base_capital)
    open_pnl = _known(found.open_pnl[i])
    cents = None if open_pnl is None else to_cents(Decimal(str(open_pnl)))
    greeks = found.values.greeks[i]
    expiry = int(found.worst_expiry[i])

    def share(value: float) -> float | None:
        known = _known(value)
        return None if known is None else known / capital * 100

    return RiskRow(
        sheet=sheet,
        account_id=account.pk,
        book_revision=account.book_revision,
        capital=account.base_capital,
        open_pnl=cents,
        net_liq=None if cents is None else money.equity_before + cents,
        day_pnl=money.day_pnl,
        month_pnl=money.month_pnl,
        drawdown_pct=None if money.drawdown is None else money.drawdown * 100,
        margin=_known(found.margin[i]),
        margin_pct=share(found.margin[i]),
        unmargined=int(found.unmargined[i]),
        portfolio_margin=_known(found.portfolio_margin[i]),
        fall_loss=_known(found.fall_loss[i]),
        fall_pct=share(found.fall_loss[i]),
        rally_loss=_known(found.rally_loss[i]),
        rally_pct=share(found.rally_loss[i]),
        trade_loss_pct=share(found.trade_loss[i]),
        coverage_pct=_percent(found.coverage[i]),
        nothing_to_cover=bool(np.isinf(found.coverage[i])),
        spx_delta=greeks[0, _GREEKS["delta"]],
        spx_gamma=greeks[0, _GREEKS["gamma"]],
        spx_vega=greeks[0, _GREEKS["vega"]],
        vx_delta=greeks[1, _GREEKS["delta"]],
        vx_vega=greeks[1, _GREEKS["vega"]],
        theta=float(found.values.theta[i]),
        worst_expiry=date.fromordinal(expiry) if expiry else None,
        expiry_loss_pct=share(found.expiry_loss[i]),
        expiry_share_pct=_percent(found.expiry_share[i]),
        worst_strike=_known(found.worst_strike[i]),
        strike_share_pct=_percent(found.strike_share[i]),
        open_trades=int(found.open_trades[i]),
        unknown_legs=int(max(found.values.unknown[i], found.unmoved[i])),
        mark_age_days=age,
        waiting=counts.waiting.get(account.pk, 0),
        overrides=counts.overrides.get(str(account.pk), 0),
        last_activity=counts.last.get(account.pk),
        breaches=0,
        severity=0,
        grid=found.grid[i].astype("<f4").tobytes(),
    )


def _known(value: float) -> float | None:
    """A figure to the millionth of a dollar, None where it is unknown or without bound."""
    return round(float(value), 6) if np.isfinite(value) else None


def _percent(value: float) -> float | None:
    known = _known(value)
    return None if known is None else known * 100


def _forget(simulated: bool) -> None:
    """Remove sheets that no page needs: of days past, all but the last."""
    old = RiskSheet.objects.filter(simulated=simulated, created_at__lt=timezone.now() - KEEP_INTRADAY)
    keep = old.order_by().values("day").annotate(newest=Max("pk")).values_list("newest", flat=True)
    old.exclude(pk__in=list(keep)).delete()
