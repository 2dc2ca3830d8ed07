"""Cash movements from a file: every problem by line and column, once, undone whole, for members only."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from journal.errors import ConflictError, RuleError
from journal.importers.cash_csv import MAX_PROBLEMS, read_cash
from journal.models import AuditEvent, CashEntry, CashImport
from journal.selectors.cash.ledger import cash_balance
from journal.services.cash.file import (
    CashFileError,
    cash_import_commit,
    cash_import_undo,
    cash_import_upload,
    cash_plan,
    rows_of,
)
from journal.services.cash.ledger import cash_record, cash_reverse
from tests.examples import examples
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db
END = date(2026, 11, 20)
GOOD = b"""date,kind,amount,purpose,note,external_id
2026-01-02,deposit,"150,000.00",,Opening,
2026-01-05,T-bills bought,98650,,26-week bill,B1
2026-01-31,interest_earned,402.50,,,
2026-01-31,interest_earned,402.50,,,
2026-02-02,allocate,5000.00,hedge_financing,,
2026-02-10,fee,-12.25,,data,
2026-02-11,fee,+2.25,,given back,
2026-07-06,bill_mature,98650.00,,,B2
"""


@pytest.fixture
def people() -> People:
    return make_people()


def stage(people: People, data: bytes = GOOD) -> CashImport:
    return cash_import_upload(user=people.owner, account=people.account, filename="a/cash.csv", data=data)


def commit(people: People, data: bytes = GOOD) -> CashImport:
    return cash_import_commit(user=people.owner, batch=stage(people, data))


def problems(people: People, text: str) -> list[tuple[int, str]]:
    with pytest.raises(CashFileError) as refused:
        stage(people, text.encode())
    assert not CashEntry.objects.exists()
    assert not CashImport.objects.exists()
    return [(one.line, one.column) for one in refused.value.problems]


def test_a_file_is_looked_at_then_recorded_once(people: People) -> None:
    batch = stage(people)
    plan = cash_plan(people.account, rows_of(batch))
    assert (len(plan.new), plan.duplicates, plan.alike) == (8, 0, 0)
    assert {kind: (rows, total) for kind, rows, total in plan.totals}["fee"] == (2, Decimal("-10.00"))
    assert not CashEntry.objects.exists()
    assert stage(people).pk == batch.pk  # the same file sent twice is one import
    done = cash_import_commit(user=people.owner, batch=batch, version=batch.version)
    assert (done.recorded, CashEntry.objects.count()) == (8, 8)
    found = cash_balance(people.account, END)
    assert (found.contributed, found.earned, found.fees) == (
        Decimal("150000.00"), Decimal("805.00"), Decimal("10.00"),
    )  # fmt: skip
    assert (found.bucket, found.bills) == (Decimal("5000.00"), Decimal("0.00"))
    assert cash_balance(people.account, date(2026, 7, 5)).bills == Decimal("98650.00")
    with pytest.raises(RuleError, match="recorded"):
        cash_import_commit(user=people.owner, batch=batch)
    with pytest.raises(ConflictError):
        cash_import_undo(user=people.owner, batch=batch, version=1)
    assert AuditEvent.objects.filter(action="cash.import").count() == 1


def test_the_same_file_again_adds_nothing_and_equal_rows_are_both_kept(people: People) -> None:
    commit(people)
    assert CashEntry.objects.filter(kind="interest_earned").count() == 2
    again = stage(people)
    assert not cash_plan(people.account, rows_of(again)).new
    with pytest.raises(RuleError, match="already"):
        cash_import_commit(user=people.owner, batch=again)
    more = GOOD + b"2026-08-01,interest_earned,402.50,,,\n2026-01-31,interest_earned,402.50,,,\n"
    assert commit(people, more).recorded == 2


def test_undo_restores_the_ledger_and_the_file_can_come_again(people: People) -> None:
    by_hand = cash_record(
        user=people.owner, account=people.account, kind="deposit", amount=Decimal(7), day=date(2026, 1, 3)
    )
    before = cash_balance(people.account, END)
    batch = commit(people)
    undone = cash_import_undo(user=people.owner, batch=batch, version=batch.version)
    assert (undone.state, undone.recorded) == ("undone", 0)
    assert cash_balance(people.account, END) == before
    assert [entry.pk for entry in CashEntry.objects.all()] == [by_hand.pk]
    assert commit(people).recorded == 8


def test_what_another_file_says_as_well_survives_the_undo(people: People) -> None:
    first = commit(people)
    second = commit(people, GOOD + b"2026-08-03,deposit,1.00,,,\n")
    assert second.recorded == 1
    cash_import_undo(user=people.owner, batch=first)
    assert CashEntry.objects.count() == 9
    assert CashImport.objects.get(pk=second.pk).recorded == 9


def test_an_undo_never_loses_what_somebody_did_since(people: People) -> None:
    batch = commit(people)
    entry = CashEntry.objects.get(external_id="B1")
    with pytest.raises(RuleError, match="did not cost"):
        cash_reverse(user=people.owner, entry=entry, reason="the bill matured since")
    cash_record(
        user=people.owner, account=people.account, kind="release", amount=Decimal(5000),
        day=date(2026, 3, 2), purpose="hedge_financing",
    )  # fmt: skip
    with pytest.raises(RuleError, match="later entries used"):
        cash_import_undo(user=people.owner, batch=batch)
    cash_reverse(user=people.owner, entry=CashEntry.objects.get(kind="deposit"), reason="wrong account")
    with pytest.raises(RuleError, match="corrected by hand"):
        cash_import_undo(user=people.owner, batch=batch)
    assert CashEntry.objects.count() == 10


def test_a_row_corrected_by_hand_is_not_recorded_again_by_the_same_file(people: People) -> None:
    commit(people)
    cash_reverse(user=people.owner, entry=CashEntry.objects.get(kind="deposit"), reason="wrong account")
    assert not cash_plan(people.account, rows_of(stage(people))).new


def test_an_entry_by_hand_that_says_the_same_is_pointed_out(people: People) -> None:
    cash_record(
        user=people.owner, account=people.account, kind="deposit", amount=Decimal(150_000),
        day=date(2026, 1, 2), source="form",
    )  # fmt: skip
    plan = cash_plan(people.account, rows_of(stage(people)))
    assert [one.row.line for one in plan.new if one.alike] == [2]


def test_every_problem_is_told_with_line_and_column(people: People) -> None:
    text = """date,kind,amount,purpose,note,external_id
01/02/2026,gift,1.005,fun,,A
2026-02-30,deposit,-5,,,A
2999-01-01,deposit,1_000,,,
2026-01-05,deposit,0,,,
2026-01-05,deposit,5,leverage,,
2026-01-05,allocate,5,,,
2026-01-05,allocate,5,leverage,,
2026-01-05,bill_sell,5,,,
2026-01-05,deposit,5,,,,extra
"""
    found = problems(people, text)
    assert Counter(line for line, _ in found)[2] == 3
    assert {column for line, column in found if line == 2} == {"date", "kind", "purpose"}
    assert {column for line, column in found if line == 3} == {"date", "amount"}
    assert (4, "amount") in found
    assert (5, "amount") in found
    assert [(line, column) for line, column in found if line in {6, 7, 8, 9}] == [
        (6, "purpose"), (7, "purpose"), (8, "purpose"), (9, "amount"),
    ]  # fmt: skip
    assert (10, "") in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("date,kind\n2026-01-02,deposit\n", [(1, "amount")]),
        ("date,kind,amount,colour\n", [(1, "colour")]),
        ("date,kind,amount,date\n", [(1, "date")]),
        ("date|kind|amount\n2026-01-02|deposit|1\n", [(1, "date"), (1, "kind"), (1, "amount")]),
        ("date,kind,amount\n", [(1, "")]),
        ('date,kind,amount\n2026-01-02,"deposit,1\n', [(2, "")]),
        ("date,kind,amount\n2026-01-02,deposit,1.001\n", [(2, "amount")]),
        ("date,kind,amount\n2026-01-02,deposit,99999999999\n", [(2, "amount")]),
        ("date,kind,amount,id\n2026-01-02,fee,1,A\n2026-01-02,fee,2,A\n", [(3, "external_id")]),
        ("date,kind,amount,note\n2026-01-02,fee,1," + "x" * 201 + "\n", [(2, "note")]),
    ],
)
def test_a_file_that_cannot_be_is_refused_whole(
    people: People, text: str, expected: list[tuple[int, str]]
) -> None:
    found = problems(people, text)
    assert found[0] in expected
    assert {place for place in expected if place[0] != 1 or place in found} <= set(found)


def test_many_problems_are_counted_not_listed(people: People) -> None:
    rows = "".join("2026-01-02,gift,1\n" for _ in range(MAX_PROBLEMS + 25))
    with pytest.raises(CashFileError) as refused:
        stage(people, f"date,kind,amount\n{rows}".encode())
    assert (len(refused.value.problems), refused.value.more) == (MAX_PROBLEMS, 25)


def test_an_id_recorded_with_other_figures_is_a_problem(people: People) -> None:
    commit(people)
    with pytest.raises(CashFileError, match="recorded as bill_buy of 98,650"):
        stage(people, b"date,kind,amount,external_id\n2026-01-05,bill_buy,98651.00,B1\n")


def test_the_ledgers_own_file_read_back_adds_nothing_and_fills_another_account(people: People) -> None:
    commit(people)
    cash_reverse(user=people.owner, entry=CashEntry.objects.get(note="data"), reason="twice")
    cash_record(user=people.owner, account=people.account, kind="withdrawal", amount=Decimal(9), day=END)
    client = Client()
    client.force_login(people.owner)
    written = client.get("/attribution/capital/cash.csv").content
    here = cash_plan(people.account, read_cash(written).rows)
    assert (len(here.new), here.problems) == (0, ())
    other = people.stranger.accounts.get()
    batch = cash_import_upload(user=people.stranger, account=other, filename="x.csv", data=written)
    assert batch.left_out == 2
    cash_import_commit(user=people.stranger, batch=batch)
    assert cash_balance(other, END) == cash_balance(people.account, END)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: f"date,kind,amount\n{t}".encode()))
@examples(300)
def test_no_bytes_break_the_reader(data: bytes) -> None:
    found = read_cash(data)
    assert found.rows or found.problems or found.left_out
    assert all(row.amount >= 0 for row in found.rows)


def test_three_users_on_the_pages(people: People) -> None:
    client, statuses = Client(), {}
    for name in ("owner", "teammate", "stranger"):
        client.force_login(getattr(people, name))
        sent = client.post("/cash/imports/", {"file": SimpleUploadedFile("cash.csv", GOOD)})
        statuses[name] = sent.status_code
    assert statuses == {"owner": 302, "teammate": 403, "stranger": 302}
    batch = CashImport.objects.get(account=people.account)
    page = f"/cash/imports/{batch.pk}/"
    expected = {"owner": (200, 302), "teammate": (200, 403), "stranger": (404, 404)}
    for name, codes in expected.items():
        client.force_login(getattr(people, name))
        assert (client.get(page).status_code, client.post(f"{page}commit/").status_code) == codes, name
    client.force_login(people.owner)
    text = client.get(page).content.decode()
    assert "Undo this import" in text
    assert "26-week bill" in text
    assert client.post(f"{page}undo/").status_code == 302
    assert not CashEntry.objects.filter(account=people.account).exists()
    assert client.post(f"{page}discard/").status_code == 302
    assert client.get(page).status_code == 404
    bad = client.post("/cash/imports/", {"text": "date,kind,amount\n2026-01-02,gift,1\n"})
    assert bad.status_code == 400
    assert "is none of deposit" in bad.content.decode()


def test_three_users_on_the_api(people: People) -> None:
    client = Client()
    url = f"/api/v1/accounts/{people.account.pk}/cash/imports/"
    statuses = {}
    for name in ("stranger", "teammate", "owner"):
        client.force_login(getattr(people, name))
        answer = client.post(url, {"file": SimpleUploadedFile("cash.csv", GOOD)})
        statuses[name] = (client.get(url).status_code, answer.status_code)
    assert statuses == {"stranger": (404, 404), "teammate": (200, 404), "owner": (200, 201)}
    body = answer.json()
    assert (body["plan"]["new"], body["state"]) == (8, "staged")
    one = f"/api/v1/cash-imports/{body['id']}/"
    for name, code in (("stranger", 404), ("teammate", 404), ("owner", 200)):
        client.force_login(getattr(people, name))
        sent = {"data": json.dumps({"version": 1}), "content_type": "application/json"}
        key = {"HTTP_IDEMPOTENCY_KEY": "k"}
        assert client.post(f"{one}commit/", **sent, **key).status_code == code, name
    assert client.post(f"{one}commit/", **sent, **key).headers["Idempotent-Replayed"] == "true"
    assert client.get(one).json()["recorded"] == 8
    assert client.post(f"{one}undo/").json()["state"] == "undone"
    bad = client.post(url, {"file": SimpleUploadedFile("x.csv", b"date,kind,amount\n2026-1-2,fee,x\n")})
    assert bad.status_code == 400
    assert {(e["line"], e["column"]) for e in bad.json()["errors"]} == {(2, "date"), (2, "amount")}


def test_the_command_says_records_and_takes_back(people: People, tmp_path: Path) -> None:
    file, out = tmp_path / "cash.csv", StringIO()
    file.write_bytes(GOOD)
    account = str(people.account.pk)
    call_command("cash_import", account, str(file), "--dry-run", "--json", stdout=out)
    assert json.loads(out.getvalue())["plan"]["new"] == 8
    assert not CashImport.objects.exists()
    call_command("cash_import", account, str(file), stdout=out)
    assert CashEntry.objects.count() == 8
    call_command("cash_import", account, "--undo", str(CashImport.objects.get().pk), stdout=out)
    assert not CashEntry.objects.exists()
    file.write_bytes(b"date,kind,amount\nnever,fee,1\n")
    err = StringIO()
    with pytest.raises(CommandError, match="1 problems; nothing is recorded"):
        call_command("cash_import", account, str(file), stderr=err)
    assert "line 2, date" in err.getvalue()
