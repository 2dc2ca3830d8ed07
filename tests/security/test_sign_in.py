"""Sign-in: sessions and tokens end when they must, guesses are counted, nobody learns who has a login."""

from __future__ import annotations

import re
import threading
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from rest_framework.authtoken.models import Token

from journal.models import AuditEvent, User
from journal.services.demo import demo_guest
from tests.journal.people import make_account, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "vanna-and-volga-7"


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "ann@example.org", PASSWORD)


def signed_in(login: str = "ann", password: str = PASSWORD) -> Client:
    client = Client()
    answer = client.post("/accounts/login/", {"login": login, "password": password})
    assert answer.status_code == 302
    return client


def works(client: Client) -> bool:
    return client.get("/trades/").status_code == 200


def token_works(key: str) -> bool:
    return Client(HTTP_AUTHORIZATION=f"Token {key}").get("/api/v1/trades/").status_code == 200


def test_signing_out_ends_the_session_and_the_tokens(ann: User) -> None:
    client, key = signed_in(), Token.objects.create(user=ann).key
    stolen = Client()
    stolen.cookies = client.cookies.copy()
    assert works(client)
    assert works(stolen)
    assert token_works(key)
    client.post("/accounts/logout/")
    assert not works(client)
    assert not works(stolen)
    assert not token_works(key)
    assert AuditEvent.objects.filter(action="token.revoke", summary="signed out").count() == 1


@pytest.mark.parametrize("way", ["page", "reset", "admin", "shell"])
def test_a_new_password_ends_every_session_and_the_tokens(ann: User, way: str) -> None:
    EmailAddress.objects.create(user=ann, email=ann.email, verified=True, primary=True)
    client, other, key = signed_in(), signed_in(), Token.objects.create(user=ann).key
    new = {"password1": "gamma-and-theta-8", "password2": "gamma-and-theta-8"}
    if way == "page":
        client.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    elif way == "reset":
        Client().post("/accounts/password/reset/", {"email": ann.email})
        path = mail.outbox[-1].body.split("http://127.0.0.1:8000", 1)[1].split()[0]
        reader = Client()
        page = reader.get(path, follow=True)
        reader.post(page.redirect_chain[-1][0], new)
    elif way == "admin":
        chief = User.objects.create_superuser("chief", "chief@example.org", PASSWORD)
        office = Client()
        office.force_login(chief)
        office.post(f"/admin/journal/user/{ann.pk}/password/", {"usable_password": "true", **new})
    else:
        ann.set_password("gamma-and-theta-8")
        ann.save()
    ann.refresh_from_db()
    assert ann.check_password("gamma-and-theta-8")
    assert not works(client)
    assert not works(other)
    assert not token_works(key)
    assert not Token.objects.exists()


def test_deactivation_ends_everything_and_nothing_comes_back_with_the_login(ann: User) -> None:
    client, key = signed_in(), Token.objects.create(user=ann).key
    ann.is_active = False
    ann.save()
    assert not works(client)
    assert not token_works(key)
    assert (
        Client().post("/accounts/login/", {"login": "ann", "password": PASSWORD}).url == "/accounts/inactive/"
    )
    ann.is_active = True
    ann.save()
    assert not works(client)
    assert not token_works(key)
    assert works(signed_in())


def test_a_token_is_revoked_by_command(ann: User) -> None:
    from django.core.management import call_command

    call_command("api_token", "ann", stdout=StringIO())
    key = Token.objects.get().key
    call_command("api_token", "ann", "--revoke", stdout=StringIO())
    assert not token_works(key)


def test_other_saves_leave_sessions_and_tokens_alone(ann: User) -> None:
    client, key = signed_in(), Token.objects.create(user=ann).key
    ann.first_name = "Ann"
    ann.save()
    ann.save(update_fields=["last_name"])
    assert works(client)
    assert token_works(key)


def wrong(client: Client, login: str, **extra: Any) -> str:
    answer = client.post("/accounts/login/", {"login": login, "password": "wrong"}, **extra)
    text = answer.content.decode()
    return "limited" if "Too many" in text else "wrong" if "not correct" in text else text[:200]


def test_guesses_are_limited_whatever_host_and_address_they_name(ann: User) -> None:
    said = [
        wrong(
            Client(), ("ann", "ANN", " ann ")[i % 3], HTTP_HOST=f"localhost:{8000 + i}",
            REMOTE_ADDR=f"198.51.100.{i}", HTTP_X_FORWARDED_FOR=f"203.0.113.{i}",
        )
        for i in range(12)
    ]  # fmt: skip
    assert said == ["wrong"] * 5 + ["limited"] * 7
    assert wrong(Client(), "bob", REMOTE_ADDR="198.51.100.99") == "wrong"  # nobody else is locked out


def test_one_address_guesses_ten_logins_a_minute(ann: User) -> None:
    said = [wrong(Client(), f"user{i}") for i in range(14)]
    assert said == ["wrong"] * 10 + ["limited"] * 4


def test_a_correct_password_does_not_reset_the_count(ann: User) -> None:
    User.objects.create_user("mallory", "m@example.org", PASSWORD)
    said = []
    for _ in range(4):
        said += [wrong(Client(), "ann"), wrong(Client(), "ann")]
        signed_in("mallory")
    assert said == ["wrong"] * 5 + ["limited"] * 3


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_are_limited_as_well() -> None:
    User.objects.create_user("ann", "ann@example.org", PASSWORD)
    said: list[str] = []

    def guess() -> None:
        try:
            said.append(wrong(Client(), "ann", REMOTE_ADDR=f"198.51.100.{len(said)}"))
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 24
    assert said.count("wrong") <= 5


def page_of(client: Client, path: str, data: dict[str, str]) -> tuple[int, str]:
    """Status and what a reader sees; tokens and what was typed left out."""
    answer = client.post(path, data, follow=True)
    text = answer.content.decode()
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|headers=.*?}|pk=[0-9]+', "", text)
    for value in (*data.values(), answer.context.get("csrf_token", "") if answer.context else ""):
        text = text.replace(str(value), "…") if value else text
    return answer.status_code, text


@pytest.mark.parametrize(
    ("path", "field"), [("/accounts/login/", "login"), ("/accounts/password/reset/", "email")]
)
def test_known_and_unknown_logins_are_answered_alike(ann: User, path: str, field: str) -> None:
    known = page_of(Client(), path, {field: "ann@example.org", "password": "x"})
    unknown = page_of(Client(), path, {field: "bob@example.org", "password": "x"})
    assert known == unknown


def test_a_taken_address_signs_up_as_a_free_one_and_reaches_nothing_of_the_other(ann: User) -> None:
    make_account(ann, name="Secret")
    new = {"password1": "gamma-and-theta-8", "password2": "gamma-and-theta-8"}
    taken, free = Client(), Client()
    first = page_of(taken, "/accounts/signup/", {"username": "newcomer-a", "email": "ann@example.org", **new})
    second = page_of(
        free, "/accounts/signup/", {"username": "newcomer-b", "email": "free@example.org", **new}
    )
    assert first == second
    assert "Secret" not in taken.get("/books/").content.decode()
    assert works(signed_in("ann@example.org"))  # hers still is


def test_an_unconfirmed_address_makes_nobody_a_member(ann: User) -> None:
    account = make_account(ann)
    User.objects.create_user("mallory", "bob@example.org", PASSWORD)
    User.objects.create_user("bob@example.org", "m2@example.org", PASSWORD)  # a name like an address
    client = Client()
    client.force_login(ann)
    page = client.post(f"/books/{account.pk}/members/", {"login": "bob@example.org", "role": "viewer"})
    assert "No login has this name" in page.content.decode()
    assert account.memberships.count() == 1


def test_names_of_members_cannot_be_tried_out_by_the_hundred(ann: User) -> None:
    account = make_account(ann)
    client = Client()
    client.force_login(ann)
    url = f"/books/{account.pk}/members/"
    codes = [client.post(url, {"login": f"user{i}", "role": "viewer"}).status_code for i in range(31)]
    assert codes == [200] * 30 + [302]


def test_mailed_links_lead_to_the_published_address(ann: User) -> None:
    EmailAddress.objects.create(user=ann, email=ann.email, verified=True, primary=True)
    with override_settings(ALLOWED_HOSTS=["*"], PUBLIC_URL="https://journal.example.org"):
        Client(HTTP_HOST="evil.example.net").post("/accounts/password/reset/", {"email": ann.email})
    body = mail.outbox[-1].body
    assert "https://journal.example.org/accounts/password/reset/key/" in body
    assert "http://evil" not in body


def test_the_demo_is_limited_by_address() -> None:
    make_user("ann")
    from django.test import RequestFactory

    from journal.rate_limit import too_many

    request = RequestFactory().post("/", REMOTE_ADDR="198.51.100.1")
    other = RequestFactory().post("/", REMOTE_ADDR="198.51.100.2", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert [too_many(request, "x", limit=2, seconds=60) for _ in range(3)] == [False, False, True]
    assert not too_many(other, "x", limit=2, seconds=60)
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        assert too_many(other, "x", limit=2, seconds=60)


def test_guests_reach_nothing_beyond_their_demo() -> None:
    guest = demo_guest()
    account = make_account(guest, is_demo=True)
    client = Client()
    client.force_login(guest)
    page = client.post(f"/books/{account.pk}/alerts/channel/", {"kind": "email", "target": "v@example.org"})
    assert "Guests of the demo cannot" in page.content.decode()
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("VIX.csv", b"DATE,CLOSE\n01/02/2020,12.47\n")
    said = client.post("/data/upload/", {"file": file, "symbol": "VIX"}, follow=True).content.decode()
    assert "Guests of the demo cannot" in said
    file.seek(0)
    assert client.post("/api/v1/market-data/", {"file": file, "symbol": "VIX"}).status_code == 400
    body = {"every": "week", "format": "csv", "send": "link", "email": "v@example.org"}
    assert (
        client.post(f"/api/v1/accounts/{account.pk}/report-schedules/", body, "application/json").status_code
        == 400
    )
