"""Advice end to end on the simulated market: asked, computed, shown, decided, its outcome valued later."""

from __future__ import annotations

import copy
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from hedging.jobs.engine import job_run
from hedging.models import Job
from hedging.services.snapshots.snapshots import snapshot_for
from journal.job_kinds import ADVISE
from journal.models import Account, AdviceRun, Alert, Outcome, Recommendation, RulesetVersion
from journal.services.demo import demo_remove
from journal.services.governance.advice import account_advise, accounts_advise
from journal.services.governance.evidence import evidence_request
from journal.services.governance.outcomes import Prices, outcomes_update, proposal_result
from journal.services.governance.recommendations import recommendation_override
from journal.services.governance.rulesets import ruleset_draft, ruleset_ensure, ruleset_propose, ruleset_sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(demo_account: Account) -> Account:
    return demo_account


def test_advice_is_asked_once_shown_and_decided(account: Account) -> None:
    user = account.members.get()
    first, again = account_advise(account=account), account_advise(account=account)
    assert first is not None
    assert again is not None
    assert first.pk == again.pk
    assert accounts_advise(simulated=True) == 1
    assert Job.objects.filter(kind=ADVISE).count() == 1
    client = Client()
    client.force_login(user)
    fragment = f"/jobs/{first.pk}/"
    assert "HX-Refresh" not in client.get(fragment, headers={"HX-Request": "true"}).headers
    assert job_run(first.pk) == Job.State.DONE
    assert client.get(fragment, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    run = AdviceRun.objects.get()
    rows = list(run.recommendations.order_by("ordinal"))
    assert [row.title for row in rows] == [p["title"] for p in run.advice["proposals"]]
    assert run.content_hash == run.advice["hash"]

    page = client.get("/hedge/").content.decode()
    for text in ("Layer ladder", "Recommendations", "How the rules got there", rows[0].title):
        assert text in page
    for row in rows:
        assert client.get(f"/recommendations/{row.pk}/").status_code == 200
    decided = rows[0] if rows[0].state == "new" else None
    if decided is not None:
        answer = client.post(
            f"/recommendations/{decided.pk}/override/", {"reason_code": "", "reason": "short"}
        )
        assert answer.status_code == 200
        assert "at least 10 characters" in answer.content.decode()
        sent = {"content_hash": decided.content_hash}
        page = client.post(f"/recommendations/{decided.pk}/sign/", sent, follow=True).content.decode()
        assert "approved" in page
        assert Alert.objects.filter(kind="recommendation").exists()
    assert client.get("/discipline/").status_code == 200


def test_outcomes_value_the_orders_at_their_limits(account: Account) -> None:
    user = account.members.get()
    job = account_advise(account=account)
    assert job is not None
    job_run(job.pk)
    run = AdviceRun.objects.get()
    row = snapshot_for(simulated=True)
    assert row is not None
    ordered = [r for r in run.recommendations.all() if r.proposal["orders"]]
    for recommendation in ordered:
        found = proposal_result(recommendation.proposal, Prices(row, simulated=True), Decimal(0))
        assert found.pnl is not None, found.reason
        assert not found.is_final
        legs = [leg for order in recommendation.proposal["orders"] for leg in order["legs"]]
        contracts = sum(abs(leg["quantity"]) for leg in legs)
        # bought at the limit and valued on the same market: the distance from mid to limit, no more
        assert abs(found.pnl) <= Decimal(100 * contracts)
        recommendation_override(
            user=user, recommendation=recommendation, reason_code="view", reason="I wait for another day."
        )
    assert outcomes_update(simulated=True) == 0  # no newer market than the advice's own
    assert not Outcome.objects.exists()
    assert Recommendation.objects.filter(state="overridden").count() == len(ordered)


def test_a_changed_ruleset_is_backtested_proposed_and_signed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a short history: the replay itself has tests of its own
    monkeypatch.setattr(
        "journal.services.governance.evidence.FIRST", timezone.localdate() - timedelta(days=60)
    )
    user = account.members.get()
    active = ruleset_ensure(account=account)
    document = copy.deepcopy(active.document)
    document["parameters"]["signals.rsi_spx_low"]["base"] = 30.0
    version = ruleset_draft(user=user, account=account, document=document, parent=active, reason="try it")
    job = evidence_request(user=user, version=version)
    assert job_run(job.pk) == Job.State.DONE, Job.objects.get(pk=job.pk).error
    version.refresh_from_db()
    assert version.evidence is not None
    assert version.evidence["draft"]["sessions"] == version.evidence["active"]["sessions"] > 30
    assert version.evidence["active"]["ruleset"] == active.content_hash
    ruleset_propose(user=user, version=version)
    done = ruleset_sign(user=user, version=version, content_hash=version.content_hash)
    assert done.status == "active"
    client = Client()
    client.force_login(user)
    assert "This version" in client.get(f"/rules/{version.pk}/").content.decode()


def test_a_demo_with_advice_and_decisions_is_removed_without_a_trace(account: Account) -> None:
    user = account.members.get()
    job = account_advise(account=account)
    assert job is not None
    job_run(job.pk)
    row = Recommendation.objects.filter(state="new").first()
    if row is not None:
        recommendation_override(
            user=user, recommendation=row, reason_code="view", reason="I wait for another day."
        )
    demo_remove(user=user)
    for model in (Account, AdviceRun, Recommendation, Alert, RulesetVersion, Job):
        assert not model.objects.exists(), model
