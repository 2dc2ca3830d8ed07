"""The cash ledger and the capital page: append-only, once, gated, for members only."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from journal.errors import RuleError
from journal.models import AuditEvent, CashEntry
from journal.selectors.cash.ledger import cash_balance
from journal.services.cash.ledger import Gate, cash_record, cash_reverse
from tests.journal.people import People, answers, make_people

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 2)
OPEN, SHUT, DARK = Gate("a", "1", True), Gate("b", "2", False), Gate("c", "unknown", None)


@pytest.fixture
def people() -> People:
    return make_people()


def record(people: People, kind: str, amount: str, **more: object) -> CashEntry:
    given = {"user": people.owner, "account": people.account, "day": DAY, **more}
    return cash_record(kind=kind, amount=Decimal(amount), **given)  # type: ignore[arg-type]


def test_balances_follow_from_signed_entries_and_corrections_cancel(people: People) -> None:
    record(people, "deposit", "1000.00")
    record(people, "withdrawal", "200.50")
    record(people, "interest_earned", "12.34")
    record(people, "interest_paid", "5.00")
    record(people, "fee", "1.25")
    record(people, "dividend", "0.80")
    record(people, "other_credit", "2.00")
    record(people, "other_debit", "0.30")
    record(people, "borrow", "300")
    record(people, "repay", "100")
    record(people, "allocate", "50", purpose="wing_adjustment")
    wrong = record(people, "deposit", "7777")
    cash_reverse(user=people.owner, entry=wrong, reason="another account")
    found = cash_balance(people.account, DAY)
    assert (found.contributed, found.result) == (Decimal("799.50"), Decimal("8.59"))
    assert (found.loan, found.bucket) == (Decimal(200), Decimal(50))
    assert AuditEvent.objects.filter(action="cash.reverse").count() == 1
    with pytest.raises(RuleError, match="already"):
        cash_reverse(user=people.owner, entry=wrong, reason="again")


def test_bills_are_kept_at_cost_and_a_later_day_may_not_be_overdrawn(people: People) -> None:
    bought = record(people, "bill_buy", "98650.00")
    record(people, "bill_mature", "90000.00", day=date(2026, 11, 12))
    assert cash_balance(people.account, date(2026, 11, 11)).bills == Decimal("98650.00")
    assert cash_balance(people.account, date(2026, 11, 12)).bills == Decimal("8650.00")
    with pytest.raises(RuleError, match="on 2026-11-12, where a later entry used it"):
        record(people, "bill_sell", "9000.00", day=date(2026, 11, 5))
    with pytest.raises(RuleError, match="on 2026-11-12, where a later entry used it"):
        cash_reverse(user=people.owner, entry=bought, reason="typed twice")
    assert CashEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "amount", "more"),
    [
        ("deposit", "0", {}),
        ("deposit", "-1", {}),
        ("deposit", "1.005", {}),
        ("deposit", "NaN", {}),
        ("deposit", "1", {"day": date(2100, 1, 1)}),
        ("deposit", "1", {"day": date(1900, 1, 1)}),
        ("gift", "1", {}),
        ("allocate", "1", {}),
        ("release", "1", {"purpose": "leverage"}),
        ("repay", "1", {}),
        ("bill_mature", "1", {}),
        ("deposit", "1", {"purpose": "leverage"}),
        ("allocate", "1", {"purpose": "leverage"}),
        ("allocate", "1", {"purpose": "leverage", "gates": (OPEN, SHUT)}),
        ("allocate", "1", {"purpose": "leverage", "gates": (OPEN, DARK)}),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    people: People, kind: str, amount: str, more: dict[str, object]
) -> None:
    with pytest.raises(RuleError):
        record(people, kind, amount, **more)
    assert not CashEntry.objects.exists()


def test_leverage_passes_open_gates_and_keeps_them(people: People) -> None:
    entry = record(people, "allocate", "10", purpose="leverage", gates=(OPEN,))
    assert entry.gates == {"a": {"value": "1", "open": True}}


def test_a_double_click_records_once(people: People) -> None:
    first = record(people, "deposit", "10", token="t", source="form")
    assert record(people, "deposit", "10", token="t", source="form") == first
    assert CashEntry.objects.count() == 1


def test_three_users_on_the_page_the_csv_and_the_form(people: People) -> None:
    client = Client()
    assert answers(client, "get", "/attribution/capital/", people)["owner"] == 200
    client.force_login(people.owner)
    values = {
        "kind": "deposit",
        "amount": "25.00",
        "day": "2026-11-02",
        "purpose": "",
        "note": "=1+1",
        "token": "x",
    }
    assert client.post("/attribution/capital/", values).status_code == 302
    assert client.post("/attribution/capital/", {**values, "amount": "0", "token": "y"}).status_code == 400
    page = client.get("/attribution/capital/").content.decode()
    assert "+$25.00" in page
    rows = client.get("/attribution/capital/cash.csv").content.decode().splitlines()
    assert rows[0] == "date,kind,amount,purpose,note,external_id,in_force"
    assert rows[1] == "2026-11-02,deposit,25.00,,'=1+1,x,yes"
    entry = CashEntry.objects.get()
    url = f"/cash/{entry.pk}/reverse/"
    assert answers(client, "post", url, people, reason="wrong") == {
        "owner": 302, "teammate": 403, "stranger": 404, "nobody": 302,
    }  # fmt: skip
    assert CashEntry.objects.count() == 2
    client.force_login(people.teammate)
    client.get("/")
    assert client.post("/attribution/capital/", values).status_code in {302, 403}
    assert CashEntry.objects.filter(account=people.account).count() == 2


def test_three_users_on_the_api_and_a_key_counts_once(people: People) -> None:
    client = Client()
    cash, capital = (f"/api/v1/accounts/{people.account.pk}/{name}/" for name in ("cash", "capital"))
    body = json.dumps({"kind": "interest_earned", "amount": "3.21", "day": "2026-11-02"})
    sent = {"data": body, "content_type": "application/json", "HTTP_IDEMPOTENCY_KEY": "k1"}
    statuses = {}
    for name in ("owner", "teammate", "stranger"):
        client.force_login(getattr(people, name))
        statuses[name] = (
            client.get(cash).status_code,
            client.get(capital).status_code,
            client.post(cash, **sent).status_code,
        )
    assert statuses == {"owner": (200, 200, 201), "teammate": (200, 200, 404), "stranger": (404, 404, 404)}
    client.force_login(people.owner)
    assert client.post(cash, **sent).headers["Idempotent-Replayed"] == "true"
    (entry,) = client.get(cash).json()
    assert entry["amount"] == "3.21"
    reverse = f"/api/v1/cash/{entry['id']}/reverse/"
    for name, expected in (("stranger", 404), ("teammate", 404), ("owner", 201)):
        client.force_login(getattr(people, name))
        answer = client.post(reverse, data=json.dumps({"reason": "no"}), content_type="application/json")
        assert answer.status_code == expected, name
    assert client.get(capital).json()["from"] is None
