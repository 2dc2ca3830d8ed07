"""Tickets: net price on the tick, and order strings that the journal reads back leg by leg."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.orders import on_tick, order_text
from journal.importers.order_text import parse_order

CONDOR = (("SPXW  261218C06900000", -1), ("SPXW  261218C06950000", 1),
          ("SPXW  261218P06500000", -1), ("SPXW  261218P06450000", 1))  # fmt: skip


@pytest.mark.parametrize(
    ("symbols", "net", "limit"),
    [
        (["VIX   260218C00022000"], -0.887, "-0.89"),
        (["VIX   260218C00022000"], -2.996, "-3.00"),
        (["VIX   260218C00022000"], -3.01, "-3.05"),
        (["VIX   260218C00022000"], 3.04, "3.00"),
        (["SPXW  260220P06600000"], -2.96, "-3.00"),
        (["SPXW  260220P06600000"], -3.01, "-3.10"),
        (["SPXW  260220P06600000"], 2.55, "2.55"),
        (["SPXW  260220P06600000", "SPXW  260220P06550000"], 14.57, "14.55"),
        (["SPXW  260220P06600000", "SPXW  260220P06550000"], 14.55, "14.55"),
        (["VIX   260218C00022000", "VIX   260218C00030000"], -1.501, "-1.51"),
    ],
)
def test_a_limit_is_rounded_to_the_tick_against_the_trader(
    symbols: list[str], net: float, limit: str
) -> None:
    assert on_tick(net, [parse_symbol(symbol) for symbol in symbols]) == Decimal(limit)


@pytest.mark.parametrize(
    ("legs", "packages", "limit", "text"),
    [
        (
            CONDOR, 1, "2.55",
            "SELL -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT",
        ),
        (
            [(s, -q) for s, q in CONDOR], 3, "-1.20",
            "BUY +3 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @1.20 LMT",
        ),
        ([("VIX   261216C00022000", 1)], 4, "-0.89", "BUY +4 VIX 100 16 DEC 26 22 CALL @0.89 LMT"),
        ([("VIX   261216C00022000", -1)], 2, "1.10", "SELL -2 VIX 100 16 DEC 26 22 CALL @1.10 LMT"),
        (
            [("VIX   261216C00022000", 1), ("VIX   261216C00035000", -1)], 2, "-0.75",
            "BUY +2 VERTICAL VIX 100 16 DEC 26 22/35 CALL @0.75 LMT",
        ),
        (
            [("SPXW  261218P06400000", -1), ("SPXW  261218P06450000", 1)], 1, "-5.10",
            "SELL -1 VERTICAL SPX 100 (Weeklys) 18 DEC 26 6400/6450 PUT @-5.10 LMT",
        ),
        (
            [("SPX   261218P06450000", -1), ("SPXW  261224P06455000", 1)], 1, "-3.40",
            "BUY +1 -1/1 CUSTOM SPX 100 (Weeklys) 18 DEC 26 [AM]/24 DEC 26 6450/6455 PUT/PUT @3.40 LMT",
        ),
        (
            [("SPXW  261218C06950000", -1), ("SPXW  261218C06945000", 1),
             ("SPXW  261218P06450000", -1), ("SPXW  261218P06455000", 1)], 5, "0.80",
            "BUY +5 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6945/6950/6455/6450 CALL/PUT @-0.80 LMT",
        ),
        ([("SPX   261218P06450000", 1)], 1, "-80.10", "BUY +1 SPX 100 18 DEC 26 6450 PUT @80.10 LMT"),
    ],
)  # fmt: skip
def test_an_order_string_parses_back_to_the_same_legs_and_price(
    legs: list[tuple[str, int]], packages: int, limit: str, text: str
) -> None:
    found = order_text([(parse_symbol(s), q) for s, q in legs], packages, Decimal(limit))
    assert found == text
    parsed = parse_order(found)
    assert {(spec.symbol, q) for spec, q in parsed.legs} == {(s, q * packages) for s, q in legs}
    assert parsed.signed_price == Decimal(limit)
    assert parsed.is_limit
    assert parsed.packages == packages


@pytest.mark.parametrize(
    ("symbol", "quantity", "limit", "text"),
    [
        ("VX/2026-12-16", 2, "-19.25", "BUY +2 /VXZ26 @19.25 LMT"),
        ("VX/2026-05-19", -3, "20.05", "SELL -3 /VXK26 @20.05 LMT"),
        ("VXX", 100, "-40.01", "BUY +100 VXX @40.01 LMT"),
        ("VXX", -7, "39.99", "SELL -7 VXX @39.99 LMT"),
    ],
)
def test_lay_8_a_future_and_a_share_have_strings_of_their_own(
    symbol: str, quantity: int, limit: str, text: str
) -> None:
    side = 1 if quantity > 0 else -1
    found = order_text([(parse_symbol(symbol), side)], abs(quantity), Decimal(limit))
    assert found == text
    parsed = parse_order(found)
    assert [(spec.symbol, q) for spec, q in parsed.legs] == [(symbol, quantity)]
    assert parsed.signed_price == Decimal(limit)


def test_spreads_of_futures_and_mixed_underlyings_have_no_string() -> None:
    future, call, put = (
        parse_symbol(s) for s in ("VX/2026-12-16", "VIX   261216C00022000", "SPXW  261218P06450000")
    )
    assert order_text([(future, 1), (call, 1)], 1, Decimal(-1)) == ""
    assert order_text([(call, 1), (put, 1)], 1, Decimal(-1)) == ""
