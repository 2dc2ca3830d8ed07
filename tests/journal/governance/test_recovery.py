"""GOV-2: a signer who can no longer sign does not hold an account for ever, and nobody lowers N alone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from hedging.jobs.context import JobContext
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import NOTIFY_SIGNER
from journal.models import Alert, ApprovalChange, AuditEvent, Membership, Role, User
from journal.selectors.governance.signing import approval_rule
from journal.services.accounts import member_add
from journal.services.governance.approvals import (
    change_sign,
    change_withdraw,
    changes_apply,
    role_give,
    role_take,
)
from journal.services.governance.recovery import SILENT, WAIT, change_release, last_seen, tell_signer
from tests.journal.people import People, make_people, make_user

pytestmark = pytest.mark.django_db
Status = ApprovalChange.Status
WHY = "Ann died in October; her brother wrote to us."


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def ann(people: People) -> User:
    found = make_user("ann")
    member_add(user=people.owner, account=people.account, member=found, role=Role.SIGNER, signed=True)
    return found


@pytest.fixture
def operator() -> User:
    return User.objects.create_user("operator", "operator@example.org", is_staff=True)


def asked(people: People, lost: User) -> ApprovalChange:
    membership = Membership.objects.get(account=people.account, user=lost)
    return role_take(user=people.owner, membership=membership)


def release(operator: User, change: ApprovalChange, *lost: User, reason: str = WHY) -> ApprovalChange:
    return change_release(operator=operator, change=change, lost=lost, reason=reason)


def rule(people: People) -> str:
    people.account.refresh_from_db()
    return approval_rule(people.account).text


def test_two_of_two_with_a_lost_login_is_freed_by_owner_and_operator_after_the_wait(
    people: People, ann: User, operator: User
) -> None:
    change = asked(people, ann)
    assert change.status == Status.PROPOSED  # it would wait for ann for ever
    done = release(operator, change, ann)
    assert done.approved_at is not None
    assert done.effective_at == done.approved_at + WAIT
    assert changes_apply(now=done.effective_at - timedelta(seconds=1)) == []
    assert rule(people) == "2 of 2 signers, in force 48 hours later"
    assert [row.status for row in changes_apply(now=done.effective_at)] == [Status.APPLIED]
    assert rule(people) == "1 of 1 signer"
    event = AuditEvent.objects.get(action="approvals.release")
    assert (event.actor_name, event.changes["reason"]) == ("operator", WHY)
    assert not Alert.objects.filter(kind="signers", cleared_at__isnull=True).exists()


def test_every_signer_is_told_and_the_lost_one_too(people: People, ann: User, operator: User) -> None:
    release(operator, asked(people, ann), ann)
    alert = Alert.objects.get(account=people.account, kind="signers")
    assert "Remove ann as signer: released by the operator" in alert.message
    jobs = Job.objects.filter(kind=NOTIFY_SIGNER)
    assert jobs.count() == 2
    for job in jobs:
        tell_signer(JobContext(job, timedelta(seconds=15)))
    assert {address for message in mail.outbox for address in message.to} == {
        "owner@example.org", "ann@example.org",
    }  # fmt: skip
    assert WHY in mail.outbox[0].body
    page = Client()
    page.force_login(people.owner)
    text = page.get(f"/books/{people.account.pk}/members/").content.decode()
    assert "Released by the operator operator" in text
    assert WHY in text


def test_whoever_signs_withdraws_it_and_whoever_shows_up_ends_it(
    people: People, ann: User, operator: User
) -> None:
    change = release(operator, asked(people, ann), ann)
    assert change_withdraw(user=ann, change=change).status == Status.WITHDRAWN
    assert not Alert.objects.filter(kind="signers", cleared_at__isnull=True).exists()
    with pytest.raises(RuleError, match="may still sign"):  # her withdrawal shows that she is there
        release(operator, asked(people, ann), ann)


def test_a_login_used_during_the_wait_ends_the_change(people: People, ann: User, operator: User) -> None:
    change = release(operator, asked(people, ann), ann)
    assert change.effective_at is not None
    User.objects.filter(pk=ann.pk).update(last_login=timezone.now() + timedelta(days=3))
    (failed,) = changes_apply(now=change.effective_at)
    assert failed.status == Status.FAILED
    assert "ann was here on" in failed.outcome
    assert rule(people) == "2 of 2 signers, in force 48 hours later"


@pytest.mark.parametrize(
    ("ago", "allowed"),
    [(SILENT - timedelta(minutes=5), False), (SILENT, True), (SILENT + timedelta(days=1), True)],
)
def test_silence_is_counted_in_days(
    people: People, ann: User, operator: User, ago: timedelta, allowed: bool
) -> None:
    change = asked(people, ann)
    User.objects.filter(pk=ann.pk).update(last_login=timezone.now() - ago)
    ann.refresh_from_db()
    assert last_seen(ann) == ann.last_login
    if allowed:
        assert release(operator, change, ann).status == Status.APPROVED
    else:
        with pytest.raises(RuleError, match="14 silent days"):
            release(operator, change, ann)


def test_nobody_does_it_alone(people: People, ann: User, operator: User) -> None:
    change = asked(people, ann)
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"operator": people.stranger}, "staff"),
        ({"lost": []}, "Name signers"),
        ({"lost": [people.stranger]}, "Name signers"),
        ({"lost": [people.owner]}, "owner signed"),
        ({"reason": "lost"}, "at least 20"),
    ]
    for values, words in refusals:
        with pytest.raises(RuleError, match=words):
            change_release(**{"operator": operator, "change": change, "lost": [ann], "reason": WHY, **values})
    member_add(user=people.owner, account=people.account, member=operator, role=Role.VIEWER)
    with pytest.raises(RuleError, match="must not be a member"):
        release(operator, change, ann)
    change.refresh_from_db()
    assert change.status == Status.PROPOSED
    assert rule(people) == "2 of 2 signers, in force 48 hours later"


def test_those_who_can_sign_still_have_to(people: People, ann: User, operator: User) -> None:
    bob = make_user("bob")
    member_add(user=people.owner, account=people.account, member=bob, role=Role.SIGNER, signed=True)
    people.account.approvals_needed = 3
    people.account.save()
    change = asked(people, ann)
    with pytest.raises(RuleError, match="1 more of those"):
        release(operator, change, ann)
    change_sign(user=bob, change=change, content_hash=change.content_hash)
    assert release(operator, change, ann).status == Status.APPROVED


def test_a_change_nobody_signed_is_not_released(people: People, ann: User, operator: User) -> None:
    change = asked(people, ann)
    Membership.objects.filter(account=people.account, user=people.owner).update(user=make_user("heir"))
    with pytest.raises(RuleError, match="must sign it first"):
        release(operator, change, ann)


def test_a_signer_replaces_the_lost_owner(people: People, ann: User, operator: User) -> None:
    """The account's only owner is lost: a signer asks to own it, then to let the owner go."""
    page = Client()
    page.force_login(ann)
    url = f"/books/{people.account.pk}/members/"
    assert page.post(url, {"login": "ann", "role": "viewer"}).status_code == 403
    page.post(url, {"login": "ann", "role": "owner"})
    change = ApprovalChange.objects.get(status=Status.PROPOSED)
    with pytest.raises(RuleError, match="may still sign"):  # the owner made the account just now
        release(operator, change, people.owner)
    long_silent(people.owner)
    done = release(operator, change, people.owner)
    assert done.effective_at is not None
    changes_apply(now=done.effective_at)
    membership = Membership.objects.get(account=people.account, user=people.owner)
    page.post(f"{url}{membership.pk}/remove/")
    taking = release(operator, ApprovalChange.objects.get(status=Status.PROPOSED), people.owner)
    assert taking.effective_at is not None
    changes_apply(now=taking.effective_at)
    owners = Membership.objects.filter(account=people.account, role="owner")
    assert list(owners.values_list("user", flat=True)) == [ann.pk]


def long_silent(user: User) -> None:
    """As if everything the login did had been done by an earlier one; audit rows cannot be changed."""
    User.objects.filter(pk=user.pk).update(public_id=uuid.uuid4(), last_login=None)
    user.refresh_from_db()


def test_a_deactivated_signer_can_be_removed_by_signature(people: People, ann: User) -> None:
    bob = make_user("bob")
    member_add(user=people.owner, account=people.account, member=bob, role=Role.SIGNER, signed=True)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    change = asked(people, ann)
    done = change_sign(user=bob, change=change, content_hash=change.content_hash)
    assert done.effective_at is not None
    assert [row.status for row in changes_apply(now=done.effective_at)] == [Status.APPLIED]
    friend = make_user("friend")
    giving = role_give(user=people.owner, account=people.account, member=friend, role=Role.SIGNER)
    change_sign(user=bob, change=giving, content_hash=giving.content_hash)
    User.objects.filter(pk=friend.pk).update(is_active=False)
    (failed,) = changes_apply(now=timezone.now() + timedelta(days=3))
    assert failed.outcome == "The login was deleted."


def test_the_command_lists_and_releases(people: People, ann: User, operator: User) -> None:
    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("approvals", *arguments, stdout=out)
        return out.getvalue()

    assert run("list") == "No change of who signs is under way.\n"
    change = asked(people, ann)
    listed = run("list", str(people.account.pk))
    assert "ann: not signed, never seen" in listed
    assert "owner: signed, seen" in listed
    given = ("--operator", "operator", "--reason", WHY)
    for arguments, words in (
        (("no-id", "--lost", "ann"), "is no id"),
        ((str(people.account.pk), "--lost", "ann"), "no such change"),
        ((str(change.pk), "--lost", "nobody"), "no user named"),
        ((str(change.pk), "--lost", "owner"), "owner signed it"),
    ):
        with pytest.raises(CommandError, match=words):
            run("release", *arguments, *given)
    assert "unless a signer withdraws it" in run("release", str(change.pk), "--lost", "ann", *given)
    assert "in force" in run("list")


def test_an_unconfirmed_address_names_nobody_over_the_api(people: People) -> None:
    make_user("mallory")  # signed up as mallory@example.org, never confirmed
    page = Client()
    page.force_login(people.owner)
    body = {
        "account": str(people.account.pk),
        "kind": "add",
        "login": "mallory@example.org",
        "role": "viewer",
    }
    answer = page.post("/api/v1/approval-changes/", body, content_type="application/json")
    assert answer.status_code == 400
    assert "confirmed" in answer.content.decode()
