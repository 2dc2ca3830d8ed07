"""Section 8: what no order may do, wherever it comes from; repairs are never refused."""

from __future__ import annotations

from datetime import date

import pytest

from hedging.engine.book import Book, Leg, TradeRole
from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.guardrails import guardrails, uncovered
from hedging.engine.policy.types import Refusal
from tests.policy.worlds import book, condor, hedge, rules

FEB, MAR = "260218", "260318"


def leg(symbol: str, quantity: int, price: float = 1.0) -> Leg:
    return Leg(parse_symbol(symbol), quantity, price)


def vix(expiry: str, strike: int, quantity: int, right: str = "C") -> Leg:
    return leg(f"VIX   {expiry}{right}{strike * 1000:08d}", quantity)


def spx(root: str, day: date, strike: int, quantity: int, right: str = "P", price: float = 1.0) -> Leg:
    return leg(f"{root:<6}{day:%y%m%d}{right}{strike * 1000:08d}", quantity, price)


def broken(held: Book, *legs: Leg, **options: object) -> list[str]:
    found: tuple[Refusal, ...] = guardrails(held, legs, rules(), **options)  # type: ignore[arg-type]  # test
    return [one.rule for one in found]


def test_lay_8_vix_calls_are_never_net_short() -> None:
    assert broken(book(), vix(FEB, 30, -1), role=TradeRole.HEDGE) == ["net short VIX calls", "undefined risk"]
    assert broken(book(), vix(FEB, 30, 1), vix(FEB, 50, -1), role=TradeRole.HEDGE) == []
    assert broken(book(), vix(FEB, 30, 1), vix(FEB, 50, -2), role=TradeRole.HEDGE) == [
        "net short VIX calls", "undefined risk",
    ]  # fmt: skip
    assert broken(book(hedge(1, 3)), vix(FEB, 22, -3), trade_id="h1") == []
    assert broken(book(hedge(1, 3)), vix(FEB, 22, -4), trade_id="h1")[0] == "net short VIX calls"


def test_a_repair_of_a_bad_position_is_not_refused() -> None:
    bad = book(hedge(1, -4))
    assert broken(bad, vix(FEB, 22, 2), trade_id="h1") == []
    assert broken(bad, vix(FEB, 22, -1), trade_id="h1")[0] == "net short VIX calls"


@pytest.mark.parametrize(
    ("legs", "count"),
    [
        ([vix(MAR, 30, -1), vix(FEB, 30, 1)], {"VIX calls": 1}),
        ([vix(FEB, 30, -1), vix(MAR, 30, 1)], {}),
        ([vix(FEB, 30, -1, "P")], {"VIX puts": 1}),
        ([leg("VX/2026-02-18", -1, 20.0)], {"VX futures": 1}),
        ([leg("VX/2026-02-18", -1, 20.0), leg("VX/2026-03-18", 2, 21.0)], {"VX futures": 1}),
        ([leg("VX/2026-02-18", -1, 20.0), leg("VX/2026-02-18", 1, 21.0)], {}),
        ([leg("VXX", -100, 40.0)], {"VXX shares": 100}),
        ([leg("VXX", 100, 40.0)], {}),
        ([spx("SPX", date(2026, 2, 20), 6500, -1), spx("SPXW", date(2026, 2, 20), 6400, 1)], {}),
        ([spx("SPXW", date(2026, 2, 20), 6500, -1), spx("SPX", date(2026, 2, 20), 6400, 1)], {"SPX puts": 1}),
        (
            [
                spx("SPXW", date(2026, 2, 20), 6500, -1),
                spx("SPXW", date(2026, 3, 20), 6500, -1),
                spx("SPXW", date(2026, 3, 20), 6400, 1),
                spx("SPXW", date(2026, 2, 20), 6400, 1),
            ],
            {},
        ),
    ],
)
def test_con_2_a_short_contract_needs_a_long_one_that_lives_as_long(
    legs: list[Leg], count: dict[str, int]
) -> None:
    assert uncovered(legs) == count
    assert uncovered(reversed(legs)) == count


def test_con_2_a_condor_keeps_its_own_wings() -> None:
    held = book(condor(1, "a"), condor(1, "b", strikes=(6450, 6500, 7250, 7300)))
    wing = spx("SPXW", date(2026, 2, 20), 6550, -1)
    assert broken(held, wing, trade_id="a") == ["undefined risk"]
    spare = spx("SPXW", date(2026, 2, 20), 6400, 1)
    with_spare = Book("x", 1, 1e6, (*held.trades, hedge(2, 1, spare.contract.symbol)))
    assert broken(with_spare, wing, trade_id="a") == ["condor without wings"]


@pytest.mark.parametrize(
    ("loss", "rule", "blocks"),
    [(2_000, None, None), (2_001, "size", False), (10_000, "size", False), (10_001, "size", True)],
)
def test_size_warns_above_two_percent_and_blocks_above_ten(
    loss: int, rule: str | None, blocks: bool | None
) -> None:
    call = leg(f"VIX   {FEB}C00030000", 1, loss / 100)
    found = guardrails(book(capital=100_000), [call], rules(), role=TradeRole.OTHER)
    assert [(one.rule, one.blocks) for one in found] == ([(rule, blocks)] if rule else [])


@pytest.mark.parametrize(
    ("price", "layer", "scope", "warned"),
    [(12.0, 1, "layer", False), (12.01, 1, "layer", True), (3.0, 2, "layer", False), (3.0, 2, "hedge", True)],
)
def test_lay_1_premium_above_twelve_percent_of_credit_is_warned_about(
    price: float, layer: int, scope: str, warned: bool
) -> None:
    held = book(condor(10, credit=10.0), hedge(3, 1, price=9.5))
    order = [leg(f"VIX   {FEB}C00030000", 1, price)]
    ruleset = rules(caps__scope=scope)
    found = guardrails(held, order, ruleset, role=TradeRole.HEDGE, layer=layer)
    assert [(one.rule, one.blocks) for one in found] == ([("premium cap", False)] if warned else [])
    assert guardrails(held, order, rules("neutral-vxth"), role=TradeRole.HEDGE, layer=1) == ()


def test_gov_2_a_roll_keeps_its_size_unless_approved() -> None:
    held = book(hedge(1, 3))
    same = [vix(FEB, 22, -3), vix(MAR, 25, 3)]
    more = [vix(FEB, 22, -3), vix(MAR, 25, 4)]
    assert broken(held, *same, trade_id="h1", roll=True) == []
    assert broken(held, *more, trade_id="h1", roll=True) == ["size on a roll"]
    assert broken(held, *more, trade_id="h1", roll=True, approved=True) == []
    assert broken(held, *more, trade_id="h1") == []


def test_an_unknown_trade_is_an_error() -> None:
    with pytest.raises(KeyError):
        guardrails(book(), [vix(FEB, 30, 1)], rules(), trade_id="nope")
