"""How proposals name what they trade, and which loss says whether one lowers risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hedging.engine.contract_words import order_words
from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.chain import days_to, market_day
from hedging.engine.policy.condor.candidates import candidates_of
from hedging.engine.policy.context import AccountFacts, Context
from hedging.engine.policy.effects import is_reducing, risk_change
from hedging.engine.policy.orders import tickets
from hedging.engine.policy.text import fact_text
from hedging.engine.policy.types import BookRisk, Effects, Fact, Order, OrderLeg
from journal.templatetags.figures import fact_words
from tests.policy.worlds import SPXW, book, calm, market, rules


@pytest.mark.parametrize(
    ("legs", "packages", "words"),
    [
        ([("VIX   260218C00022000", 1)], 1, "1 VIX Feb 22 call"),
        ([("VIX   260218C00022500", -1)], 3, "3 VIX Feb 22.5 calls"),
        ([("SPXW  260220P06000000", 1)], 2, "2 SPXW Feb 20 '26 6000 puts"),
        (
            [("VIX   260218C00022000", 1), ("VIX   260218C00035000", -1)], 2,
            "2 VIX Feb 22/35 call spreads",
        ),
        (
            [("VIX   260318C00022000", 1), ("VIX   260218C00022000", -1)], 1,
            "1 VIX Feb/Mar 22 call calendar",
        ),
        ([("VX/2026-02-18", 1)], 2, "2 VXG26"),
        ([("VXX", 1)], 100, "100 VXX shares"),
        (
            [("SPXW  261218C06900000", -1), ("SPXW  261218C06950000", 1),
             ("SPXW  261218P06500000", -1), ("SPXW  261218P06450000", 1)], 4,
            "4 SPXW Dec 18 '26 iron condors 6450/6500 P – 6900/6950 C",
        ),
    ],
)  # fmt: skip
def test_a_package_in_the_field_s_words(legs: list[tuple[str, int]], packages: int, words: str) -> None:
    assert order_words([(parse_symbol(symbol), quantity) for symbol, quantity in legs], packages) == words


def lot(quantity: int, trade: str, limit: float = 0.71, symbol: str = "VIX   261216C00020000") -> Order:
    text = f"SELL {quantity} VIX 100 16 DEC 26 20 CALL @{limit:.2f} LMT"
    leg = OrderLeg(symbol, quantity, limit)
    return Order((leg,), -quantity, limit, -quantity * limit * 100, text, trade)


def test_lay_9_lots_of_one_contract_are_one_ticket() -> None:
    merged, other = tickets([lot(-3, "a"), lot(-1, "b"), lot(-2, "c", 0.80), lot(-3, "d")])
    assert merged.text == "SELL -7 VIX 100 16 DEC 26 20 CALL @0.71 LMT"
    assert (merged.packages, merged.cash, merged.trade_id) == (7, 497.0, None)
    assert [leg.quantity for leg in merged.legs] == [-7]
    assert other == lot(-2, "c", 0.80)
    assert tickets([other]) == (other,)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (Fact("P&L", -13740.2, "$"), "P&L: -$13,740"),
        (Fact("decay", 7.028, "$ a day"), "decay: $7.03 a day"),
        (Fact("VIX", 82.69, "points"), "VIX: 82.69 points"),
        (Fact("rate", -0.1125, "% a year"), "rate: -0.1125 % a year"),
        (Fact("interest", 123456.0, "contracts"), "interest: 123,456 contracts"),
        (Fact("nothing", 0.0, "pp"), "nothing: 0 pp"),
        (Fact("breadth"), "breadth: unknown"),
        (Fact("regime", word="regime shift"), "regime: regime shift"),
    ],
)
def test_inputs_are_written_without_exponents(fact: Fact, text: str) -> None:
    assert fact_text(fact) == text
    assert fact_words(fact) == text.replace(": -", ": \N{MINUS SIGN}")


def effects(worst: tuple[float, float], fall: tuple[float, float], most: tuple[float, float]) -> Effects:
    before, after = (
        BookRisk(worst[n], most[n], 5_000.0, 0.0, fall_loss=fall[n]) for n in (0, 1)
    )  # fmt: skip
    return Effects(before, after)


@pytest.mark.parametrize(
    ("worst", "fall", "most", "change"),
    [
        ((10_000, 9_799), (5_000, 9_000), (1, 1), -201),  # more than 2% decides
        ((10_000, 10_201), (5_000, 1_000), (1, 1), 201),
        ((10_000, 10_200), (5_000, 1_000), (1, 1), -4_000),  # 2% exactly does not
        ((10_000, 9_800), (5_000, 5_600), (1, 1), 600),
        ((10_000, 10_000), (5_000, 5_000.5), (900, 800), -100),  # half a dollar is no change
        ((10_000, 10_000), (5_000, 5_000), (900, 950), 50),
        ((10_000, 10_000), (5_000, 5_000), (900, 900), 0),
    ],
)
def test_gov_3_one_loss_decides_whether_risk_falls(
    worst: tuple[float, float], fall: tuple[float, float], most: tuple[float, float], change: float
) -> None:
    found = effects(worst, fall, most)
    assert risk_change(found) == change
    assert is_reducing(found) is (change < 0)


def test_an_unknown_maximum_loss_is_no_effect() -> None:
    found = effects((1, 1), (1, 1), (1, 1))
    assert risk_change(replace(found, after=replace(found.after, max_loss=None))) == 0


def test_con_2_another_wing_width_than_asked_is_told() -> None:
    asked = Context(book(), market(), calm(), rules(condor__wing_width=49), AccountFacts())
    warnings = candidates_of(asked, collapsed=False)[0].warnings
    assert any("put wing is 50 points wide, not 49" in one for one in warnings), warnings
    assert any("call wing is 50 points wide, not 49" in one for one in warnings)
    as_asked = Context(book(), market(), calm(), rules(), AccountFacts())
    assert not any("wing" in one for one in candidates_of(as_asked, collapsed=False)[0].warnings)


def test_an_evening_chain_counts_days_from_the_day_it_was_taken() -> None:
    given = market()
    evening = datetime.combine(market_day(given) + timedelta(days=1), datetime.min.time(), UTC)  # 19:00 there
    late = replace(given, as_of=evening.replace(minute=30))
    assert market_day(late) == market_day(given)
    assert days_to(late, SPXW[2]) == days_to(given, SPXW[2])
