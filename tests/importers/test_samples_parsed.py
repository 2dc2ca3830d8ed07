"""Every sample file of a broker, read whole; the counts were made by hand with grep and cut."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from journal.importers.read import read_file
from journal.importers.rows import BOOKED, Broker, BrokerFile


@pytest.fixture
def sample(data_dir: Path) -> object:
    def read(name: str) -> BrokerFile:
        return read_file((data_dir / "brokers" / name).read_bytes())

    return read


#: file -> broker, records by kind. Records: lines of the file less blank ones (and quoted line breaks).
COUNTS = {
    "tastytrade_2025_spx.csv": (
        Broker.TASTYTRADE,
        {"note": 3, "fill": 20, "expiry": 2, "settlement": 2, "cash": 56, "outside": 346},
    ),
    "tastyworks_legacy_2021.csv": (Broker.TASTYTRADE, {"note": 1, "cash": 6, "outside": 31}),
    "ibkr_flex_spxw.xml": (Broker.IBKR, {"fill": 3, "settlement": 1, "expiry": 3}),
    "ibkr_flex_activity_options.xml": (Broker.IBKR, {"outside": 4, "cash": 2}),
    "schwab_transactions_spxw.csv": (Broker.SCHWAB, {"note": 1, "fill": 4, "expiry": 2}),
    "thinkorswim_statement_spx.csv": (Broker.THINKORSWIM, {"note": 4, "fill": 3, "expiry": 3, "cash": 1}),
    "fidelity_history_spxw.csv": (Broker.FIDELITY, {"note": 1, "fill": 2, "outside": 1}),
}


@pytest.mark.parametrize("name", COUNTS)
def test_every_record_of_a_sample_becomes_one_row_of_the_right_kind(name: str, sample: object) -> None:
    parsed = sample(name)  # type: ignore[operator]
    broker, counts = COUNTS[name]
    assert parsed.broker is broker
    assert Counter(row.kind.value for row in parsed.rows) == counts
    assert len(set(parsed.keys)) == len(parsed.rows)
    assert len({row.line for row in parsed.rows}) == len(parsed.rows)


def test_tastytrade_takes_the_expiry_from_the_symbol_and_the_cash_from_the_total(sample: object) -> None:
    rows = [row for row in sample("tastytrade_2025_spx.csv").rows if row.kind in BOOKED]  # type: ignore[operator]
    expiries = {leg.spec.expiry.isoformat() for row in rows for leg in row.legs if leg.spec.expiry}
    assert expiries == {"2025-10-06", "2025-10-03", "2025-09-11"}  # the column says a day later each time
    # 162.92 − 123.08, 817.92 − 788.08, 132.92 − 510.00 by hand
    assert sum(row.cash for row in rows) == Decimal("39.84") + Decimal("29.84") - Decimal("377.08")


def test_tastytrade_states_the_cent_by_which_its_totals_differ(sample: object) -> None:
    (total,) = sample("tastytrade_2025_spx.csv").totals  # type: ignore[operator]
    assert (total.stated, total.computed) == (Decimal("-3362.63"), Decimal("-3362.62"))


def test_thinkorswim_ties_out_to_its_total_row(sample: object) -> None:
    parsed = sample("thinkorswim_statement_spx.csv")  # type: ignore[operator]
    stated = {total.name: total.stated for total in parsed.totals}
    assert stated == {
        "Misc Fees": Decimal("-4.57"), "Commissions & Fees": Decimal("-5.20"),
        "AMOUNT": Decimal("-3033.75"), "BALANCE": Decimal("22610.76"),
    }  # fmt: skip
    assert all(total.difference == 0 for total in parsed.totals)
    assert "Line 9: the balance moved by -9,242.55 more" in parsed.remarks[0]


def test_ibkr_settlement_cash_is_basis_less_realized(sample: object) -> None:
    (settled,) = [r for r in sample("ibkr_flex_spxw.xml").rows if r.kind == "settlement"]  # type: ignore[operator]
    # (441.180933 + 1430.819067) ÷ (2 × 100) = 9.36: SPX settled at 6664.36 above the strike 6655
    assert settled.legs[0].price == Decimal("9.36")
    assert settled.cash == Decimal("-1872.20")


def test_schwab_dates_an_expiration_by_as_of(sample: object) -> None:
    expired = [r for r in sample("schwab_transactions_spxw.csv").rows if r.kind == "expiry"]  # type: ignore[operator]
    assert [(r.day.isoformat(), r.legs[0].quantity) for r in expired] == [
        ("2026-04-23", 2),
        ("2026-04-23", -2),
    ]
