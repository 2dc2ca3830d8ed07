"""The backtest a changed ruleset stands on: both versions replayed over the stored history (GOV-4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.db import transaction

from hedging.engine.backtest.types import BacktestError, Settings
from hedging.engine.history.series import MarketHistory, to_date
from hedging.engine.policy.replay import ReplayDay
from hedging.engine.rulesets.types import Ruleset
from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.selectors.history import market_history
from hedging.services.backtest import backtests_on
from hedging.services.replay import replay_history
from journal.errors import RuleError
from journal.job_kinds import EVIDENCE
from journal.models import RulesetVersion, User
from journal.selectors.governance.rules import ruleset_active, ruleset_of
from journal.services.audit import audit_record

FIRST = date(2007, 1, 3)  # VX settlements carry a curve from here on


def evidence_request(*, user: User, version: RulesetVersion, again: str = "") -> Job:
    """Ask for the replay of a draft and of the rules in force. Raises RuleError for another state."""
    if version.status != RulesetVersion.Status.DRAFT:
        raise RuleError("Only a draft takes new evidence.")
    job, _ = job_request(
        kind=EVIDENCE, scope=account_scope(version.account_id), ruleset_version=version.content_hash[:40],
        input_revision=again[:24], payload={"version": str(version.pk), "by": user.get_username()},
        requested_by=str(user.public_id),
    )  # fmt: skip
    return job


@job_handler(EVIDENCE)
def replay_versions(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Replay both versions and write what they said and how often onto the draft."""
    version = RulesetVersion.objects.select_related("account").get(pk=context.job.payload["version"])
    history = market_history(simulated=version.account.is_demo)
    sessions = [to_date(day) for day in history.sessions_until(date.max, FIRST)]
    if not sessions:
        raise JobError("No market history is stored: load it on the Data page.")
    active = ruleset_active(version.account)
    named = [("draft", ruleset_of(version))] + ([("active", ruleset_of(active))] if active else [])
    found: dict[str, Any] = {"kind": "replay", "history": history.revision}
    for at, (name, ruleset) in enumerate(named):
        days = list(_replayed(context, history, ruleset, sessions, at, len(named)))
        if not days:
            raise JobError("The stored history has no day with closes of SPX and VIX.")
        found[name] = {"ruleset": ruleset.hash} | summary(days)
        found.setdefault("money", {})[name] = _money(history, ruleset, days[0].day, days[-1].day)

    def write() -> dict[str, Any]:
        with transaction.atomic():
            RulesetVersion.objects.filter(pk=version.pk).update(evidence=found)
            audit_record(
                actor=None, action="ruleset.evidence", account=version.account, obj=version,
                summary=version.title, changes={"by": context.job.payload["by"]},
            )  # fmt: skip
        return found

    return write


def _money(history: MarketHistory, ruleset: Ruleset, first: date, last: date) -> dict[str, Any] | None:
    """What the version earned and cost over the replay in dollars; None where it cannot be simulated."""
    try:
        report = backtests_on(history).report(ruleset, Settings(first, last))
    except BacktestError:
        return None
    hedge = report["hedge"]
    return {
        "final": report["account"]["final"], "annual_return": report["account"]["annual_return"],
        "max_drawdown": report["account"]["max_drawdown"],
        "bare_drawdown": report["bare"]["max_drawdown"], "hedge_pnl": hedge["pnl"] if hedge else None,
        "claims": {one["key"]: one["verdict"] for one in report["claims"]},
    }  # fmt: skip


def _replayed(
    context: JobContext, history: MarketHistory, ruleset: Ruleset, sessions: list[date], at: int, of: int
) -> Iterable[ReplayDay]:
    days = replay_history(history=history, ruleset=ruleset, first=sessions[0], last=sessions[-1])
    for number, (day, _) in enumerate(days):
        context.progress(at * len(sessions) + number, of * len(sessions), f"replaying {day.day}")
        yield day


def summary(days: list[ReplayDay]) -> dict[str, Any]:
    """Counts over the replay: sessions, actions, refusals, regimes, days each layer was wanted and held."""
    layers = [
        {
            "layer": number + 1,
            "open_days": sum(day.layers[number][0].value == "yes" for day in days),
            "wanted_days": sum(day.layers[number][1] > 0 for day in days),
            "held_days": sum(day.layers[number][2] > 0 for day in days),
        }
        for number in range(len(days[0].layers))
    ]
    return {
        "from": days[0].day.isoformat(),
        "to": days[-1].day.isoformat(),
        "sessions": len(days),
        "actions": dict(Counter(action for day in days for action in day.actions).most_common()),
        "refused": dict(Counter(action for day in days for action in day.refused).most_common()),
        "regimes": dict(Counter(day.regime for day in days).most_common()),
        "layers": layers,
    }
