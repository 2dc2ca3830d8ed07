"""While the database is away: 503 with Retry-After on pages and API, and no answer that asks it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.authtoken.models import Token

from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def refuse(execute: object, sql: str, *args: object) -> object:
    raise OperationalError("server closed the connection unexpectedly")


@pytest.fixture
def clients(people: People) -> dict[str, Client]:
    page, script = Client(raise_request_exception=False), Client(raise_request_exception=False)
    page.force_login(people.owner)
    script.defaults["HTTP_AUTHORIZATION"] = f"Token {Token.objects.create(user=people.owner).key}"
    return {"page": page, "api": script}


@pytest.fixture
def outage(clients: dict[str, Client]) -> Iterator[None]:
    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize("path", ["/", "/trades/", "/accounts/email/", "/nothing/here/"])
def test_pages_say_so(clients: dict[str, Client], path: str) -> None:
    answer = clients["page"].get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "does not answer right now" in answer.content.decode()
    assert "unexpectedly" not in answer.content.decode()


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize("client", ["page", "api"])
def test_the_api_says_so_in_its_one_shape(clients: dict[str, Client], client: str) -> None:
    answer = clients[client].get("/api/v1/trades/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert set(answer.json()) == {"type", "title", "detail", "errors", "request_id"}


def test_afterwards_everything_works_again(clients: dict[str, Client]) -> None:
    with connection.execute_wrapper(refuse):
        assert clients["page"].get("/trades/").status_code == 503
    assert clients["page"].get("/trades/").status_code == 200


def test_bodies_nobody_needs_are_refused_unread(people: People) -> None:
    client = Client()
    client.force_login(people.owner)
    for path, length, code in (
        ("/trades/", str(66 * 2**20), 413),
        ("/accounts/login/", str(2 * 2**20), 413),
        ("/your-data/import/", str(202 * 2**20), 413),
        ("/trades/", "9" * 40, 413),
        ("/trades/", "٣", 413),
    ):
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": length}
        assert client.request(**environ).status_code == code


def test_nul_bytes_in_forms_are_400(people: People) -> None:
    client = Client()
    client.force_login(people.owner)
    for data in ({"text": "a\x00b"}, {"a\x00": "b"}):
        assert client.post("/notes/preview/", data).status_code == 400
    assert client.get("/trades/?q=%00").status_code == 400


def test_a_wrong_host_is_not_told_which_is_right(people: People) -> None:
    answer = Client(HTTP_HOST="evil.example.net").get("/")
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()
    assert "ALLOWED_HOSTS" not in answer.content.decode()
