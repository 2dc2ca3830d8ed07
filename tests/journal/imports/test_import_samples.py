"""Every sample file from upload to trades, on the ledger. Totals were added by hand and are stated."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from journal.models import CashEntry, Fill, ImportBatch, ImportRow, Trade
from journal.selectors.cash.ledger import cash_balance
from journal.services.imports.commit import import_commit, import_undo
from journal.services.imports.stage import import_upload
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people(fee_per_option=Decimal(0))


@pytest.fixture
def folder(data_dir: Path) -> Path:
    return data_dir / "brokers"


def bring(people: People, path: Path, **values: object) -> ImportBatch:
    batch = import_upload(
        user=people.owner, account=people.account, filename=path.name, data=path.read_bytes(), **values
    )  # type: ignore[arg-type]
    return import_commit(user=people.owner, batch=batch)


def ledger() -> list[tuple[str, str, str]]:
    """The cash ledger without its ids."""
    return sorted((e.kind, str(e.amount), str(e.day)) for e in CashEntry.objects.all())


def lines_of(batch: ImportBatch) -> dict[str, tuple[int, str]]:
    """Lines of the reconciliation: rows and dollars."""
    return {line["line"]: (line["rows"], line["amount"]) for line in batch.plan["reconciliation"]["lines"]}


def kinds_of(batch: ImportBatch) -> dict[str, tuple[int, str]]:
    """New cash movements by kind: how many, and dollars."""
    return {k["kind"]: (k["count"], k["total"]) for k in batch.plan["cash_movements"]["kinds"]}


def pnl(trade: Trade) -> Decimal:
    return round(trade.realized, 2)


def test_three_condors_of_tastytrade_earn_the_cash_of_the_file(people: People, folder: Path) -> None:
    batch = bring(people, folder / "tastytrade_2025_spx.csv")
    trades = list(Trade.objects.order_by("opened_at"))
    assert [(t.kind, t.status) for t in trades] == [("condor", "closed")] * 3
    # 11 Sep, cash-settled: opened 174.23 + 351.23 − 103.77 − 288.77 = 132.92; settled −752.00 + 242.00
    # 3 Oct, an iron butterfly: opened 817.92, closed −788.08
    # 6 Oct: opened 162.92, closed −123.08
    assert [pnl(trade) for trade in trades] == [Decimal("-377.08"), Decimal("29.84"), Decimal("39.84")]
    assert batch.plan["cash"] == "-307.40"
    assert trades[0].label == "1 × SPXW iron condor 6525/6530 P – 6580/6585 C · Sep 11 '25 (PM)"
    assert batch.counts == {
        "new": 0, "duplicate": 0, "error": 0, "outside": 346, "other": 3, "recorded": 80, "waiting": 0,
        "undone": 0,
    }  # fmt: skip
    assert Fill.objects.count() == 24


def test_the_tastytrade_file_adds_up_to_its_total_with_every_movement_in_the_ledger(
    people: People, folder: Path
) -> None:
    batch = bring(people, folder / "tastytrade_2025_spx.csv")
    # By hand: 13 deposits 5,998.00; withdrawals −50 and −5 and a journal of −5; interest 0.12 and −8.25;
    # eight dividends 1.87 − 0.29; 26 regulatory adjustments −0.75 + 0.05.
    assert kinds_of(batch) == {
        "deposit": (13, "5998.00"), "withdrawal": (3, "-60.00"), "interest_earned": (4, "0.12"),
        "interest_paid": (2, "-8.25"), "dividend": (8, "1.58"), "fee": (26, "-0.70"),
    }  # fmt: skip
    assert lines_of(batch) == {
        "trades": (24, "-307.40"), "cash": (56, "5930.75"), "outside": (346, "-8985.98"),
    }  # fmt: skip
    check = batch.plan["reconciliation"]
    assert (check["total"], check["stated"], check["difference"]) == ("-3362.63", "-3362.63", "0.00")
    entries = CashEntry.objects.filter(account=people.account)
    assert (entries.count(), sum(e.amount for e in entries)) == (56, Decimal("5930.75"))
    balance = cash_balance(people.account, date(2026, 11, 1))
    assert (balance.contributed, balance.result) == (Decimal("5938.00"), Decimal("-7.25"))
    # 2025-12-24T11:00+1300 was the 23rd in New York; META paid 0.11 less 0.02 tax.
    paid = entries.filter(kind="dividend", note__startswith="META").order_by("amount")
    assert [(str(e.day), str(e.amount)) for e in paid] == [("2025-12-23", "-0.02"), ("2025-12-23", "0.11")]
    outside = batch.rows.filter(status="outside").order_by("position").first()
    assert outside is not None
    assert (outside.line, outside.message) == (2, "SMR options are not kept in this journal.")
    assert outside.raw.startswith("2026-02-28T08:31:39+1300,Trade,Sell to Open")


def test_the_cash_settlement_is_compared_with_the_official_close(people: People, folder: Path) -> None:
    from hedging.models import DailyBar

    DailyBar.objects.create(source="test", symbol="SPX", date="2025-09-11", close=Decimal("6587.47"))
    batch = bring(people, folder / "tastytrade_2025_spx.csv")
    checks = {check["symbol"]: check for check in batch.plan["settlements"]}
    short = checks["SPXW  250911C06580000"]
    assert (short["cash"], short["computed"], short["difference"]) == ("-747.00", "-747.00", "0.00")
    assert checks["SPXW  250911P06530000"]["difference"] == "0.00"


@pytest.mark.parametrize(
    "name",
    ["tastytrade_2025_spx.csv", "tastyworks_legacy_2021.csv", "ibkr_flex_spxw.xml",
     "schwab_transactions_spxw.csv", "thinkorswim_statement_spx.csv", "fidelity_history_spxw.csv"],
)  # fmt: skip
def test_the_same_file_twice_adds_nothing_and_undo_restores(people: People, folder: Path, name: str) -> None:
    first = bring(people, folder / name)
    fills, trades = Fill.objects.count(), {t.pk: (t.realized, t.label) for t in Trade.objects.all()}
    entries = ledger()
    again = import_upload(
        user=people.owner, account=people.account, filename=name, data=(folder / name).read_bytes()
    )
    assert again.counts["new"] == 0
    assert again.counts["duplicate"] == first.counts["recorded"] + first.counts["waiting"]
    import_commit(user=people.owner, batch=again)
    assert (Fill.objects.count(), ledger()) == (fills, entries)
    assert {t.pk: (t.realized, t.label) for t in Trade.objects.all()} == trades
    import_undo(user=people.owner, batch=again)
    assert Fill.objects.count() == fills
    import_undo(user=people.owner, batch=first)
    assert (Fill.objects.count(), Trade.objects.count(), ledger()) == (0, 0, [])
    assert bring(people, folder / name).counts["recorded"] == first.counts["recorded"]
    assert ledger() == entries


def test_thinkorswim_ties_out_and_gives_a_butterfly_and_two_identical_looking_fills(
    people: People, folder: Path
) -> None:
    batch = bring(people, folder / "thinkorswim_statement_spx.csv")
    assert [total["difference"] for total in batch.totals] == ["0.00"] * 4
    assert kinds_of(batch) == {"interest_earned": (1, "1.25")}
    assert lines_of(batch) == {"trades": (6, "-3044.77"), "cash": (1, "1.25")}
    assert batch.plan["reconciliation"]["difference"] == "0.00"  # −3,033.75 − 4.57 − 5.20 = −3,043.52
    assert ledger() == [("interest_earned", "1.25", "2026-06-30")]
    fly, calls = Trade.objects.order_by("opened_at")
    assert fly.label == "1 × SPXW 6500/6600/6700 put butterfly · Apr 10 '26 (PM)"
    assert (fly.status, pnl(fly)) == ("closed", Decimal("-1879.88"))  # −1,875.00 − 2.28 − 2.60
    assert (calls.status, pnl(calls)) == ("open", Decimal("-1164.89"))  # −1,160.00 − 2.29 − 2.60
    assert sum(fill.quantity for fill in calls.fills.all()) == 4
    assert pnl(fly) + pnl(calls) + Decimal("1.25") == Decimal("-3033.75") - Decimal("4.57") - Decimal("5.20")


def test_ibkr_closes_what_it_opened_and_keeps_the_rest_waiting(people: People, folder: Path) -> None:
    batch = bring(people, folder / "ibkr_flex_spxw.xml")
    single, vertical = Trade.objects.order_by("opened_at")
    assert vertical.label == "\N{MINUS SIGN}1 × SPXW 6000/6015 call spread · Jan 2 '26 (PM)"
    assert (vertical.status, pnl(vertical)) == ("closed", Decimal("147.70"))  # 198.80 − 51.10, as realized
    # −1 opened at 2.22 (1.64), one of the two settled at 9.36 belongs to it, with half of 0.20
    assert (single.status, pnl(single)) == ("closed", Decimal("-715.74"))
    assert batch.counts["waiting"] == 2  # the second lot of that row, and three calls that expired
    assert set(ImportRow.objects.filter(status="waiting").values_list("line", flat=True)) == {5, 6}


def test_schwab_and_fidelity_are_grouped_by_day_and_ask_for_a_review(people: People, folder: Path) -> None:
    batch = bring(people, folder / "schwab_transactions_spxw.csv")
    puts, calls = Trade.objects.order_by("opened_at")
    assert (puts.status, pnl(puts)) == ("closed", Decimal("45.48"))  # 161.74 − 116.26, expired
    assert (calls.status, pnl(calls)) == ("open", Decimal("47.74"))  # 60.87 − 13.13
    assert batch.plan["reviews"] == 2
    assert lines_of(batch) == {"trades": (6, "93.22")}  # 45.48 + 47.74
    batch = bring(people, folder / "fidelity_history_spxw.csv")
    (put_spread,) = Trade.objects.filter(opened_at__date="2026-05-27")
    assert pnl(put_spread) == Decimal("479.90")  # 11,293.95 − 10,814.05
    assert batch.plan["reviews"] == 1
    assert lines_of(batch) == {"trades": (2, "479.90"), "outside": (1, "379.95")}  # two NOK calls sold


def test_files_without_index_options_record_their_cash_and_lose_no_row(people: People, folder: Path) -> None:
    batch = bring(people, folder / "tastyworks_legacy_2021.csv")
    assert Trade.objects.count() == 0
    assert kinds_of(batch) == {"interest_earned": (2, "0.04"), "fee": (4, "-0.03")}
    assert lines_of(batch) == {"cash": (6, "0.01"), "outside": (31, "7777.71")}
    assert (batch.counts["recorded"], batch.counts["outside"], batch.counts["other"]) == (6, 31, 1)


def test_an_activity_query_asks_about_cash_that_contradicts_itself(people: People, folder: Path) -> None:
    batch = bring(people, folder / "ibkr_flex_activity_options.xml")
    # 650.00 of "Broker Interest Paid" names a put; 5.20 of "Options Commission" are the fills' own costs
    assert [(row.line, row.cash) for row in batch.rows.filter(status="error").order_by("line")] == [
        (110, Decimal(650)), (121, Decimal("-5.20")),
    ]  # fmt: skip
    # −550.65 + 648.70 + 0 − 628.25 of other products
    assert lines_of(batch) == {"outside": (4, "-530.20"), "error": (2, "644.80")}
    assert (Trade.objects.count(), CashEntry.objects.count()) == (0, 0)
