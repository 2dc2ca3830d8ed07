"""The traps of brokers' files, each with the row that springs it."""

# ruff: noqa: E501 - rows of files
from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from journal.importers.broker_symbols import OutsideError, read_symbol
from journal.importers.read import read_file
from journal.importers.rows import BrokerFile, BrokerRow
from journal.importers.text import CellError, FileError, number
from tests.importers.cases import FLEX, HEADER, SCHWAB, THINKORSWIM, settled, tasty

LEGACY = (
    "Date/Time,Transaction Code,Transaction Subcode,Symbol,Buy/Sell,Open/Close,Quantity,Expiration Date,Strike,"
    "Call/Put,Price,Fees,Amount,Description,Account Reference"
)


def read(*lines: str) -> list[BrokerRow]:
    return list(read_file("\n".join(lines).encode()).rows)


@pytest.mark.parametrize(
    "text",
    ["SPXW  251219P05800000", "SPXW251219P05800000", ".SPXW251219P5800", " -SPXW251219P5800",
     "SPXW 12/19/2025 5800.00 P", "SPXW 19DEC25 5800 P", "spxw  251219p05800000"],
)  # fmt: skip
def test_every_way_to_write_a_contract_names_the_same_one(text: str) -> None:
    assert read_symbol(text).symbol == "SPXW  251219P05800000"


def test_symbols_of_other_products_are_outside_and_damaged_ones_are_errors() -> None:
    for text in ("SOFI", "XSP   250911P00650000", "./ESZ5 E1AV5 251010P6500", "-NOK261218C24"):
        with pytest.raises(OutsideError):
            read_symbol(text)
    for text in (
        "SPXW  251319P05800000",
        "SPXW  25121P05800000",
        "SPXW  251220P05800000",
        "SPX   251218P05800000",
        "",
    ):
        with pytest.raises(CellError):
            read_symbol(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("-1,875.00", "-1875.00"), ("($4.57)", "-4.57"), ("$0.62", "0.62"), ("-$13.13", "-13.13"), (".90", "0.90"),
     ("0.17199999999999993", "0.17199999999999993")],
)  # fmt: skip
def test_numbers_as_brokers_write_them(text: str, value: str) -> None:
    assert number(text, "x") == Decimal(value)


@pytest.mark.parametrize(
    "text", ["1_000", "１２", "1e5", "NaN", "1,00", "(-1)", "1.2.3", "0x1", "9" * 30, "=1", "."]
)
def test_numbers_no_broker_writes_are_refused(text: str) -> None:
    with pytest.raises(CellError):
        number(text, "x")


def test_a_legacy_expiration_without_an_action_says_no_side() -> None:
    row = (
        "2021-01-15T22:15:00+0000,Receive Deliver,Expiration,,SPXW  210115P03700000,Equity Option,Removal,0,1,,0,"
        "0.00,100,SPXW,SPX,1/15/21,3700,PUT,123456,USD"
    )
    (_, found) = read(HEADER.replace(",Total", ""), row)
    assert (found.kind, found.legs[0].signed, found.legs[0].quantity) == ("expiry", False, 1)


def test_an_assignment_without_its_cash_is_an_error_and_with_it_closes_once() -> None:
    removal, cash = settled("2025-10-03", "P", 6600, "-300.00")
    (_, alone) = read(HEADER, removal)
    assert (alone.kind, alone.field) == ("error", "Value")
    (_, first, second) = read(HEADER, removal, cash)
    assert (first.kind, first.legs, second.kind) == ("note", (), "settlement")
    assert (second.legs[0].quantity, second.legs[0].price, second.fees) == (1, Decimal(3), Decimal(5))


def test_a_cent_in_the_total_is_kept_and_said_a_dollar_is_an_error() -> None:
    row = tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1")
    (_, cent) = read(HEADER, row.replace(",298.23,", ",298.22,"))
    assert cent.cash == Decimal("298.22")
    assert "differs from its parts by -0.01" in cent.message
    (_, dollar) = read(HEADER, row.replace(",298.23,", ",297.23,"))
    assert (dollar.kind, dollar.field) == ("error", "Total")


def test_the_legacy_form_gives_the_weekly_root_and_asks_on_third_fridays() -> None:
    row = "12/29/2020 3:36 PM,Trade,Sell to Open,SPX,Sell,Open,1,{day},3700,P,2.46,1.152,246,Sold,Individual...39"
    (_, weekly, third) = read(LEGACY, row.format(day="01/13/2021"), row.format(day="01/15/2021"))
    assert weekly.legs[0].spec.symbol == "SPXW  210113P03700000"
    assert weekly.moment is not None
    assert weekly.moment.isoformat() == "2020-12-29T15:36:00-05:00"
    assert (weekly.fees, weekly.cash) == (Decimal("1.152"), Decimal("244.848"))
    assert (third.kind, third.field) == ("error", "symbol")
    assert "does not say" in third.message


def test_flex_imports_executions_beside_orders_and_refuses_two_accounts() -> None:
    parsed = read_file(FLEX.encode())
    assert [row.kind.value for row in parsed.rows] == ["note", "fill", "fill", "expiry"]
    only_orders = FLEX.replace('levelOfDetail="EXECUTION"', 'levelOfDetail="CLOSED_LOT"')
    assert [row.kind.value for row in read_file(only_orders.encode()).rows] == [
        "fill",
        "note",
        "note",
        "note",
    ]
    two = FLEX.replace("</FlexStatements>", '<FlexStatement accountId="U2"></FlexStatement></FlexStatements>')
    with pytest.raises(FileError, match="several accounts"):
        read_file(two.encode())


def test_thinkorswim_takes_leg_prices_from_the_trade_history_and_the_row_stays_the_same() -> None:
    with_history = read_file(THINKORSWIM.encode())
    without = read_file(THINKORSWIM.partition("\nAccount Trade History")[0].encode())

    def fill(parsed: BrokerFile) -> tuple[str, BrokerRow]:
        return next((k, r) for k, r in zip(parsed.keys, parsed.rows, strict=True) if r.kind == "fill")

    (key, priced), (other, unpriced) = fill(with_history), fill(without)
    assert [(leg.price, leg.effect) for leg in priced.legs] == [
        (Decimal("12.00"), "open"), (Decimal("9.50"), "open"),
    ]  # fmt: skip
    assert [leg.price for leg in unpriced.legs] == [None, None]
    assert key == other


def test_thinkorswim_says_which_word_of_an_order_it_does_not_understand() -> None:
    text = THINKORSWIM.replace("SOLD -1 VERTICAL SPX", "SOLD -1 VERT ROLL SPX").partition("\nAccount Trade")[
        0
    ]
    (row,) = [row for row in read_file(text.encode()).rows if row.kind == "error"]
    assert "VERT ROLL" in row.message
    assert row.line == 6


def test_a_changed_total_row_does_not_tie_out() -> None:
    parsed = read_file(THINKORSWIM.replace("$250.00,", "$251.00,").encode())
    assert {t.name: t.difference for t in parsed.totals}["AMOUNT"] == Decimal("1.00")


def test_schwab_reads_title_as_of_and_total() -> None:
    parsed = read_file(b"\xef\xbb\xbf" + SCHWAB.encode())
    assert [row.kind.value for row in parsed.rows] == [
        "note", "note", "expiry", "expiry", "fill", "fill", "cash", "note",
    ]  # fmt: skip
    assert parsed.rows[2].day == date(2026, 4, 23)
    assert [total.difference for total in parsed.totals] == [0]


def test_utf_16_with_a_mark_is_read_and_other_encodings_are_asked_about() -> None:
    assert len(read_file(SCHWAB.encode("utf-16")).rows) == 8
    with pytest.raises(FileError) as refused:
        read_file(SCHWAB.replace("INTEREST", "caf\u00e9").encode("cp1252"))
    assert (refused.value.ask, refused.value.line) == ("encoding", 7)
    assert (
        len(read_file(SCHWAB.replace("INTEREST", "caf\u00e9").encode("cp1252"), encoding="cp1252").rows) == 8
    )


def test_an_open_quote_names_the_line_where_it_opens() -> None:
    with pytest.raises(FileError, match="never closes") as refused:
        read_file((HEADER + '\n"never,closed\nmore\n').encode())
    assert refused.value.line == 2


ROLLED = """Account Statement for *****000SCHW (Margin) since 1/1/26 through 9/20/26

Cash Balance
DATE,TIME,TYPE,REF #,DESCRIPTION,Misc Fees,Commissions & Fees,AMOUNT,BALANCE
4/2/26,09:40:16,TRD,="1001",SOLD -1 VERT ROLL SPX 100 (Weeklys) 17 APR 26/10 APR 26 6580/6570/6600/6590 PUT @1.10 CBOE,\
-2.28,-2.60,110.00,"10,105.12"
,,,,TOTAL,($2.28),($2.60),$110.00,"$10,105.12"

Account Trade History
,Exec Time,Spread,Side,Qty,Pos Effect,Symbol,Exp,Strike,Type,Price,Net Price,Order Type
,4/2/26 09:40:16,VERT ROLL,SELL,-1,TO OPEN,SPX,17 APR 26,6580,PUT,9.00,1.10,LMT
,,,BUY,+1,TO OPEN,SPX,17 APR 26,6570,PUT,6.40,CREDIT,
,,,BUY,+1,TO CLOSE,SPX,10 APR 26,6600,PUT,4.00,,
,,,SELL,-1,TO CLOSE,SPX,10 APR 26,6590,PUT,2.50,,
"""


def test_a_rolled_vertical_takes_its_prices_from_the_trade_history() -> None:
    (row,) = [row for row in read_file(ROLLED.encode()).rows if row.kind == "fill"]
    assert [(leg.spec.symbol, leg.quantity, str(leg.price), leg.effect) for leg in row.legs] == [
        ("SPXW  260417P06580000", -1, "9.00", "open"), ("SPXW  260417P06570000", 1, "6.40", "open"),
        ("SPXW  260410P06600000", 1, "4.00", "close"), ("SPXW  260410P06590000", -1, "2.50", "close"),
    ]  # fmt: skip
    assert (row.cash, row.fees, row.message) == (
        Decimal("105.12"), Decimal("4.88"), ""
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [("\n,,,BUY,+1,TO OPEN,SPX,17 APR 26,6570", "\n,,,BUY,+1,TO OPEN,SPX,17 APR 26,6560"), ("6.40", "6.50"),
     ("4/2/26 09:40:16", "4/2/26 09:40:17"), ("\nAccount Trade History", "\nOptions"), ("6.40", "x")],
)  # fmt: skip
def test_a_history_that_does_not_fit_the_row_is_not_taken(change: tuple[str, str]) -> None:
    rows = read_file(ROLLED.replace(*change).encode()).rows
    (row,) = [row for row in rows if row.kind in {"fill", "error"}]
    assert [leg.price for leg in row.legs] == [None] * 4
    assert [(leg.spec.symbol[4:], leg.quantity) for leg in row.legs] == [
        ("  260417P06580000", -1), ("  260417P06570000", 1), ("  260410P06600000", 1), ("  260410P06590000", -1),
    ]  # fmt: skip
    assert row.cash == Decimal("105.12")
