"""Cash movements and VX futures of broker files: recorded, told apart, asked about, undone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from journal.errors import RuleError
from journal.importers.broker_symbols import OutsideError, read_future, read_symbol
from journal.importers.text import CellError
from journal.models import Account, CashEntry, Fill, ImportBatch, ImportRow, ImportSetting, Trade
from journal.services.cash.ledger import cash_record, cash_reverse
from journal.services.imports.cash_rows import FILE_KINDS
from journal.services.imports.commit import import_commit, import_undo
from journal.services.imports.stage import import_upload, row_fix
from tests.importers.cases import FLEX_CASH, HEADER, TASTY_FUTURES, THINKORSWIM_FUTURES, tasty
from tests.journal.people import People, collapsed, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people(time_zone="America/New_York")


def moved(day: str, name: str, amount: str, words: str = "x", symbol: str = "") -> str:
    """A money movement of tastytrade."""
    return f"{day},Money Movement,{name},,{symbol},,{words},{amount},0,,--,0.00,,,,,,,,{amount},USD"


def stage(people: People, text: str, name: str = "a") -> ImportBatch:
    return import_upload(user=people.owner, account=people.account, filename=name, data=text.encode())


def tasty_stage(people: People, *lines: str) -> ImportBatch:
    return stage(people, "\n".join([HEADER, *lines]) + "\n")


def commit(people: People, batch: ImportBatch) -> ImportBatch:
    return import_commit(user=people.owner, batch=batch)


def ledger() -> list[tuple[str, str, str]]:
    return sorted((e.kind, str(e.amount), str(e.day)) for e in CashEntry.objects.all())


DEPOSIT = moved("2025-10-02T09:00:00+1300", "Deposit", "500.00")


def test_kinds_a_file_can_state_are_kinds_of_the_ledger() -> None:
    from journal.importers import movements

    sides = [value for value in vars(movements).values() if isinstance(value, movements.Sides)]
    assert len(sides) == 9
    assert {kind for side in sides for kind in side if kind} == {kind.value for kind in FILE_KINDS}


def test_a_movement_is_an_entry_of_its_new_york_day_until_the_import_is_undone(people: People) -> None:
    batch = tasty_stage(
        people, DEPOSIT, moved("2025-10-03T09:00:00-0400", "Balance Adjustment", "0.01", "Fee")
    )
    assert batch.plan["cash_movements"]["total"] == "500.01"
    assert not CashEntry.objects.exists()
    batch = commit(people, batch)
    # half past four in the afternoon of the first; a fee given back stays a fee
    assert ledger() == [("deposit", "500.00", "2025-10-01"), ("fee", "0.01", "2025-10-03")]
    assert batch.plan["entries_made"] == 2
    assert commit(people, batch).pk == batch.pk
    again = tasty_stage(people, moved("2025-10-01T20:00:00+0000", "Deposit", "500.00"))
    assert (again.counts["new"], again.counts["duplicate"]) == (0, 1)
    import_undo(user=people.owner, batch=batch)
    assert ledger() == []


def test_two_equal_movements_of_one_file_are_both_kept(people: People) -> None:
    commit(people, tasty_stage(people, DEPOSIT, DEPOSIT))
    assert len(ledger()) == 2
    assert tasty_stage(people, DEPOSIT, DEPOSIT).counts["new"] == 0


def test_undo_leaves_a_movement_that_another_file_states_as_well(people: People) -> None:
    first = commit(people, tasty_stage(people, DEPOSIT))
    commit(people, tasty_stage(people, DEPOSIT, moved("2025-10-03T09:00:00-0400", "Withdrawal", "-5.00")))
    import_undo(user=people.owner, batch=first)
    assert ledger() == [("deposit", "500.00", "2025-10-01"), ("withdrawal", "-5.00", "2025-10-03")]


def test_undo_is_refused_when_an_entry_was_corrected_by_hand(people: People) -> None:
    batch = commit(people, tasty_stage(people, DEPOSIT))
    cash_reverse(user=people.owner, entry=CashEntry.objects.get(), reason="not mine")
    with pytest.raises(RuleError, match="corrected by hand"):
        import_undo(user=people.owner, batch=batch)
    assert ImportRow.objects.get(kind="cash").status == "recorded"
    assert commit(people, tasty_stage(people, DEPOSIT)).counts["duplicate"] == 1
    assert len(ledger()) == 2


@pytest.mark.parametrize(
    ("name", "amount", "why"),
    [("Withdrawal", "5.00", "received"), ("Deposit", "-5.00", "paid"), ("Debit Interest", "1.00", "received"),
     ("Crypto Reward", "1.00", "not known")],
)  # fmt: skip
def test_what_contradicts_its_name_or_has_none_is_asked_about(
    name: str, amount: str, why: str, people: People
) -> None:
    batch = tasty_stage(people, moved("2025-10-03T09:00:00-0400", name, amount))
    (row,) = batch.rows.filter(status="error")
    assert name in row.message
    assert why in row.message
    check = batch.plan["reconciliation"]
    assert (check["lines"][0]["line"], check["difference"]) == ("error", "0.00")


def test_an_answer_is_kept_for_the_name_in_this_file_and_later_ones(people: People) -> None:
    days = [f"2025-10-0{n}T09:00:00-0400" for n in (1, 2, 3)]
    batch = tasty_stage(people, *[moved(day, "Crypto Reward", "1.00") for day in days[:2]])
    row = batch.rows.filter(status="error").first()
    assert row is not None
    values = {"kind": "cash", "ledger": "other_credit", "amount": Decimal(1), "day": date(2025, 10, 1)}
    with pytest.raises(RuleError, match="sign"):
        row_fix(user=people.owner, batch=batch, row_id=row.pk, values={**values, "ledger": "withdrawal"})
    row_fix(user=people.owner, batch=batch, row_id=row.pk, values={**values, "remember": True})
    batch.refresh_from_db()
    assert (batch.counts["new"], batch.counts["error"]) == (2, 0)
    commit(people, batch)
    assert ledger() == [("other_credit", "1.00", "2025-10-01"), ("other_credit", "1.00", "2025-10-02")]
    assert ImportSetting.objects.get().movements == {"crypto reward": "other_credit"}
    later = tasty_stage(people, moved(days[2], "CRYPTO REWARD", "2.00"))
    assert (later.counts["new"], later.counts["error"]) == (1, 0)
    client = Client()
    client.force_login(people.owner)
    assert "“crypto reward”: Other credit" in client.get(f"/imports/{later.pk}/").content.decode()
    client.post(
        f"/imports/{later.pk}/read/",
        {"version": later.version, "zone": "America/New_York", "forget": ["crypto reward"]},
    )
    later.refresh_from_db()
    assert (later.counts["new"], later.counts["error"]) == (0, 1)
    elsewhere = Account.objects.exclude(pk=people.account.pk).get()
    other = import_upload(
        user=people.stranger, account=elsewhere, filename="a",
        data=f"{HEADER}\n{moved(days[2], 'Crypto Reward', '2.00')}".encode(),
    )  # fmt: skip
    assert other.counts["error"] == 1


def test_a_name_may_be_left_out_for_good(people: People) -> None:
    batch = tasty_stage(people, moved("2025-10-03T09:00:00-0400", "Crypto Reward", "1.00"))
    row = batch.rows.get(status="error")
    row_fix(user=people.owner, batch=batch, row_id=row.pk, values={"kind": "note", "remember": True})
    later = tasty_stage(people, moved("2025-10-06T09:00:00-0400", "Crypto Reward", "3.00"))
    assert (later.counts["new"], later.counts["error"]) == (0, 0)
    lines = {line["line"]: line["amount"] for line in later.plan["reconciliation"]["lines"]}
    assert lines == {"inner": "3.00"}


def test_an_entry_by_hand_is_pointed_at_and_the_row_stays_left_out(people: People) -> None:
    cash_record(
        user=people.owner, account=people.account, kind="deposit", amount=Decimal(500), day=date(2025, 10, 1)
    )
    batch = tasty_stage(people, DEPOSIT, moved("2025-10-03T09:00:00-0400", "Withdrawal", "-5.00"))
    assert batch.plan["cash_movements"]["perhaps_twice"] == [2]
    row = batch.rows.get(line=2)
    row_fix(user=people.owner, batch=batch, row_id=row.pk, values={"kind": "note"})
    batch.refresh_from_db()
    assert batch.plan["cash_movements"]["perhaps_twice"] == []
    lines = {line["line"]: line["amount"] for line in batch.plan["reconciliation"]["lines"]}
    assert lines == {"cash": "-5.00", "left_out": "500.00"}
    commit(people, batch)
    assert tasty_stage(people, DEPOSIT).counts["new"] == 0
    assert [row[0] for row in ledger()] == ["deposit", "withdrawal"]


def test_thinkorswim_futures_are_booked_by_price_and_both_books_tie_out(people: People) -> None:
    batch = commit(people, stage(people, THINKORSWIM_FUTURES))
    trade = Trade.objects.get()
    # (22.60 − 20.10) × 1,000 less four costs; the file moved 900.00 by its mark and 1,600.00 at the close
    assert (trade.status, trade.realized) == ("closed", Decimal("2492.02"))
    assert Fill.objects.first().contract.symbol == "VX/2025-12-17"  # type: ignore[union-attr]
    assert ledger() == [
        ("deposit", "2000.00", "2025-11-03"), ("dividend", "3.21", "2025-11-05"),
        ("interest_paid", "-1.21", "2025-11-05"),
    ]  # fmt: skip
    check = batch.plan["reconciliation"]
    assert {line["line"]: (line["rows"], line["amount"]) for line in check["lines"]} == {
        "trades": (2, "1592.02"), "cash": (3, "2002.00"), "outside": (2, "-10043.65"), "inner": (3, "900.00"),
    }  # fmt: skip
    # −8,538.00 of the cash balance and 2,988.37 of the futures balance
    assert (check["stated"], check["difference"]) == ("-5549.63", "0.00")
    assert {total["name"]: total["difference"] for total in batch.totals}["Futures balance"] == "0.00"
    assert batch.plan["cash"] == "2492.02"


def test_tastytrade_futures_take_their_price_from_the_words(people: People) -> None:
    batch = commit(people, stage(people, TASTY_FUTURES))
    trade = Trade.objects.get()
    assert (trade.status, trade.net_cash, trade.fees_total) == ("open", Decimal(2500), Decimal("10.35"))
    assert "hedge layer" in batch.plan["shown"][0]["review"]
    assert "VXM" in batch.rows.get(status="outside").message
    assert ledger() == [("dividend", "-0.05", "2025-11-04"), ("withdrawal", "-50.00", "2025-11-04")]
    check = {line["line"]: line["amount"] for line in batch.plan["reconciliation"]["lines"]}
    assert check == {"trades": "-10.35", "cash": "-50.05", "outside": "-1.85", "inner": "-150.00"}


def test_flex_cash_is_recorded_once_beside_its_sums_and_ties_to_the_cash_report(people: People) -> None:
    from hedging.models import DailyBar

    DailyBar.objects.create(source="t", symbol="VRO", date=date(2025, 12, 17), close=Decimal("16.70"))
    batch = commit(people, stage(people, FLEX_CASH))
    trade = Trade.objects.get()
    assert (trade.status, trade.realized) == ("closed", Decimal("-6904.76"))  # 2 × (16.65 − 20.10) × 1,000
    assert ledger() == [
        ("deposit", "10000.00", "2025-11-03"), ("dividend", "3.40", "2025-11-06"),
        ("interest_earned", "12.34", "2025-11-05"), ("other_debit", "-0.51", "2025-11-06"),
    ]  # fmt: skip
    check = batch.plan["reconciliation"]
    assert (check["stated"], check["difference"]) == ("9005.48", "0.00")
    (settled,) = batch.plan["settlements"]
    assert (settled["cash"], settled["computed"], settled["difference"]) == (
        "-6900.00",
        "-6800.00",
        "-100.00",
    )
    assert stage(people, FLEX_CASH).counts["new"] == 0


def test_other_currencies_are_asked_about(people: People) -> None:
    text = FLEX_CASH.replace(
        'currency="USD" description="USD CREDIT', 'currency="EUR" description="EUR CREDIT'
    )
    batch = stage(people, text)
    assert batch.rows.get(status="error").message == "EUR is not dollars: say how many dollars it was."


def test_month_codes_name_the_next_such_contract() -> None:
    day = date(2025, 11, 5)
    for text in ("/VXZ5", "VXZ5", "/VXZ25:XCBF", "VX/2025-12-17", "vxz25"):
        spec = read_future(text, day)
        assert spec is not None
        assert spec.symbol == "VX/2025-12-17"
    january = read_future("/VXF6", day)
    assert january is not None
    assert january.symbol == "VX/2026-01-21"
    assert read_future("/ESZ5", day) is None
    assert read_future("VXX", day) is None
    assert read_symbol("/VXZ25").symbol == "VX/2025-12-17"
    with pytest.raises(CellError, match="two digits"):
        read_symbol("/VXZ5")
    with pytest.raises(CellError, match="settle on 2025-12-17"):
        read_symbol("VX/2025-12-16")
    with pytest.raises(OutsideError, match="Mini"):
        read_symbol("/VXMZ5")
    with pytest.raises(OutsideError, match="tenth of SPX"):
        read_symbol("XSP   251219P00580000")


def test_the_wizard_and_the_api_mend_a_movement(people: People) -> None:
    client = Client()
    client.force_login(people.owner)
    batch = tasty_stage(
        people, DEPOSIT, moved("2025-10-03T09:00:00-0400", "Crypto Reward", "1.00"),
        tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1"),
    )  # fmt: skip
    page = client.get(f"/imports/{batch.pk}/?rows=all").content.decode()
    assert "Deposit, 2025-10-01" in page
    assert "\N{MINUS SIGN}1 SPXW 6600 P · Oct 3 &#x27;25 (PM) at 3.00 open" in page
    assert "Where the money of this file went" in page
    assert "Change <span" in collapsed(page)
    assert b"Deposit, 2025-10-01" in client.get(f"/imports/{batch.pk}/?rows=cash").content
    row = batch.rows.get(status="error")
    url = f"/imports/{batch.pk}/row/?row={row.pk}"
    form = collapsed(client.get(url).content.decode())
    assert 'value="2025-10-03"' in form
    assert "every “Crypto Reward”" in form
    bad = client.post(url, {"kind": "cash", "ledger": "", "amount": "1.00", "day": "2025-10-03"})
    assert (bad.status_code, b"This is needed." in bad.content) == (400, True)
    future = client.post(
        url, {"kind": "cash", "ledger": "other_credit", "amount": "1.00", "day": "2999-01-01"}
    )
    assert (future.status_code, b"in the future" in future.content) == (400, True)
    batch.refresh_from_db()
    values = {"row": row.pk, "kind": "cash", "ledger": "other_credit", "amount": "1.00", "day": "2025-10-03"}
    answer = client.post(
        f"/api/v1/imports/{batch.pk}/fix/",
        {**values, "version": batch.version},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["cash_movements"]["count"] == 2
    assert answer.json()["reconciliation"]["difference"] == "0.00"
    fill = batch.rows.get(kind="fill")
    assert client.get(f"/imports/{batch.pk}/row/?row={fill.pk}").status_code == 302
    done = client.post(f"/imports/{batch.pk}/commit/", {}, follow=True).content.decode()
    assert "3 rows recorded: 1 new trades, 2 cash movements." in done
    sent = client.post("/imports/", {"account": people.account.pk, "file": SimpleUploadedFile("b", b"x")})
    assert sent.status_code == 302
