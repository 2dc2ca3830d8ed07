"""Accounts: services, and their pages for owner, teammate and stranger."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from hedging.models import Job
from journal.errors import ConflictError, RuleError
from journal.models import Account, AuditEvent, Membership, Role
from journal.selectors.accounts import accounts_for
from journal.services.accounts import (
    FIELDS,
    account_archive,
    account_create,
    account_update,
    member_add,
)
from tests.journal.people import People, answers, collapsed, make_account, make_people, make_user, open_condor

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def form_of(account: Account, **values: object) -> dict[str, object]:
    return {
        **{name: "" if (value := getattr(account, name)) is None else value for name in FIELDS},
        "version": account.version,
        **values,
    }


def test_whoever_creates_an_account_owns_it() -> None:
    user = make_user("ann")
    account = make_account(user, name="Roth")
    assert Membership.objects.get(account=account).role == Role.OWNER
    event = AuditEvent.objects.get(action="account.create")
    assert (event.actor_name, event.changes["base_capital"]) == ("ann", "250000")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"base_capital": Decimal(0)}, "base_capital"),
        ({"base_capital": Decimal("1e15")}, "base_capital"),
        ({"number_masked": "12345678"}, "number_masked"),
        ({"currency": "dollars"}, "currency"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"fee_per_option": Decimal(-1)}, "fee_per_option"),
        ({"max_margin_pct": Decimal(0)}, "max_margin_pct"),
        (
            {"warn_trade_loss_pct": Decimal(11), "max_trade_loss_pct": Decimal(10)},
            "warn_trade_loss_pct",
        ),
        ({"max_trade_loss_pct": Decimal(0)}, "max_trade_loss_pct"),
        ({"kind": "casino"}, "kind"),
        ({"name": ""}, "name"),
    ],
)
def test_wrong_values_name_their_field(values: dict[str, object], field: str) -> None:
    user = make_user("ann")
    with pytest.raises(RuleError) as caught:
        account_create(user=user, **{"name": "A", "broker": "B", "base_capital": Decimal(1), **values})
    assert caught.value.field == field
    assert not Account.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_update_names_what_changed(people: People) -> None:
    account = account_update(
        user=people.owner,
        account=people.account,
        version=1,
        name="Renamed",
        base_capital=Decimal(250_000),
    )
    assert (account.name, account.version, account.book_revision) == ("Renamed", 2, 0)
    assert AuditEvent.objects.get(action="account.update").changes == {"name": ["Main", "Renamed"]}


def test_an_update_without_a_change_leaves_no_trace(people: People) -> None:
    account_update(user=people.owner, account=people.account, version=1, name="Main")
    assert not AuditEvent.objects.filter(action="account.update").exists()


def test_new_capital_asks_for_a_new_valuation(people: People) -> None:
    open_condor(people)
    account_update(user=people.owner, account=people.account, version=1, base_capital=Decimal(9_000_000))
    people.account.refresh_from_db()
    assert people.account.book_revision == 2
    assert Job.objects.filter(input_revision="2").exists()


def test_a_stale_version_overwrites_nothing(people: People) -> None:
    account_update(user=people.owner, account=people.account, version=1, name="First")
    with pytest.raises(ConflictError):
        account_update(user=people.owner, account=people.account, version=1, name="Second")
    people.account.refresh_from_db()
    assert people.account.name == "First"


def test_archiving_twice_is_one_event(people: People) -> None:
    account_archive(user=people.owner, account=people.account)
    account_archive(user=people.owner, account=people.account)
    assert AuditEvent.objects.filter(action="account.archive").count() == 1
    account = account_archive(user=people.owner, account=people.account, archived=False)
    assert account.archived_at is None
    with pytest.raises(ConflictError):
        account_archive(user=people.owner, account=people.account, version=1)


def test_a_member_is_added_once(people: People) -> None:
    member_add(user=people.owner, account=people.account, member=people.teammate, role=Role.VIEWER)
    assert AuditEvent.objects.filter(action="account.member_add").count() == 1


def test_the_gate_knows_roles(people: People) -> None:
    assert Account.objects.for_user(people.teammate).get() == people.account
    assert not Account.objects.for_user(people.teammate, (Role.OWNER,)).exists()
    assert people.account not in Account.objects.for_user(people.stranger)
    rows = {name: accounts_for(getattr(people, name)) for name in ("owner", "teammate", "stranger")}
    assert [row.may_manage for row in rows["owner"]] == [True]
    assert [row.may_manage for row in rows["teammate"]] == [False]
    assert [row.account.name for row in rows["stranger"]] == ["Elsewhere"]


# -- pages --------------------------------------------------------------------------------


def test_list_shows_own_accounts_with_members(client: Client, people: People) -> None:
    url = reverse("journal:accounts")
    found = answers(client, "get", url, people)
    assert found == {"owner": 200, "teammate": 200, "stranger": 200, "nobody": 302}
    client.force_login(people.teammate)
    page = client.get(url).content.decode()
    assert "****868" in page
    assert "owner (owner)" in collapsed(page)
    assert reverse("journal:account_edit", args=[people.account.pk]) not in page
    client.force_login(people.stranger)
    assert "owner (owner)" not in client.get(url).content.decode()


def test_a_user_without_accounts_is_shown_the_way(client: Client) -> None:
    client.force_login(make_user("new"))
    page = client.get(reverse("journal:accounts")).content.decode()
    assert "No account yet" in page
    assert "Load demo data" in page


@pytest.mark.parametrize(
    ("name", "method"), [("account_edit", "get"), ("account_edit", "post"), ("account_archive", "post")]
)
def test_managing_is_for_owners(client: Client, people: People, name: str, method: str) -> None:
    url = reverse(f"journal:{name}", args=[people.account.pk])
    found = answers(client, method, url, people)
    assert found["teammate"] == 403
    assert found["stranger"] == 404
    assert found["nobody"] == 302
    assert found["owner"] in {200, 302}


def test_a_missing_account_answers_like_a_foreign_one(client: Client, people: People) -> None:
    client.force_login(people.owner)
    assert client.get(reverse("journal:account_edit", args=[uuid4()])).status_code == 404


def test_creating_through_the_page(client: Client, people: People) -> None:
    client.force_login(people.stranger)
    data = form_of(people.account, name="New one", base_capital="1000.50")
    answer = client.post(reverse("journal:account_create"), data)
    assert answer.status_code == 302
    account = Account.objects.get(name="New one")
    assert account.base_capital == Decimal("1000.50")
    assert Account.objects.for_user(people.stranger).filter(pk=account.pk).exists()
    assert client.session["current_account"] == str(account.pk)


def test_wrong_input_stays_in_the_form(client: Client, people: People) -> None:
    client.force_login(people.owner)
    data = form_of(people.account, name="Kept", number_masked="12345678")
    answer = client.post(reverse("journal:account_create"), data)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Keep the last digits only" in page
    assert 'value="Kept"' in page
    data = form_of(people.account, warn_trade_loss_pct="20", max_trade_loss_pct="10")
    page = client.post(reverse("journal:account_create"), data).content.decode()
    assert "The warning level must be below the limit." in page


def test_editing_and_the_conflict(client: Client, people: People) -> None:
    client.force_login(people.owner)
    url = reverse("journal:account_edit", args=[people.account.pk])
    assert client.post(url, form_of(people.account, name="Edited")).status_code == 302
    stale = client.post(url, form_of(people.account, name="Later"))
    assert stale.status_code == 409
    assert "Somebody changed this account meanwhile" in stale.content.decode()
    people.account.refresh_from_db()
    assert people.account.name == "Edited"


def test_archive_and_restore(client: Client, people: People) -> None:
    client.force_login(people.owner)
    url = reverse("journal:account_archive", args=[people.account.pk])
    for _ in range(2):
        client.post(url)
        people.account.refresh_from_db()
        assert people.account.archived_at is not None
    client.post(url, {"restore": "1"})
    people.account.refresh_from_db()
    assert people.account.archived_at is None


def test_switching_accounts(client: Client, people: People) -> None:
    url = reverse("journal:switch_account")
    found = answers(client, "post", url, people, account=str(people.account.pk))
    assert found == {"owner": 302, "teammate": 302, "stranger": 404, "nobody": 302}
    client.force_login(people.owner)
    for wrong in ("", "x", str(uuid4())):
        assert client.post(url, {"account": wrong}).status_code == 404
    answer = client.post(url, {"account": str(people.account.pk)}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
    away = client.post(url, {"account": str(people.account.pk)}, headers={"Referer": "https://evil.example/"})
    assert away["Location"] == reverse("journal:dashboard")
    assert client.get(url).status_code == 405
