"""GOV-2: who signs and how many is changed by the signers, by the rule that is in force."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import ApprovalChange, AuditEvent, Membership, Role, Signature, User
from journal.selectors.governance.signing import approval_rule
from journal.services.accounts import approvals_set, member_add, member_remove
from journal.services.governance.approvals import (
    change_sign,
    change_withdraw,
    changes_apply,
    role_give,
    role_take,
    rule_change,
)
from tests.journal.people import People, make_people, make_user

Status = ApprovalChange.Status


@pytest.fixture
def people() -> People:
    return make_people()


def signers(people: People, *names: str) -> list[User]:
    found = [make_user(name) for name in names]
    for user in found:
        member_add(user=people.owner, account=people.account, member=user, role=Role.SIGNER, signed=True)
    return found


def lower(people: People, **values: Any) -> ApprovalChange:
    return rule_change(user=people.owner, account=people.account, **{"needed": 1, "delay_hours": 0, **values})


def sign(user: User, change: ApprovalChange) -> ApprovalChange:
    return change_sign(user=user, change=change, content_hash=change.content_hash)


def rule(people: People) -> str:
    people.account.refresh_from_db()
    return approval_rule(people.account).text


def client(user: object) -> Client:
    found = Client()
    found.force_login(user)  # type: ignore[arg-type]
    return found


@pytest.mark.django_db
def test_gov_2_one_signer_changes_alone_and_at_once(people: People) -> None:
    ann = make_user("ann")
    done = role_give(user=people.owner, account=people.account, member=ann, role=Role.SIGNER)
    assert done.status == Status.APPLIED
    assert rule(people) == "2 of 2 signers, in force 48 hours later"
    assert not Signature.objects.exists()


@pytest.mark.django_db
def test_gov_2_an_owner_cannot_lower_the_number_alone_and_a_lower_one_waits(people: People) -> None:
    ann, _ = signers(people, "ann", "bob")
    change = lower(people)
    assert (change.status, change.tightens) == (Status.PROPOSED, False)
    assert sign(people.owner, change).status == Status.PROPOSED  # twice is once
    assert rule(people) == "2 of 3 signers, in force 48 hours later"
    done = sign(ann, change)
    assert done.status == Status.APPROVED
    assert done.approved_at is not None
    assert done.effective_at == done.approved_at + timedelta(hours=48)
    assert changes_apply(now=done.effective_at - timedelta(seconds=1)) == []
    assert rule(people) == "2 of 3 signers, in force 48 hours later"
    assert [row.pk for row in changes_apply(now=done.effective_at)] == [done.pk]
    assert rule(people) == "1 of 3 signers"
    assert changes_apply(now=done.effective_at) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("needed", "hours"), [(3, 48), (2, 72), (3, 72)])
def test_what_only_asks_for_more_is_signed_and_does_not_wait(people: People, needed: int, hours: int) -> None:
    ann, _ = signers(people, "ann", "bob")
    change = lower(people, needed=needed, delay_hours=hours)
    assert change.tightens
    assert sign(ann, change).status == Status.APPLIED
    assert rule(people) == f"{needed} of 3 signers, in force {hours} hours later"


@pytest.mark.django_db
@pytest.mark.parametrize(("needed", "hours"), [(1, 48), (2, 47), (3, 0)])
def test_a_smaller_number_or_a_shorter_delay_waits(people: People, needed: int, hours: int) -> None:
    ann, _ = signers(people, "ann", "bob")
    assert sign(ann, lower(people, needed=needed, delay_hours=hours)).status == Status.APPROVED


@pytest.mark.django_db
def test_gov_2_signing_roles_are_given_and_taken_by_signature_and_other_roles_are_not(people: People) -> None:
    ann, bob = signers(people, "ann", "bob")
    friend = make_user("friend")
    giving = role_give(user=people.owner, account=people.account, member=friend, role=Role.OWNER)
    assert giving.status == Status.PROPOSED
    assert role_give(user=people.owner, account=people.account, member=friend, role=Role.VIEWER).status == (
        Status.APPLIED
    )
    membership = Membership.objects.get(account=people.account, user=bob)
    with pytest.raises(RuleError, match="Another change"):
        role_take(user=people.owner, membership=membership)
    change_withdraw(user=ann, change=giving)
    taking = sign(ann, role_take(user=people.owner, membership=membership))
    assert taking.effective_at is not None
    changes_apply(now=taking.effective_at)
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert rule(people) == "2 of 2 signers, in force 48 hours later"


@pytest.mark.django_db
def test_the_services_below_refuse_what_was_not_signed(people: People) -> None:
    (ann,) = signers(people, "ann")
    with pytest.raises(RuleError, match="they sign this change first"):
        approvals_set(user=people.owner, account=people.account, needed=1, delay_hours=0)
    with pytest.raises(RuleError, match="they sign this change first"):
        member_add(user=people.owner, account=people.account, member=make_user("x"), role=Role.OWNER)
    with pytest.raises(RuleError, match="they sign this change first"):
        member_remove(user=people.owner, membership=Membership.objects.get(account=people.account, user=ann))
    assert rule(people) == "2 of 2 signers, in force 48 hours later"


@pytest.mark.django_db
def test_only_signers_sign_what_was_shown_and_only_while_it_waits(people: People) -> None:
    ann, bob = signers(people, "ann", "bob")
    trader = make_user("trader")
    member_add(user=people.owner, account=people.account, member=trader, role=Role.TRADER)
    change = lower(people)
    for user in (people.teammate, people.stranger, trader):
        with pytest.raises(RuleError, match="signers"):
            sign(user, change)
        with pytest.raises(RuleError, match="signers"):
            change_withdraw(user=user, change=change)
    with pytest.raises(ConflictError):
        change_sign(user=ann, change=change, content_hash="0" * 64)
    change_withdraw(user=bob, change=change)
    with pytest.raises(RuleError, match="withdrawn"):
        sign(ann, change)
    assert rule(people) == "2 of 3 signers, in force 48 hours later"


@pytest.mark.django_db
def test_a_signed_change_cannot_be_altered_and_says_when_it_no_longer_fits(people: People) -> None:
    ann, bob = signers(people, "ann", "bob")
    change = sign(ann, role_take(
        user=people.owner, membership=Membership.objects.get(account=people.account, user=bob)
    ))  # fmt: skip
    for values in ({"terms": {}}, {"content_hash": "0" * 64}, {"tightens": True}):
        with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
            ApprovalChange.objects.filter(pk=change.pk).update(**values)
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        Signature.objects.update(content_hash="0" * 64)
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        Signature.objects.update(change=None)
    Membership.objects.filter(account=people.account, user=bob).delete()
    (failed,) = changes_apply(now=timezone.now() + timedelta(days=3))
    assert (failed.status, failed.outcome) == (Status.FAILED, "The role was removed already.")


@pytest.mark.django_db
def test_the_page_asks_shows_signs_and_withdraws(people: People) -> None:
    ann, _ = signers(people, "ann", "bob")
    url = f"/books/{people.account.pk}/members/"
    owner, other = client(people.owner), client(ann)
    owner.post(url, {"needed": "1", "delay_hours": "0"})
    change = ApprovalChange.objects.get()
    page = other.get(url).content.decode()
    assert "Change under way" in page
    assert "Sign this change" in page
    assert "You signed." in owner.get(url).content.decode()
    assert "Sign this change" not in client(people.teammate).get(url).content.decode()
    stale = other.post(f"/approvals/{change.pk}/sign/", {"content_hash": "0" * 64}, follow=True)
    assert "This changed since you opened it" in stale.content.decode()
    other.post(f"/approvals/{change.pk}/sign/", {"content_hash": change.content_hash})
    assert "unless a signer withdraws it" in other.get(url).content.decode()
    assert client(people.teammate).post(f"/approvals/{change.pk}/withdraw/").status_code == 403
    assert client(people.stranger).post(f"/approvals/{change.pk}/withdraw/").status_code == 404
    owner.post(f"/approvals/{change.pk}/withdraw/")
    assert "Changes so far" in owner.get(url).content.decode()
    assert rule(people) == "2 of 3 signers, in force 48 hours later"
    actions = AuditEvent.objects.filter(object_type="approvalchange").values_list("action", flat=True)
    assert set(actions) == {"approvals.propose", "change.sign", "approvals.approve", "approvals.withdrawn"}


@pytest.mark.django_db
def test_the_api_asks_signs_and_withdraws(people: People) -> None:
    ann, _ = signers(people, "ann", "bob")
    url = "/api/v1/approval-changes/"
    asked = {"account": str(people.account.pk), "kind": "rule", "needed": 1, "delay_hours": 0}
    kind = {"content_type": "application/json"}
    trader = make_user("trader")
    member_add(user=people.owner, account=people.account, member=trader, role=Role.TRADER)
    for user, status in ((people.teammate, 404), (people.stranger, 404), (trader, 404)):
        assert client(user).post(url, asked, **kind).status_code == status
    made = client(people.owner).post(url, asked, **kind)
    assert made.status_code == 201
    row = made.json()
    assert (row["status"], len(row["signatures"])) == ("proposed", 1)
    one = f"{url}{row['id']}/"
    assert client(people.stranger).get(one).status_code == 404
    assert (
        client(people.teammate).post(f"{one}sign/", {"content_hash": row["content_hash"]}).status_code == 404
    )
    assert client(ann).post(f"{one}sign/", {"content_hash": "0" * 64}, **kind).status_code == 409
    signed = client(ann).post(f"{one}sign/", {"content_hash": row["content_hash"]}, **kind)
    assert signed.json()["status"] == "approved"
    assert client(ann).post(f"{one}withdraw/").json()["status"] == "withdrawn"
    role = {"account": str(people.account.pk), "kind": "remove", "login": "nobody", "role": "signer"}
    assert client(people.owner).post(url, role, **kind).status_code in {400, 422}


@pytest.mark.django_db(transaction=True)
def test_fifty_signatures_at_once_put_a_change_in_force_once() -> None:
    people = make_people(is_demo=True)
    others = signers(people, *(f"signer{number}" for number in range(4)))
    approvals_set(user=people.owner, account=people.account, needed=4, delay_hours=0, signed=True)
    people.account.refresh_from_db()
    change = lower(people, needed=5)
    everybody = [people.owner, *others]
    attempts = (
        [(user, change.content_hash) for user in everybody for _ in range(6)]
        + [(people.teammate, change.content_hash)] * 5
        + [(people.stranger, change.content_hash)] * 5
        + [(others[0], "0" * 64)] * 10
    )
    assert len(attempts) == 50
    answers: list[str] = []

    def attempt(user: User, content_hash: str) -> None:
        try:
            change_sign(user=user, change=change, content_hash=content_hash)
            answers.append("signed")
        except (RuleError, ConflictError) as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=one) for one in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50, Counter(answers)
    names = list(Signature.objects.values_list("signer_name", flat=True))
    assert len(names) == len(set(names)) == 4
    assert set(names) <= {user.get_username() for user in everybody}
    change.refresh_from_db()
    assert change.status == Status.APPLIED
    assert AuditEvent.objects.filter(action="account.approvals").count() == 2  # one by hand, one signed
    assert approval_rule(change.account).needed == 5
