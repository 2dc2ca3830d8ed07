"""Advice for accounts: asked for on demand and on fresh data, computed by a worker, stored with alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import transaction

from hedging.engine.policy.context import AccountFacts
from hedging.engine.policy.types import Advice, Procedure
from hedging.engine.rulesets.types import RulesetError
from hedging.jobs.context import JobContext, JobError, JobStaleError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.selectors.calendar import NEW_YORK, closes_at, previous_session, session_on_or_before
from hedging.services.advice import NoMarketError, advice_on
from hedging.services.snapshots.snapshots import snapshot_for
from journal.job_kinds import ADVISE
from journal.models import Account, Alert, Recommendation, User
from journal.selectors.book.trades import book_build
from journal.selectors.cash.ledger import bucket_balance
from journal.selectors.cash.liquidity import account_funds
from journal.selectors.governance.limits import trade_size_stated
from journal.selectors.governance.rules import ruleset_of
from journal.selectors.jobs import account_of_job
from journal.services.alerts.alerts import AlertFinding, alerts_update
from journal.services.governance.recommendations import advice_store, waiting_finding
from journal.services.governance.rulesets import ruleset_ensure

_OF_TRADES = {
    "profit": Alert.Kind.PROFIT,
    "expiry": Alert.Kind.DTE,
    "touched": Alert.Kind.SHORT_STRIKE,
    "move": Alert.Kind.MOVE,
}
_KINDS = (*_OF_TRADES.values(), Alert.Kind.TRIGGER, Alert.Kind.RECOMMENDATION, Alert.Kind.STRESS)
_CALM = {"quiet", "unknown", "watching"}
_PERCENT = 100.0


@transaction.atomic
def account_advise(*, account: Account, user: User | None = None, again: str = "") -> Job | None:
    """Ask for advice on the newest snapshot; None without market data.

    The same snapshot, rules and book are one job; ``again`` (a form's token) asks anew.
    """
    row = snapshot_for(simulated=account.is_demo)
    if row is None:
        return None
    version = ruleset_ensure(account=account)
    account.refresh_from_db(fields=["book_revision"])
    job, _ = job_request(
        kind=ADVISE, scope=account_scope(account.pk), as_of=f"{row.content_hash[:32]}{again[:24]}",
        ruleset_version=version.content_hash[:40], input_revision=str(account.book_revision),
        requested_by=str(user.public_id) if user else "",
    )  # fmt: skip
    return job


def accounts_advise(*, simulated: bool = False) -> int:
    """Ask for advice of every open account whose inputs changed; returns how many were looked at."""
    accounts = Account.objects.filter(archived_at__isnull=True, is_demo=simulated)
    return sum(account_advise(account=account) is not None for account in accounts)


@job_handler(ADVISE)
def advise_account(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Compute advice at the newest snapshot; stored only if the book is still the same."""
    account = account_of_job(context.job)
    if int(context.job.input_revision) < account.book_revision:
        raise JobStaleError("A later change of the book replaced this request.")
    version = ruleset_ensure(account=account)
    row = snapshot_for(simulated=account.is_demo)
    if row is None:
        raise JobError("There is no market data yet. Load a chain or index history on the Data page.")
    context.progress(0, 2, "reading signals")
    local = row.as_of.astimezone(NEW_YORK).date()
    session = session_on_or_before(local)
    if row.as_of < closes_at(session):  # signals speak for closed sessions only
        session = previous_session(session)
    book = book_build(account)
    try:
        advice = advice_on(
            book=book, ruleset=ruleset_of(version), row=row, session=session, simulated=account.is_demo,
            facts=account_facts(account, local),
        )  # fmt: skip
    except NoMarketError as error:
        raise JobError(str(error)) from None
    except RulesetError as error:
        raise JobError(
            "The active rules are older than the product. Store and sign a new version on the Rules page: "
            + "; ".join(error.problems[:5])
        ) from None
    context.progress(1, 2, "storing")

    def write() -> dict[str, Any]:
        current = Account.objects.select_for_update().get(pk=account.pk)
        if current.book_revision != book.revision:
            raise JobStaleError
        run = advice_store(account=current, ruleset=version, snapshot=row, advice=advice)
        alerts_update(account=current, kinds=_KINDS, findings=findings(current, advice))
        return {"run": str(run.pk), "proposals": len(advice.proposals), "binding": advice.binding}

    return write


def account_facts(account: Account, day: date) -> AccountFacts:
    """What the account states about itself at the end of a day: bucket, limits of its own, funds."""
    return AccountFacts(
        second_engine=float(bucket_balance(account, day)),
        margin_limit=float(account.max_margin_pct) / _PERCENT,
        funds=account_funds(account, day),
        trade_size=trade_size_stated(account),
    )


def findings(account: Account, advice: Advice) -> list[AlertFinding]:
    """What of the advice asks for attention: trades, fired triggers, waiting recommendations, limits."""
    found = [
        AlertFinding(_OF_TRADES[alert.key], f"{alert.key}:{alert.trade_id}", alert.message, alert.trade_id)
        for alert in advice.alerts
        if alert.key in _OF_TRADES
    ]
    for trace in advice.traces:
        if trace.procedure in {Procedure.COLLAPSE, Procedure.EXPANSION} and trace.state not in _CALM:
            words = f"{trace.procedure.value}: {trace.state}"
            found.append(AlertFinding(Alert.Kind.TRIGGER, f"trigger:{words}", words.capitalize()))
    for row in advice.ladder.rows:
        if row.layer > 1 and row.is_open.value == "yes":
            key = f"trigger:layer{row.layer}"
            found.append(AlertFinding(Alert.Kind.TRIGGER, key, f"The gate of layer {row.layer} is open"))
    waiting = Recommendation.objects.filter(account=account, state=Recommendation.State.NEW)
    found += [waiting_finding(one) for one in waiting]
    stressed = next((p.effects.before.scenario_loss for p in advice.proposals if p.effects), None)
    limit = float(account.max_stress_loss_pct) / _PERCENT * float(account.base_capital)
    if stressed is not None and stressed > limit:
        text = f"The stressed loss of ${stressed:,.0f} is above the limit of ${limit:,.0f}"
        found.append(AlertFinding(Alert.Kind.STRESS, "stress", text))
    return found
