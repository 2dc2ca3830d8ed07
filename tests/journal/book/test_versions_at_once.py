"""Two edits of one version at the same moment: one is stored, the other is told, nothing is overwritten."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from journal.models import Account
from tests.journal.people import make_people

ROUNDS = 200


@pytest.mark.django_db(transaction=True)
def test_of_two_edits_of_one_version_one_is_stored() -> None:
    people = make_people(is_demo=True)
    key = Token.objects.create(user=people.owner).key
    path, start = f"/api/v1/accounts/{people.account.pk}/", people.account.version
    together = threading.Barrier(2)
    answers: dict[str, list[tuple[int, str]]] = {"one": [], "two": []}

    def edit(name: str) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        try:
            for number in range(ROUNDS):
                body = {"name": f"{name} {number}", "version": start + number}
                together.wait(30)
                answer = client.patch(path, body, format="json")
                answers[name].append((answer.status_code, body["name"]))
                together.wait(30)
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=(name,)) for name in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rounds = list(zip(*answers.values(), strict=True))
    assert len(rounds) == ROUNDS
    assert {tuple(sorted(code for code, _ in pair)) for pair in rounds} == {(200, 409)}
    account = Account.objects.get(pk=people.account.pk)
    assert account.version == start + ROUNDS
    assert account.name == next(name for code, name in rounds[-1] if code == 200)
