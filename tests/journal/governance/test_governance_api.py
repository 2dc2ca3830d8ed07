"""Rules and recommendations over the API: drafts, signatures bound to content, overrides, strangers."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from hedging.engine.rulesets.document import ruleset_document
from hedging.engine.rulesets.presets import preset
from journal.models import Recommendation, RulesetVersion
from tests.journal.governance.cases import stored
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def client(user: object) -> APIClient:
    found = APIClient()
    found.force_authenticate(user)  # type: ignore[arg-type]
    return found


def test_a_recommendation_is_listed_signed_and_decided_once(people: People) -> None:
    stored(people.account)
    row = Recommendation.objects.get()
    owner = client(people.owner)
    listed = owner.get(f"/api/v1/recommendations/?account={people.account.pk}&state=new").json()
    assert [one["id"] for one in listed["results"]] == [str(row.pk)]
    assert listed["results"][0]["stale"] == []
    url = f"/api/v1/recommendations/{row.pk}"
    wrong = owner.post(f"{url}/sign/", {"content_hash": "0" * 64}, format="json")
    assert wrong.status_code == 409
    bad = owner.post(f"{url}/override/", {"reason_code": "view", "reason": "short"}, format="json")
    assert bad.status_code == 400
    signed = owner.post(f"{url}/sign/", {"content_hash": row.content_hash}, format="json")
    assert signed.json()["state"] == "approved"
    late = owner.post(f"{url}/snooze/", {"hours": 4}, format="json")
    assert late.status_code == 400
    assert "approved" in late.json()["detail"]
    advice = owner.get(f"/api/v1/accounts/{people.account.pk}/advice/").json()
    assert advice["advice"]["hash"] == advice["content_hash"]


def test_a_draft_names_every_wrong_place_and_needs_evidence(people: People) -> None:
    stored(people.account)
    owner = client(people.owner)
    document = ruleset_document(preset("seed-s3-30d-notional"))
    body = {"account": str(people.account.pk), "document": document, "reason": "another reading"}
    broken = {**document, "parameters": {**document["parameters"], "condor.dte": {"base": "soon"}}}
    refused = owner.post("/api/v1/rulesets/", {**body, "document": broken}, format="json")
    assert refused.status_code == 400
    assert "parameters.condor.dte.base" in str(refused.json())
    made = owner.post("/api/v1/rulesets/", body, format="json", headers={"Idempotency-Key": "k"})
    again = owner.post("/api/v1/rulesets/", body, format="json", headers={"Idempotency-Key": "k"})
    assert made.status_code == 201, made.json()
    assert again.json() == made.json()
    url = f"/api/v1/rulesets/{made.json()['id']}"
    assert "backtest" in str(owner.post(f"{url}/propose/").json())
    assert owner.post(f"{url}/evidence/").status_code == 202
    assert owner.post(f"{url}/withdraw/").json()["status"] == "withdrawn"
    assert RulesetVersion.objects.count() == 2


@pytest.mark.parametrize("path", ["sign", "override", "snooze", "execute"])
def test_readers_and_strangers_decide_nothing(people: People, path: str) -> None:
    stored(people.account)
    row = Recommendation.objects.get()
    body = {
        "content_hash": row.content_hash, "reason_code": "view", "reason": "long enough a reason", "hours": 1,
        "trade": str(row.pk),
    }  # fmt: skip
    for user in (people.teammate, people.stranger):
        answer = client(user).post(f"/api/v1/recommendations/{row.pk}/{path}/", body, format="json")
        assert answer.status_code == 404
    assert client(people.teammate).get(f"/api/v1/recommendations/{row.pk}/").status_code == 200
    assert client(people.stranger).get(f"/api/v1/recommendations/{row.pk}/").status_code == 404
    assert client(people.stranger).get(f"/api/v1/accounts/{people.account.pk}/advice/").status_code == 404
    row.refresh_from_db()
    assert row.state == "new"
