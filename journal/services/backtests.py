"""Asking for backtests and keeping their figures; many parameter sets go to the workers in parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any

from django.db import transaction

from hedging.engine.backtest.figures import path_of
from hedging.engine.backtest.types import BacktestError, Core, Costs, Exits, Hedge, Settings
from hedging.engine.canonical import plain_hash
from hedging.engine.rulesets.document import ruleset_document, ruleset_from
from hedging.engine.rulesets.presets import preset
from hedging.engine.rulesets.types import Ruleset, RulesetError
from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_cancel, job_request, job_retry
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.selectors.history import history_revision, market_history
from hedging.services.backtest import VERSION, backtest_key, backtests_on, settings_for, settings_json
from journal.errors import RuleError
from journal.job_kinds import BACKTEST, BACKTEST_PART
from journal.models import Account, BacktestPart, BacktestRun, User
from journal.services.audit import audit_record

#: Sets a job computes: long enough to be worth a job, short enough to share and to lose.
PORTION = 10
MOST_SETS = 1000
_OPEN = (Job.State.QUEUED, Job.State.RUNNING)


def settings_of(stored: dict[str, Any]) -> Settings:
    """Settings as they were stored."""
    return Settings(**{
        **stored, "first": date.fromisoformat(stored["first"]), "last": date.fromisoformat(stored["last"]),
        "hedge": Hedge(stored["hedge"]), "exits": Exits(stored["exits"]), "core": Core(stored["core"]),
        "costs": Costs(**stored["costs"]),
    })  # fmt: skip


@transaction.atomic
def backtest_request(
    *,
    user: User,
    account: Account,
    ruleset: Ruleset,
    settings: Settings,
    grid: dict[str, list[Any]] | None = None,
) -> BacktestRun:
    """The account's run of these rules and settings, made and queued if new.

    ``grid`` gives several values to some parameters; every combination is one set. Raises RuleError for
    one that makes no valid ruleset, or more sets than may be asked for.
    """
    sets = sets_of(ruleset, grid or {})
    settings = settings_for(ruleset, settings)
    key = backtest_key(ruleset=ruleset, settings=settings, revision=history_revision())
    if sets:
        key = plain_hash([key, sets, VERSION])
    run, made = BacktestRun.objects.get_or_create(
        account=account, key=key,
        defaults={
            "title": ruleset.title, "document": ruleset_document(ruleset), "created_by": user,
            "settings": settings_json(settings), "sets": sets,
        },
    )  # fmt: skip
    if made:
        for first in range(0, len(sets), PORTION) if sets else (None,):
            job_request(
                kind=BACKTEST if first is None else BACKTEST_PART, scope=account_scope(account.pk),
                as_of=str(run.pk),
                input_revision="" if first is None else str(first), requested_by=str(user.public_id),
                payload={"run": str(run.pk), "first": first}, max_attempts=3,
            )  # fmt: skip
        audit_record(
            actor=user, action="backtest.request", account=account, obj=run, summary=str(run)[:200],
            changes={"sets": len(sets) or 1},
        )  # fmt: skip
    return run


def sets_of(ruleset: Ruleset, grid: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Every combination of the grid's values; each must make a valid ruleset."""
    unknown = [key for key in grid if key not in ruleset.parameters]
    if unknown:
        raise RuleError(f"{unknown[0]} is no parameter of a ruleset.", "grid")
    total = 1
    for values in grid.values():
        total *= len(values)
    if not grid:
        return []
    if not 1 <= total <= MOST_SETS:
        raise RuleError(f"The values make {total:,} sets; at most {MOST_SETS:,} and at least one.", "grid")
    found = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    for one in found:
        try:
            changed(ruleset, one)
        except RulesetError as error:
            raise RuleError(error.problems[0], "grid") from None
    return found


def changed(ruleset: Ruleset, values: dict[str, Any]) -> Ruleset:
    """The ruleset with some parameters set to a figure. Raises RulesetError."""
    document = ruleset_document(ruleset)
    for key, value in values.items():
        entry = document["parameters"][key]
        entry["base"] = value
        entry.pop("policy", None)
    return ruleset_from(document, find=preset)


@transaction.atomic
def backtest_cancel(*, run: BacktestRun) -> None:
    """Stop what is queued or running; parts already computed stay."""
    for job in run.jobs.filter(state__in=_OPEN):
        job_cancel(job=job)


@transaction.atomic
def backtest_resume(*, run: BacktestRun) -> None:
    """Queue again what was cancelled or failed."""
    for job in run.jobs.filter(state__in=(Job.State.DEAD, Job.State.CANCELLED)):
        job_retry(job=job)


@transaction.atomic
def backtest_delete(*, user: User, run: BacktestRun) -> None:
    """Forget a run with its figures and stop its jobs."""
    backtest_cancel(run=run)
    audit_record(actor=user, action="backtest.delete", account=run.account, obj=run, summary=str(run)[:200])
    run.delete()


def _run_of(context: JobContext) -> BacktestRun:
    run = BacktestRun.objects.select_related("account").filter(pk=context.job.payload["run"]).first()
    if run is None:
        raise JobError("This backtest was deleted.")
    return run


@job_handler(BACKTEST)
def compute(context: JobContext) -> Callable[[], None]:
    """One run with everything its page shows."""
    run = _run_of(context)
    context.progress(0, 0, "reading the history")
    try:
        ruleset = ruleset_from(run.document, find=preset)
        tests = backtests_on(market_history(simulated=run.account.is_demo))
        context.progress(0, 0, "trading the sessions")
        report = tests.report(ruleset, settings_of(run.settings), context.progress)
    except (BacktestError, RulesetError) as error:
        raise JobError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None

    def write() -> None:
        BacktestRun.objects.filter(pk=run.pk).update(result=report)

    return write


@job_handler(BACKTEST_PART)
def compute_part(context: JobContext) -> Callable[[], None]:
    """The next sets of a run, a few figures each."""
    run, first = _run_of(context), int(context.job.payload["first"])
    sets = run.sets[first : first + PORTION]
    began = time.process_time()
    try:
        ruleset = ruleset_from(run.document, find=preset)
        settings = settings_of(run.settings)
        context.progress(0, len(sets), "reading the history")
        tests = backtests_on(market_history(simulated=run.account.is_demo))
        figures = []
        for number, values in enumerate(sets):
            context.progress(number, len(sets), "trading the sets")
            result = tests.run(changed(ruleset, values), settings, lambda _done, _total: context.check())
            path = path_of(result.days, result.equity, settings.capital)
            bare = path_of(result.days, result.bare_equity, settings.capital)
            figures.append(
                {
                    "values": values, "final": path.final, "annual_return": path.annual_return,
                    "max_drawdown": path.max_drawdown, "bare_drawdown": bare.max_drawdown,
                    "hedge_pnl": float(result.hedge_pnl.sum()), "trades": len(result.trades),
                }
            )  # fmt: skip
    except BacktestError as error:
        raise JobError(str(error)) from None
    seconds = time.process_time() - began

    def write() -> None:
        if BacktestRun.objects.filter(pk=run.pk).exists():
            BacktestPart.objects.update_or_create(
                run=run, first=first, defaults={"figures": figures, "seconds": seconds}
            )

    return write
