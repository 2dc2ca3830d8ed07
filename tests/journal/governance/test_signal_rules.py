"""Signals are judged by the account's rules in force: on pages, over the API, in the worker's round."""

from __future__ import annotations

import csv
import io
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from hedging.engine.rulesets.document import ruleset_document
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.signals.params import SignalParams
from hedging.jobs.engine import job_run
from hedging.jobs.kinds import SIGNALS
from hedging.models import Job, SignalFrameRow
from hedging.services.signals import signals_refresh
from journal.models import Account, RulesetVersion, User
from journal.selectors.governance import account_signals
from journal.selectors.governance.signal_rules import params_in_force, signal_rules
from journal.services.governance.rulesets import ruleset_draft, ruleset_ensure
from journal.services.signals import account_signals_request
from tests.hedging.market.signals_support import LAST, simulated_closes_load
from tests.journal.people import People, collapsed, make_people

pytestmark = pytest.mark.django_db
ALWAYS = 99.0  # RSI of VIX is below this on every day


@pytest.fixture
def people() -> People:
    found = make_people(is_demo=True)
    simulated_closes_load()
    signals_refresh(simulated=True)
    return found


def rules_in_force(user: User, account: Account, **parameters: float) -> RulesetVersion:
    """The default with some figures changed, active."""
    document = ruleset_document(preset(DEFAULT))
    for key, value in parameters.items():
        document["parameters"][key.replace("__", ".")]["base"] = value
    version = ruleset_draft(user=user, account=account, document={**document, "title": "Own rules"})
    RulesetVersion.objects.filter(account=account, status="active").update(status="retired")
    RulesetVersion.objects.filter(pk=version.pk).update(status="active", active_from=timezone.now())
    version.refresh_from_db()
    return version


def own_rules(people: People) -> RulesetVersion:
    return rules_in_force(people.owner, people.account, signals__rsi_vix_low=ALWAYS)


def page(user: User, name: str = "market") -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(f"journal:{name}"))
    assert answer.status_code == 200
    return answer.content.decode()


def worker() -> list[dict[str, Any]]:
    """Run what waits; the thresholds it was asked for."""
    jobs = list(Job.objects.filter(kind=SIGNALS, state=Job.State.QUEUED))
    assert all(job_run(job.pk) == Job.State.DONE for job in jobs)
    return [job.payload["params"] for job in jobs]


def rsi_of_vix(user: User) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(page(user, "market_signals_csv")))
    return next(row for row in rows if row["key"] == "rsi_vix")


def test_two_accounts_see_the_same_close_judged_by_their_own_rules(people: People) -> None:
    version = own_rules(people)
    text = page(people.owner)
    assert "Signals wait for a worker." in text, "default states never stand in for the account's own"
    assert 'id="signal-rows"' not in text
    assert [params["rsi_vix_below"] for params in worker()] == [ALWAYS]
    mine, other = rsi_of_vix(people.owner), rsi_of_vix(people.stranger)
    assert mine["value"] == other["value"]
    assert (mine["state"], mine["threshold"]) == ("on", "< 99")
    assert (other["state"], other["threshold"]) == ("off", "< 35")
    assert mine["ruleset_hash"] == version.content_hash
    assert other["ruleset"] == DEFAULT
    text = page(people.owner)
    assert reverse("journal:rules_version", args=[version.pk]) in text
    assert "Own rules" in text
    text = page(people.stranger)
    assert "default preset" in text
    assert "Own rules" not in text


def test_triggers_of_the_hedge_page_are_judged_by_the_rules_in_force(people: People) -> None:
    own_rules(people)
    assert "a worker was asked" in collapsed(page(people.owner, "hedge"))
    worker()
    text = page(people.owner, "hedge")
    assert "Own rules" in text
    assert "&lt; 99" in text
    assert "days old" in text, "the simulated closes end in the past"
    assert "&lt; 35" in page(people.stranger, "hedge")


def test_the_round_asks_once_for_each_set_of_thresholds(people: People) -> None:
    SignalFrameRow.objects.all().delete()
    own_rules(people)
    ruleset_ensure(account=Account.objects.get(name="Elsewhere"))
    # A rule that no signal reads makes no further frame.
    third = make_more(people.owner)
    rules_in_force(people.owner, third, layer1__dte=45)
    assert params_in_force(simulated=True) == [SignalParams(), SignalParams(rsi_vix_below=ALWAYS)]
    assert params_in_force(simulated=False) == [SignalParams()]
    assert account_signals_request(simulated=True) == 2
    assert {params["rsi_vix_below"] for params in worker()} == {35.0, ALWAYS}
    assert account_signals_request(simulated=True) == 0
    third.archived_at = timezone.now()
    third.save()
    assert len(params_in_force(simulated=True)) == 2


def make_more(user: User) -> Account:
    from tests.journal.people import make_account

    return make_account(user, name="Third", is_demo=True)


def test_rules_older_than_the_product_are_told_and_the_default_stands_in(people: People) -> None:
    version = ruleset_ensure(account=people.account)
    document = {**version.document, "parameters": {"signals.rsi_vix_low": {"base": 5}}}
    RulesetVersion.objects.filter(pk=version.pk).update(status="retired")
    RulesetVersion.objects.create(
        account=people.account, name="old", title="Old", document=document, content_hash="0" * 64,
        status="active",
    )  # fmt: skip
    rules = signal_rules(people.account)
    assert rules.params == SignalParams()
    assert rules.problem
    text = page(people.owner)
    assert "older than the product" in text
    assert "default preset" in text
    assert "older than the product" in page(people.owner, "hedge")


def api(user: User, query: str, call: str = "signals") -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0].key}")
    return client.get(f"/api/v1/market/{call}/{query}")


@pytest.mark.parametrize("call", ["signals", "regimes"])
def test_the_api_judges_by_the_account_named_and_hides_it_from_strangers(people: People, call: str) -> None:
    version = own_rules(people)
    query = f"?account={people.account.pk}"
    assert api(people.owner, query, call).status_code == 503
    worker()
    for user in (people.owner, people.teammate):
        found = api(user, query, call).json()
        assert found["market"] == "simulated"
        assert found["ruleset"]["id"] == str(version.pk)
        assert found["ruleset"]["content_hash"] == version.content_hash
    assert api(people.stranger, query, call).status_code == 404
    assert api(people.owner, "?market=simulated", call).json()["ruleset"]["name"] == DEFAULT


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?account=mine", "account"),
        ("?ruleset=none-such&market=simulated", "ruleset"),
        ("?account={account}&ruleset=neutral-vxth", "ruleset"),
        ("?account={account}&market=real", "market"),
    ],
)
def test_words_that_contradict_each_other_are_refused(people: People, query: str, field: str) -> None:
    answer = api(people.owner, query.format(account=people.account.pk))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_the_quick_ratio_is_the_accounts_own(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> dict[str, Any]:
        found = api(people.owner, f"?account={people.account.pk}&as_of={LAST}").json()["signals"]
        return next(row for row in found if row["key"] == "quick_ratio")

    nothing = told()
    assert nothing["state"] == "unknown"
    assert "No session of the account is attributed" in nothing["reason"]
    base = SimpleNamespace(quick_ratio=0.8, last=LAST)
    cases = [
        ({}, "on", 0.8), ({"quick_ratio": 1.0}, "off", 1.0), ({"quick_ratio": None}, "off", None),
        ({"last": date(2026, 1, 20)}, "unknown", None),
    ]  # fmt: skip
    for revision, (change, state, value) in enumerate(cases, start=50):
        Account.objects.filter(pk=people.account.pk).update(book_revision=revision)
        page_of = SimpleNamespace(**{**vars(base), **change})
        monkeypatch.setattr(account_signals, "capital", lambda *_, found=page_of: found)
        seen = told()
        assert (seen["state"], seen["value"]) == (state, value)
        assert seen["as_of"] == str(page_of.last)
        assert seen["state"] != "unknown" or "10 days old" in seen["reason"]
    market = api(people.owner, f"?market=simulated&as_of={LAST}").json()["signals"]
    assert next(row for row in market if row["key"] == "quick_ratio")["state"] == "unknown"


def test_a_preset_may_be_named(people: People) -> None:
    found = api(people.owner, f"?market=simulated&ruleset=seed-s3-30d-notional&as_of={LAST}")
    assert found.status_code in {200, 503}
    worker()
    found = api(people.owner, f"?market=simulated&ruleset=seed-s3-30d-notional&as_of={LAST}").json()
    assert found["ruleset"]["content_hash"] == preset("seed-s3-30d-notional").hash
