"""What the tenancy tests must know of rules, recommendations and alerts."""

from __future__ import annotations

from typing import Any

from journal.models import AlertChannel, ApprovalChange, Membership, Recommendation
from journal.services.governance.rulesets import ruleset_ensure
from tests.journal.governance.cases import stored
from tests.journal.people import People

POST_ONLY = {
    "member_remove", "rules_evidence", "rules_propose", "rules_sign", "rules_withdraw", "alerts_seen",
    "alerts_channel_add", "alerts_channel_remove", "advise", "recommendation_sign",
    "recommendation_override", "recommendation_snooze", "recommendation_execute", "trade_close_preview",
    "trade_roll_preview", "approvals_sign", "approvals_withdraw",
}  # fmt: skip
#: What a member who may only read is refused.
WRITES = POST_ONLY - {"alerts_channel_add"} | {"rules_new", "trade_roll"}


def governance_ids(people: People) -> dict[str, Any]:
    """The owner's objects by the first part of their routes."""
    change = ApprovalChange.objects.create(
        account=people.account, kind="rule", summary="1 of 1 signers", content_hash="0" * 64,
        terms={"needed": 1, "delay_hours": 0}, created_by=people.owner,
    )  # fmt: skip
    channel = AlertChannel.objects.create(
        account=people.account, user=people.owner, kind="email", target="a@example.org"
    )
    stored(people.account)
    viewer = Membership.objects.get(account=people.account, user=people.teammate)
    return {
        "membership": viewer.pk,
        "recommendations": Recommendation.objects.get(account=people.account).pk,
        "rules": ruleset_ensure(account=people.account).pk,
        "channels": channel.pk,
        "approvals": change.pk,
        "approval-changes": change.pk,
    }
