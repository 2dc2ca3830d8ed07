"""Django's admin: who looked at or changed what leaves audit rows, and secrets are not shown."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.test import Client

from journal.models import AuditEvent, Fill, User
from tests.journal.people import People, make_people, open_condor

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def office() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief", "chief@example.org", "vanna-and-volga-7"))
    return client


def actions() -> list[str]:
    found = AuditEvent.objects.filter(actor_name="chief").order_by("pk")
    return list(found.values_list("action", flat=True))


def test_every_look_at_an_account_is_recorded(people: People, office: Client) -> None:
    open_condor(people)
    fill = Fill.objects.first()
    assert fill is not None
    paths = (f"account/{people.account.pk}/change", f"fill/{fill.pk}/change", "account", "trade")
    for path in paths:
        assert office.get(f"/admin/journal/{path}/").status_code == 200
    assert actions() == ["admin.view", "admin.view", "admin.list", "admin.list"]
    assert AuditEvent.objects.filter(action="admin.view", account_id=str(people.account.pk)).count() == 2


def test_changed_permissions_are_recorded(people: People, office: Client) -> None:
    risk = Group.objects.create(name="risk")
    page = office.get(f"/admin/journal/user/{people.stranger.pk}/change/")
    form = {k: v for k, v in page.context["adminform"].form.initial.items() if v is not None}
    form |= {"groups": [risk.pk], "is_staff": "on", "user_permissions": [], "is_active": "on"}
    form |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    form.pop("last_login", None)
    form.pop("is_superuser", None)
    assert office.post(f"/admin/journal/user/{people.stranger.pk}/change/", form).status_code == 302
    people.stranger.refresh_from_db()
    assert people.stranger.is_staff
    event = AuditEvent.objects.get(action="admin.change")
    assert event.object_id == str(people.stranger.pk)
    assert "Groups" in str(event.changes)
    assert office.get(f"/admin/journal/user/{people.stranger.pk}/delete/").status_code == 403


def test_secrets_are_taken_away_not_read(people: People, office: Client) -> None:
    one = Authenticator.objects.create(user=people.owner, type="totp", data={"secret": "JBSWY3DP"})
    for path in ("authenticator", f"authenticator/{one.pk}/change"):
        answer = office.get(f"/admin/mfa/{path}/")
        assert answer.status_code == 200
        assert "JBSWY3DP" not in answer.content.decode()
    assert office.get("/admin/authtoken/tokenproxy/").status_code == 404
    taken = {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"}
    office.post("/admin/mfa/authenticator/", taken)
    assert not Authenticator.objects.exists()
    assert actions() == ["admin.delete"]


def test_the_admin_is_behind_the_sites_own_sign_in(people: People) -> None:
    assert Client().get("/admin/").status_code == 302
    answer = Client().get("/admin/login/")
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")
    client = Client()
    client.force_login(people.owner)
    assert client.get("/admin/", follow=True).status_code in (403, 404)
