"""Contracts, positions and orders in the words of the field."""

from __future__ import annotations

import pytest

from hedging.engine.contract_words import contract_words, order_words, position_words, sum_words
from hedging.engine.instruments import parse_symbol

CONDOR = {
    "SPXW  270108P06225000": 1, "SPXW  270108P06275000": -1,
    "SPXW  270108C07025000": -1, "SPXW  270108C07075000": 1,
}  # fmt: skip


def position(times: int = 1, **legs: int) -> str:
    return position_words([(parse_symbol(symbol), times * held) for symbol, held in legs.items()])


@pytest.mark.parametrize(
    ("legs", "times", "words"),
    [
        ({"VIX   261216C00019000": 3}, 1, "3 × VIX 19 C · Dec 16 '26"),
        ({"VIX   261216C00019000": -3}, 1, "−3 × VIX 19 C · Dec 16 '26"),
        (CONDOR, 2, "2 × SPXW iron condor 6225/6275 P – 7025/7075 C · Jan 8 '27 (PM)"),
        (CONDOR, -2, "−2 × SPXW iron condor 6225/6275 P – 7025/7075 C · Jan 8 '27 (PM)"),
        (
            {**CONDOR, "SPXW  270108C07025000": -2, "SPXW  270108C07075000": 2}, 1,
            "SPXW unbalanced iron condor 6225/6275 P – 7025/7075 C · Jan 8 '27 (PM)",
        ),
        (
            {"VIX   270120C00020000": 1, "VIX   270120C00030000": -1}, 3,
            "3 × VIX 20/30 call spread · Jan 20 '27",
        ),
        (
            {"VIX   270120C00020000": -1, "VIX   270120C00030000": 1}, 3,
            "−3 × VIX 20/30 call spread · Jan 20 '27",
        ),
        (
            {"SPX   270115P06615000": 1, "SPX   270115P06200000": -1}, 1,
            "1 × SPX 6615/6200 put spread · Jan 15 '27 (AM)",
        ),
        (
            {"SPXW  260410C06500000": 1, "SPXW  260410C06600000": -2, "SPXW  260410C06700000": 1}, 1,
            "1 × SPXW 6500/6600/6700 call butterfly · Apr 10 '26 (PM)",
        ),
        (
            {"VIX   260318C00022000": 1, "VIX   260218C00022000": -1}, 2,
            "2 × VIX 22 call calendar · Feb 18 '26 / Mar 18 '26",
        ),
        (
            {"VIX   261216C00019000": 3, "VIX   261216C00020000": 2}, 1,
            "VIX 19/20 calls · Dec 16 '26",
        ),
        (
            {"SPXW  270108P06200000": -1, "SPXW  270108C07000000": -1}, 1,
            "SPXW 6200 P – 7000 C · Jan 8 '27 (PM)",
        ),
        ({"VX/2027-03-17": -2}, 1, "−2 × VXH27 · Mar 17 '27"),
        ({"VXX": 40}, 1, "40 VXX shares"),
        ({}, 1, ""),
    ],
)  # fmt: skip
def test_a_position_is_counted_named_and_dated(legs: dict[str, int], times: int, words: str) -> None:
    assert position(times, **legs) == words


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("SPXW  261218C06900000", "SPXW 6900 C · Dec 18 '26 (PM)"),
        ("SPX   261218P06900000", "SPX 6900 P · Dec 18 '26 (AM)"),
        ("VIX   270120C00022500", "VIX 22.5 C · Jan 20 '27"),
        ("VX/2027-01-20", "VXF27 · Jan 20 '27"),
        ("VXX", "VXX"),
        ("no contract", "no contract"),
    ],
)
def test_a_contract_without_a_quantity(symbol: str, words: str) -> None:
    assert contract_words(symbol) == words


def test_an_order_of_several_contracts_is_one_sentence() -> None:
    calls = [([(parse_symbol(f"VIX   261216C000{strike}000"), -1)], n) for strike, n in ((19, 8), (20, 3))]
    assert sum_words(calls) == "8 VIX Dec 19 calls and 3 VIX Dec 20 calls"
    assert sum_words(calls[:1]) == "8 VIX Dec 19 calls"
    linear = [([(parse_symbol("VX/2027-03-17"), -1)], 2), ([(parse_symbol("VXX"), -1)], 40)]
    assert sum_words([*linear, calls[0]]) == "2 VXH27, 40 VXX shares and 8 VIX Dec 19 calls"


def test_a_condor_in_a_sentence_says_its_day_and_its_wings() -> None:
    legs = [(parse_symbol(symbol), held) for symbol, held in CONDOR.items()]
    assert order_words(legs, 1) == "1 SPXW Jan 8 '27 iron condor 6225/6275 P – 7025/7075 C"
    assert order_words(legs, 2) == "2 SPXW Jan 8 '27 iron condors 6225/6275 P – 7025/7075 C"
