"""Who may write the market data that everybody's figures stand on: operators and the schedule alone."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from rest_framework.test import APIClient

from hedging.models import DailyBar, IngestRun, Job
from hedging.providers.http import FetchError, _same_publisher
from journal.models import AuditEvent, User
from journal.services.demo import demo_guest
from journal.services.guests import first_user_operates
from journal.services.invitations import invitation_make, invitation_read, invitation_use
from tests.journal.people import make_operator, make_people, make_user

pytestmark = pytest.mark.django_db
FAKE = b"DATE,OPEN,HIGH,LOW,CLOSE\n11/20/2026,100,100,100,100\n"
SIGNUP = {
    "username": "newcomer", "email": "new@example.org",
    "password1": "long-enough-9", "password2": "long-enough-9",
}  # fmt: skip


def sent() -> dict[str, Any]:
    return {"file": SimpleUploadedFile("SPX_History.csv", FAKE)}


def guest_with_password() -> User:
    guest = demo_guest()
    guest.set_password("now-it-has-one")
    guest.save()
    return guest


@pytest.mark.parametrize("who", ["stranger", "guest", "guest with a password", "demo owner"])
def test_nobody_but_an_operator_changes_what_others_see(who: str, settings: Any) -> None:
    settings.MARKET_FETCH = True
    user = {
        "stranger": lambda: make_people().stranger,
        "guest": demo_guest,
        "guest with a password": guest_with_password,
        "demo owner": lambda: User.objects.create_user("demo", is_demo=True),
    }[who]()
    page, api = Client(), APIClient()
    page.force_login(user)
    api.force_authenticate(user)
    page.post("/data/upload/", sent())
    page.post("/data/upload/", {"file": [sent()["file"], sent()["file"]]})
    page.post("/data/fetch/", {"group": "quotes"})
    assert api.post("/api/v1/market-data/", sent(), format="multipart").status_code == 400
    assert api.post("/api/v1/market-data/fetch/", {"group": "quotes"}).status_code == 400
    assert not DailyBar.objects.exists()
    assert not IngestRun.objects.exists()
    assert not Job.objects.filter(kind__startswith="hedging.market").exists()
    assert "loaded by operators" in page.get("/data/").content.decode()


def test_what_an_operator_loads_is_theirs_by_name_and_audited() -> None:
    operator = make_operator(make_user("olga"))
    page = Client()
    page.force_login(operator)
    assert "Upload market files" in page.get("/data/").content.decode()
    page.post("/data/upload/", sent())
    assert list(DailyBar.objects.values_list("source", flat=True).distinct()) == ["file:olga"]
    event = AuditEvent.objects.get(action="market.load")
    assert event.actor_name == "olga"
    assert event.changes["sha256"] == hashlib.sha256(FAKE).hexdigest()
    assert event.changes["new"] == 1


def test_the_first_person_of_an_installation_operates_it_and_no_later_one() -> None:
    demo_guest()
    first = make_user("first")
    assert first_user_operates(user=first)
    assert first.is_market_operator
    second = make_user("second")
    assert not first_user_operates(user=second)
    assert not second.is_market_operator


def test_the_command_makes_and_unmakes_operators() -> None:
    user = make_user("ann")
    for extra, operates in (((), True), (("--remove",), False)):
        call_command("operator", "ann", *extra)
        assert User.objects.get(pk=user.pk).is_market_operator is operates
    for name, words in (("nobody", "no login"), (demo_guest().username, "guest")):
        with pytest.raises(CommandError, match=words):
            call_command("operator", name)


def test_signing_up_first_makes_the_operator(client: Client) -> None:
    assert settings.SIGNUP == "open"
    client.post("/accounts/signup/", SIGNUP)
    assert User.objects.get(username="newcomer").is_market_operator
    other = Client()
    other.post("/accounts/signup/", SIGNUP | {"username": "later", "email": "later@example.org"})
    assert not User.objects.get(username="later").is_market_operator


def test_a_closed_site_takes_nobody_and_says_so(client: Client, settings: Any) -> None:
    settings.SIGNUP = "closed"
    assert "by invitation" in client.get("/accounts/signup/").content.decode()
    client.post("/accounts/signup/", SIGNUP)
    assert not User.objects.filter(username="newcomer").exists()
    with pytest.raises(CommandError, match="closed"):
        call_command("invite")


def test_an_invitation_works_once(client: Client, settings: Any) -> None:
    settings.SIGNUP = "invite"
    assert "by invitation" in client.get("/accounts/signup/").content.decode()
    address = invitation_make().removeprefix(settings.PUBLIC_URL)
    assert "Create a login" in client.get(address).content.decode()
    client.post("/accounts/signup/", SIGNUP)
    assert User.objects.filter(username="newcomer").exists()
    again = Client()
    assert "by invitation" in again.get(address).content.decode()
    again.post("/accounts/signup/", SIGNUP | {"username": "later", "email": "later@example.org"})
    assert not User.objects.filter(username="later").exists()


def test_a_made_up_or_used_invitation_is_none() -> None:
    token = invitation_make().partition("invite=")[2]
    found = invitation_read(token)
    assert found is not None
    assert invitation_read(token + "x") is None
    assert invitation_read("") is None
    invitation_use(invitation=found, user=make_user("ann"))
    assert invitation_read(token) is None


@pytest.mark.parametrize(
    ("asked", "location", "follows"),
    [
        ("https://cdn.cboe.com/api/a.csv", "https://cdn-api.cboe.com/api/a.csv", True),
        ("https://cdn-api.cboe.com/a", "/b", True),
        ("https://www.cboe.com/a", "https://www-api.cboe.com/a", True),
        ("https://cdn.cboe.com/a", "http://cdn-api.cboe.com/a", False),
        ("https://cdn.cboe.com/a", "https://cdn-api.cboe.com:8443/a", False),
        ("https://cdn.cboe.com/a", "https://cboe.com.example.org/a", False),
        ("https://cdn.cboe.com/a", "https://fred.stlouisfed.org/a", False),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8001/a", False),
    ],
)
def test_a_redirect_stays_with_the_publisher(asked: str, location: str, follows: bool) -> None:
    if follows:
        assert _same_publisher(asked, location).startswith(("https://cdn-api.", "https://www-api."))
        return
    with pytest.raises(FetchError, match="another host"):
        _same_publisher(asked, location)
