"""The audit trail: who did what, tied to the request, out of reach of the application."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from journal.models import AuditEvent
from journal.services.audit import audit_record
from journal.services.book.trades import fill_reverse
from tests.journal.people import (
    People,
    close_condor,
    make_account,
    make_people,
    make_user,
    open_condor,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def test_every_change_of_the_book_leaves_a_row(people: People) -> None:
    trade = close_condor(people, open_condor(people))
    fill_reverse(user=people.owner, fill=trade.fills.first(), reason="typo")
    found = AuditEvent.objects.filter(account_id=str(people.account.pk)).order_by("pk")
    assert [event.action for event in found] == [
        "account.create",
        "account.member_add",
        "trade.create",
        "trade.close",
        "fill.reverse",
    ]
    assert {event.actor_id for event in found} == {str(people.owner.public_id)}


def test_an_event_names_its_request(client: Client, people: People) -> None:
    client.force_login(people.owner)
    url = reverse("journal:account_archive", args=[people.account.pk])
    client.post(url)
    event = AuditEvent.objects.get(action="account.archive")
    assert str(UUID(event.request_id)) == event.request_id


def test_long_summaries_are_cut_and_nobody_is_the_system() -> None:
    event = audit_record(actor=None, action="x", summary="y" * 400)
    assert (event.actor_name, len(event.summary)) == ("system", 300)


@pytest.mark.parametrize("is_demo", [False, True])
def test_rows_cannot_be_changed_and_only_the_demo_goes(is_demo: bool) -> None:
    account = make_account(make_user("ann"), is_demo=is_demo)
    event = AuditEvent.objects.get(account_id=str(account.pk))
    assert event.is_demo is is_demo
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).update(summary="nothing happened")
    if is_demo:
        AuditEvent.objects.filter(pk=event.pk).delete()
        assert not AuditEvent.objects.filter(pk=event.pk).exists()
        return
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).delete()
    assert AuditEvent.objects.filter(pk=event.pk).exists()
