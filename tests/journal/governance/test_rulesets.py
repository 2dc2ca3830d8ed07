"""The life of an account's rules: draft, proposal with evidence, N of M, active from a day, retired."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from hedging.engine.rulesets.document import ruleset_document
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import RulesetError
from journal.errors import ConflictError, RuleError
from journal.models import Role, RulesetVersion
from journal.selectors.governance.rules import ruleset_active, ruleset_of, ruleset_shown
from journal.services.accounts import member_add
from journal.services.governance.rulesets import (
    ruleset_draft,
    ruleset_ensure,
    ruleset_propose,
    ruleset_sign,
    ruleset_withdraw,
    rulesets_activate,
)
from tests.journal.people import People, make_people, make_user

pytestmark = pytest.mark.django_db
EVIDENCE = {"kind": "replay", "from": "2007-01-03", "to": "2023-12-29"}


@pytest.fixture
def people() -> People:
    return make_people()


def changed(**bases: Any) -> dict[str, Any]:
    document = copy.deepcopy(ruleset_document(preset(DEFAULT)))
    for key, value in bases.items():
        document["parameters"][key.replace("__", ".")]["base"] = value
    return document


def draft(people: People, **bases: Any) -> RulesetVersion:
    active = ruleset_ensure(account=people.account)
    return ruleset_draft(
        user=people.owner, account=people.account, document=changed(**bases), parent=active, reason="try"
    )


def test_an_account_starts_with_the_default_preset(people: People) -> None:
    version = ruleset_ensure(account=people.account)
    assert version.name == DEFAULT
    assert ruleset_ensure(account=people.account).pk == version.pk
    assert ruleset_active(people.account) == version


def test_gov_4_a_changed_threshold_needs_a_backtest_and_then_one_signature(people: People) -> None:
    old = ruleset_ensure(account=people.account)
    version = draft(people, signals__rsi_spx_low=30)
    assert version.parent == old
    with pytest.raises(RuleError, match="backtest"):
        ruleset_propose(user=people.owner, version=version)
    version = ruleset_propose(user=people.owner, version=version, evidence=EVIDENCE)
    version = ruleset_sign(user=people.owner, version=version, content_hash=version.content_hash)
    assert version.status == "active"
    old.refresh_from_db()
    assert old.status == "retired"
    assert old.retired_at is not None


def test_two_of_three_sign_and_it_is_active_48_hours_later(people: People) -> None:
    others = [make_user(name) for name in ("ann", "bob")]
    for user in others:
        member_add(user=people.owner, account=people.account, member=user, role=Role.SIGNER, signed=True)
    version = ruleset_propose(
        user=people.owner, version=draft(people, signals__rsi_spx_low=30), evidence=EVIDENCE
    )
    with pytest.raises(ConflictError):
        ruleset_sign(user=others[0], version=version, content_hash="0" * 64)
    for user, status in ((others[0], "proposed"), (others[0], "proposed"), (others[1], "approved")):
        version = ruleset_sign(user=user, version=version, content_hash=version.content_hash)
        assert version.status == status
    assert version.active_from is not None
    assert version.approved_at is not None
    assert version.active_from - version.approved_at == timedelta(hours=48)
    assert rulesets_activate(now=timezone.now() + timedelta(hours=47)) == []
    assert rulesets_activate(now=timezone.now() + timedelta(hours=49)) == [version]
    active = ruleset_active(people.account)
    assert active is not None
    assert active.pk == version.pk


def test_strangers_viewers_and_traders_cannot_sign(people: People) -> None:
    trader = make_user("trader")
    member_add(user=people.owner, account=people.account, member=trader, role=Role.TRADER)
    version = ruleset_propose(
        user=people.owner, version=draft(people, signals__rsi_spx_low=30), evidence=EVIDENCE
    )
    for user in (people.teammate, people.stranger, trader):
        with pytest.raises(RuleError, match="signers"):
            ruleset_sign(user=user, version=version, content_hash=version.content_hash)


def test_a_wrong_document_names_every_place_and_leaves_nothing(people: People) -> None:
    before = RulesetVersion.objects.count()
    with pytest.raises(RuleError) as refused:
        ruleset_draft(
            user=people.owner, account=people.account,
            document=changed(signals__rsi_spx_low=300, condor__dte="soon"),
        )  # fmt: skip
    assert "parameters.signals.rsi_spx_low.base" in refused.value.message
    assert "parameters.condor.dte.base" in refused.value.message
    assert RulesetVersion.objects.count() == before


def test_gov_1_the_same_content_is_one_version_and_content_never_changes(people: People) -> None:
    version = draft(people, signals__rsi_spx_low=30)
    assert draft(people, signals__rsi_spx_low=30).pk == version.pk
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        RulesetVersion.objects.filter(pk=version.pk).update(document={})
    assert ruleset_withdraw(user=people.owner, version=version).status == "withdrawn"
    with pytest.raises(RuleError, match="Only a draft"):
        ruleset_propose(user=people.owner, version=version, evidence=EVIDENCE)


def test_a_version_older_than_a_parameter_is_shown_filled_and_refused_for_advice(people: People) -> None:
    document = changed()
    del document["parameters"]["guard.block_of_equity"]
    old = RulesetVersion.objects.create(
        account=people.account, name="old", title="Old", document=document, content_hash="a" * 64
    )
    key = "guard.block_of_equity"
    assert ruleset_shown(old).parameters[key] == preset(DEFAULT).parameters[key]
    with pytest.raises(RulesetError) as refused:
        ruleset_of(old)
    assert refused.value.problems == ("parameters.guard.block_of_equity: missing",)
