"""What the tenancy tests must know of the risk desk."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from journal.models import BreachCase, Measure, RiskGroup, RiskLimit
from tests.journal.people import People

#: Pages of the desk alone: to everybody else they do not exist.
RISK = {
    "risk", "risk_firm", "risk_cell", "risk_csv", "risk_xlsx", "risk_cases", "risk_case", "risk_acknowledge",
    "risk_assign", "risk_comment", "risk_limits", "risk_limit_approve", "risk_limit_refuse", "risk_limit_end",
    "risk_groups", "risk_group", "risk_operations", "risk_audit", "risk_account", "risk_retry_job",
}  # fmt: skip
POST_ONLY = {
    "risk_retry_job", "risk_acknowledge", "risk_assign", "risk_comment", "risk_limit_approve",
    "risk_limit_refuse", "risk_limit_end",
}  # fmt: skip


def risk_ids(people: People) -> dict[str, Any]:
    """Objects of the desk by the first parts of their routes; a breach of the owner's account."""
    case = BreachCase.objects.create(
        account=people.account, measure=Measure.FALL, severity=BreachCase.Severity.HARD,
        limit=20.0, value=24.0, last_value=24.0, opened_at=timezone.now(),
    )  # fmt: skip
    group = RiskGroup.objects.create(name="All")
    limit = RiskLimit.objects.create(
        measure=Measure.FALL, hard=20.0, state=RiskLimit.State.PROPOSED, reason="to be tried here"
    )
    return {
        "risk/cases": case.pk, "risk/groups": group.pk, "risk/limits": limit.pk, "risk": people.account.pk,
        "breaches": case.pk,
    }  # fmt: skip
