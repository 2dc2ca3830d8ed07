"""Hostile input on every route: whatever is sent, the answer is an answer (G10).

``ALVH_FUZZ`` multiplies the number of cases: the default keeps the suite short, 25 sends over 20,000 to
the API.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from rest_framework.authtoken.models import Token

from journal.models import User
from tests.examples import DEEP
from tests.journal.people import People
from tests.security.hostile import LONG, TEXTS, Case, Form, SchemaCases, deep, forms_of
from tests.security.test_tenancy import PAGES, POST_ONLY, address, ids, people

pytestmark = pytest.mark.django_db
__all__ = ["ids", "people"]  # fixtures
FACTOR = float(os.environ.get("ALVH_FUZZ", "25" if DEEP else "1"))
ROOT = Path(__file__).resolve().parent.parent.parent
Failures = list[str]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals are no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def failures() -> Iterator[Failures]:
    """What went wrong, with the innermost line of ours; a request that failed is told once a place."""
    found: dict[str, str] = {}

    def note(sender: object, request: Any, **kwargs: Any) -> None:
        text = traceback.format_exc()
        ours = [line for line in text.split("\n") if '"' in line and "site-packages" not in line]
        where = (ours[-1] if ours else "").strip() + " " + text.strip().split("\n")[-1][:160]
        found.setdefault(where, f"{request.method} {request.get_full_path()[:300]}")

    got_request_exception.connect(note, weak=False)
    told: Failures = []
    yield told
    got_request_exception.disconnect(note)
    assert not told, "\n".join([*told[:20], *(f"{where}\n    {what}" for where, what in found.items())])


def undone(act: Any) -> Any:
    """Run a request and take back what it wrote: the next one finds everything as it was."""
    with transaction.atomic():
        try:
            return act()
        finally:
            transaction.set_rollback(True)


def send(client: Client, case: Case) -> Any:
    return client.generic(
        case.method, case.path, case.body, case.content_type, query_params=case.query, headers=case.headers
    )


def test_the_api(people: People, ids: dict[str, Any], tmp_path: Path, failures: Failures) -> None:
    path = tmp_path / "schema.json"
    call_command("spectacular", format="openapi-json", file=str(path))
    known = {**ids, "accounts": people.account.pk, "trades": ids["trade"], "hedge-layers": ids["trade"],
             "rulesets": ids["rules"]}  # fmt: skip
    each = max(1, round(9 * FACTOR))
    count, codes = 0, dict[int, int]()
    for user, seed in ((people.owner, 1), (people.stranger, 2)):
        client = Client(raise_request_exception=False)
        client.defaults["HTTP_AUTHORIZATION"] = f"Token {Token.objects.create(user=user).key}"
        cases = SchemaCases(json.loads(path.read_text()), known, seed)
        for case in cases.cases(each if user is people.owner else max(1, each // 3)):
            answer = undone(partial(send, client, case))
            count += 1
            codes[answer.status_code] = codes.get(answer.status_code, 0) + 1
            if answer.status_code >= 500 and not (answer.status_code == 503 and "Retry-After" in answer):
                failures.append(f"{answer.status_code} {case}")
    told = f"{count} cases: {dict(sorted(codes.items()))}"
    assert codes[200] > 30, told  # some were good enough to be answered
    assert codes[400] > 150, told


def names_of_parameters() -> list[str]:
    """Every name a view, form or selector reads from an address or a form."""
    names: set[str] = set()
    for folder in ("views", "forms", "selectors"):
        for path in (ROOT / "journal" / folder).rglob("*.py"):
            text = path.read_text()
            names |= set(re.findall(r"""(?:GET|POST|query|data)\.(?:get|getlist)\(\s*["'](\w+)""", text))
            names |= set(re.findall(r"""(?:GET|POST)\[["'](\w+)""", text))
    return sorted(names)


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def ask(client: Client, failures: Failures, method: str, url: str, data: dict[str, Any], **extra: Any) -> int:
    answer = undone(lambda: getattr(client, method)(url, data, **extra))
    if answer.status_code >= 500 and "Retry-After" not in answer:
        shown = {k: str(v)[:60] for k, v in data.items()}
        failures.append(f"{answer.status_code} {method} {url} {shown}")
    return int(answer.status_code)


def test_every_parameter_of_every_page(people: People, ids: dict[str, Any], failures: Failures) -> None:
    rng, client = random.Random(3), signed_in(people.owner)
    client.defaults["HTTP_REFERER"] = "nowhere"
    names = names_of_parameters()
    assert {"page", "q", "account", "rows", "expiry"} <= set(names)
    for name, path in PAGES:
        if name == "health":
            continue  # it says 503 while no worker runs
        url = address(path, ids)
        for _ in range(max(1, round(FACTOR))):
            chosen = rng.sample(names, 12)
            data = {one: rng.choice(TEXTS)[:2000] for one in chosen}
            ask(client, failures, "post" if name in POST_ONLY else "get", url, data)
            safe = {one: text for one, text in data.items() if "\x00" not in text}
            ask(client, failures, "post" if name in POST_ONLY else "get", url, safe)


def test_ids_that_are_none(people: People, ids: dict[str, Any], failures: Failures) -> None:
    client = signed_in(people.owner)
    for name, path in PAGES:
        if "<" not in path:
            continue
        for bad in ("0", "x", "%00", "٣", "9" * 400, "00000000-0000-0000-0000-00000000000g", "2026-02-30"):
            url = "/" + re.sub(r"<[^>]+>", bad, path)
            code = ask(client, failures, "post" if name in POST_ONLY else "get", url, {})
            assert code in (400, 404, 200, 405), (code, url)


def spoiled(form: Form, rng: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = dict(form.fields)
    data.pop("csrfmiddlewaretoken", None)
    if not data and not form.files:
        return {}
    for _ in range(rng.choice((1, 1, 2))):
        if data:
            data[rng.choice(list(data))] = rng.choice(TEXTS)
    for name in form.files:
        junk = rng.choice(
            [b"", b"\x00" * 50, b"PK\x03\x04" + b"\x00" * 30, b"a,b\n" * 9, b"<?xml?><!DOCTYPE a>"]
        )
        data[name] = SimpleUploadedFile(rng.choice(["a.csv", "x" * 300, "\u202ea.png", "../a"]), junk)
    return data


def test_every_form_as_its_page_renders_it(people: People, ids: dict[str, Any], failures: Failures) -> None:
    """Each form is sent as it is, then with single values spoiled: what is around them stays valid."""
    rng, client = random.Random(4), signed_in(people.owner)
    seen: set[tuple[str, str, str]] = set()
    sent = 0
    for name, path in PAGES:
        if name in POST_ONLY or path.endswith(".csv"):
            continue
        url = address(path, ids)
        page = undone(lambda url=url: client.get(url))
        if page.status_code != 200 or "html" not in page.headers["Content-Type"]:
            continue
        for form in forms_of(page.content.decode(), url):
            target = urlsplit(form.action)
            key = (re.sub(r"[0-9a-f-]{36}", "ID", target.path), form.method, ",".join(sorted(form.fields)))
            if key in seen or target.path.startswith(("/accounts/", "/demo/")):
                continue
            seen.add(key)
            ask(client, failures, form.method, form.action, {k: v for k, v in form.fields.items() if v})
            wanted = max(2, round(min(5, 2 + len(form.fields)) * FACTOR))
            for _ in range(wanted):
                ask(client, failures, form.method, form.action, spoiled(form, rng))
                sent += 1
    assert len(seen) > 50
    assert sent > 150


@pytest.mark.parametrize(
    "path",
    ["login/", "signup/", "password/reset/", "email/", "password/change/", "reauthenticate/",
     "2fa/authenticate/", "2fa/webauthn/login/", "2fa/webauthn/add/", "2fa/totp/activate/"],
)  # fmt: skip
def test_sign_in(people: People, failures: Failures, path: str) -> None:
    rng = random.Random(5)
    credentials = ["{}", "[]", "null", "1", '"x"', '{"id": 1}', '{"id":"x","response":{"userHandle":"AAAA"}}',
                   '{"id":"_","rawId":"_","type":"public-key","response":{}}', LONG, "{",
                   deep(60_000)]  # fmt: skip
    for client in (Client(raise_request_exception=False), signed_in(people.owner)):
        for i in range(max(4, round(8 * FACTOR))):
            data = {name: rng.choice(TEXTS)[:5000] for name in
                    ("login", "username", "email", "password", "password1", "password2", "next", "code",
                     "name", "action_add", "oldpassword")}  # fmt: skip
            data["credential"] = credentials[i % len(credentials)]
            data = {k: v for k, v in data.items() if "\x00" not in v} if i % 3 else data
            ask(client, failures, "post", f"/accounts/{path}", data, REMOTE_ADDR=f"198.51.100.{i}")
            ask(client, failures, "get", f"/accounts/{path}", {"next": data.get("next", "")})
