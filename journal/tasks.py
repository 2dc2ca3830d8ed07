"""Scheduled tasks of the journal: interfaces that call a service."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from journal.services.attribution.batch import day_request
from journal.services.attribution.jobs import last_closed_session
from journal.services.attribution.residuals import residuals_follow
from journal.services.governance.advice import accounts_advise
from journal.services.governance.approvals import changes_apply
from journal.services.governance.outcomes import outcomes_update
from journal.services.governance.recommendations import recommendations_expire, recommendations_wake
from journal.services.governance.rulesets import rulesets_activate
from journal.services.imports.discard import imports_purge
from journal.services.own_data.erasure import deletions_due
from journal.services.reports.schedules import reports_due
from journal.services.risk.cases import cases_escalate
from journal.services.risk.sheet import sheet_request
from journal.services.signals import account_signals_request
from journal.services.valuation import accounts_revalue


@shared_task(name="journal.revalue", ignore_result=True)
def revalue() -> None:
    """Ask for valuations, signals and the risk sheet on what is new; hashes in their keys make it once."""
    accounts_revalue()
    accounts_revalue(simulated=True)
    for simulated in (False, True):
        account_signals_request(simulated=simulated)
        day_request(day=last_closed_session(), simulated=simulated)
        sheet_request(simulated=simulated)
    cases_escalate()


@shared_task(name="journal.advise", ignore_result=True)
def advise() -> None:
    """Put due rules and signers in force, expire or wake what waits, ask for advice, call out residuals."""
    now = timezone.now()
    rulesets_activate(now=now)
    changes_apply(now=now)
    recommendations_expire(now=now)
    recommendations_wake(now=now)
    for simulated in (False, True):
        accounts_advise(simulated=simulated)
        outcomes_update(simulated=simulated)
    residuals_follow(day=last_closed_session())


@shared_task(name="journal.delete_due", ignore_result=True)
def delete_due() -> None:
    """Delete the logins whose grace period is over, and imports that were discarded long enough ago."""
    deletions_due()
    imports_purge(now=timezone.now())


@shared_task(name="journal.reports_due", ignore_result=True)
def ask_reports() -> None:
    """Ask for the scheduled reports of every period that is over."""
    reports_due(now=timezone.now())


@worker_ready.connect
def first_round(**_: Any) -> None:
    """A worker that took its place asks at once for what the schedule would ask for within a minute."""
    revalue.delay()
    advise.delay()
