"""Members and approvals: owners manage, others read, the last owner stays."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from journal.models import AuditEvent, Membership, Role
from journal.selectors.governance.signing import approval_rule
from tests.journal.people import People, collapsed, make_people, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def client(user: object) -> Client:
    found = Client()
    found.force_login(user)  # type: ignore[arg-type]
    return found


def test_an_owner_adds_a_signer_and_the_rule_follows(people: People) -> None:
    EmailAddress.objects.create(user=make_user("sig"), email="sig@example.org", verified=True)
    url = f"/books/{people.account.pk}/members/"
    owner = client(people.owner)
    assert approval_rule(people.account).text == "1 of 1 signer"
    unknown = owner.post(url, {"login": "nobody", "role": "signer"})
    assert "No login has this name" in unknown.content.decode()
    assert owner.post(url, {"login": "SIG@example.org", "role": "signer"}).status_code == 302
    assert approval_rule(people.account).text == "2 of 2 signers, in force 48 hours later"
    assert owner.post(url, {"needed": "1", "delay_hours": "0"}).status_code == 302
    assert approval_rule(people.account).needed == 2  # the other one has not signed
    page = owner.get(url).content.decode()
    assert "Change under way" in page
    assert "1 of 2 signatures" in collapsed(page)
    assert not AuditEvent.objects.filter(action="account.approvals").exists()


def test_the_last_owner_stays(people: People) -> None:
    mine = Membership.objects.get(account=people.account, user=people.owner)
    viewer = Membership.objects.get(account=people.account, user=people.teammate)
    owner = client(people.owner)
    url = f"/books/{people.account.pk}/members"
    assert (
        "last owner cannot be removed" in owner.post(f"{url}/{mine.pk}/remove/", follow=True).content.decode()
    )
    owner.post(f"{url}/{viewer.pk}/remove/")
    assert list(people.account.memberships.values_list("role", flat=True)) == [Role.OWNER]


def test_others_read_or_see_nothing(people: People) -> None:
    viewer = Membership.objects.get(account=people.account, user=people.teammate)
    url = f"/books/{people.account.pk}/members/"
    assert client(people.teammate).get(url).status_code == 200
    assert client(people.teammate).post(url, {"login": "owner", "role": "owner"}).status_code == 403
    assert client(people.teammate).post(f"{url}{viewer.pk}/remove/").status_code == 403
    assert client(people.stranger).get(url).status_code == 404
    assert client(people.stranger).post(url, {"needed": "1"}).status_code == 404
