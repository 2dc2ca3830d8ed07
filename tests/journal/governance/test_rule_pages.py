"""Rules in the browser: presets, a draft with errors beside its parameters, difference, signing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from journal.forms.governance.rules import RulesetForm
from journal.models import RulesetVersion
from journal.selectors.governance.rules import ruleset_of
from journal.services.governance.rulesets import ruleset_ensure
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def client(people: People) -> Client:
    found = Client()
    found.force_login(people.owner)
    return found


def inputs(people: People, **changes: Any) -> dict[str, Any]:
    """The edit form as a browser sends it."""
    form = RulesetForm(ruleset=ruleset_of(ruleset_ensure(account=people.account)))
    values = {"reason": "Less stress is needed to act."}
    for name in form.fields:
        value = form[name].value()
        if value is not None and value is not False:
            values[name] = value
    return values | {key.replace("__", "."): value for key, value in changes.items()}


def test_a_draft_is_written_compared_and_refused_without_evidence(client: Client, people: People) -> None:
    page = client.get("/rules/")
    assert page.status_code == 200
    assert "seed-s4-credit-budget" in page.content.decode()
    url = f"/books/{people.account.pk}/rules/new/"
    assert "RSI of SPX" in client.get(url).content.decode()
    answer = client.post(url, inputs(people, signals__rsi_spx_low="30"))
    assert answer.status_code == 302, answer.content.decode()
    version = RulesetVersion.objects.get(status="draft")
    assert version.document["parameters"]["signals.rsi_spx_low"] | {"contradiction": ""} == {
        "base": 30.0, "source": "user", "requirement": "LAY-4", "contradiction": "",
    }  # fmt: skip
    assert version.document["parameters"]["signals.rsi_vix_low"]["source"] == "S0"
    text = client.get(answer.url).content.decode()
    assert "signals.rsi_spx_low" in text
    assert "30 [user LAY-4]" in text
    refused = client.post(f"/rules/{version.pk}/propose/", follow=True).content.decode()
    assert "Attach a backtest" in refused


def test_errors_stand_beside_their_parameter_and_keep_the_input(client: Client, people: People) -> None:
    url = f"/books/{people.account.pk}/rules/new/"
    sent = inputs(
        people, signals__rsi_spx_low="300", condor__short_delta="0.2", condor__long_delta="0.25", title="Mine"
    )
    answer = client.post(url, sent)
    form = answer.context["form"]
    assert answer.status_code == 200
    assert set(form.errors) == {"signals.rsi_spx_low"}
    assert 'value="300"' in answer.content.decode()
    second = client.post(url, sent | {"signals.rsi_spx_low": "30"}).context["form"]
    assert set(second.errors) == {"condor.long_delta"}
    assert not RulesetVersion.objects.filter(status="draft").exists()


def test_presets_and_strangers(client: Client, people: People) -> None:
    assert client.get("/rules/presets/neutral-vxth/").status_code == 200
    assert client.get("/rules/presets/nobody/").status_code == 404
    version = ruleset_ensure(account=people.account)
    stranger, viewer = Client(), Client()
    stranger.force_login(people.stranger)
    viewer.force_login(people.teammate)
    new = f"/books/{people.account.pk}/rules/new/"
    for url in (f"/rules/{version.pk}/", f"/rules/{version.pk}/document/", new):
        assert stranger.get(url).status_code == 404
    assert stranger.post(f"/rules/{version.pk}/sign/").status_code == 404
    assert viewer.get(f"/rules/{version.pk}/").status_code == 200
    assert viewer.get(new).status_code == 403
    assert viewer.post(f"/rules/{version.pk}/sign/").status_code == 403
