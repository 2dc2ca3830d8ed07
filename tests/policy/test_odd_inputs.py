"""Odd books and markets with holes: advice is still given, and what is unknown is said to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hedging.engine.book import BookTrade, Leg, TradeRole
from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.advise import advise
from hedging.engine.policy.types import Advice, Answer, Procedure
from tests.policy.test_advise import DAYS
from tests.policy.worlds import book, calm, condor, day, hedge, market, rules


def held(role: TradeRole, layer: int | None, *legs: tuple[str, int], cash: float = 0.0) -> BookTrade:
    return BookTrade("odd", role, layer, tuple(Leg(parse_symbol(s), q, 1.0) for s, q in legs), cash, 0.0)


BOOKS = {
    "naked call": held(TradeRole.CONDOR, None, ("SPXW  260220C07150000", -1), cash=100.0),
    "shares as a condor": held(TradeRole.CONDOR, None, ("VXX", 100)),
    "future as a condor": held(TradeRole.CONDOR, None, ("VX/2026-02-18", 1)),
    "future in layer 2": held(TradeRole.HEDGE, 2, ("VX/2026-02-18", 3)),
    "short future in layer 1": held(TradeRole.HEDGE, 1, ("VX/2026-02-18", -3)),
    "vix calendar": held(TradeRole.HEDGE, 1, ("VIX   260218C00022000", -2), ("VIX   260318C00022000", 2)),
    "spx calendar": held(TradeRole.CONDOR, None, ("SPXW  260220P06600000", -1), ("SPXW  260320P06600000", 1)),
    "expired": held(TradeRole.CONDOR, None, ("SPXW  251219P06600000", -1), ("SPXW  251219P06550000", 1)),
    "expired hedge": held(TradeRole.HEDGE, 1, ("VIX   251217C00022000", 5)),
    "unlisted": held(TradeRole.CONDOR, None, ("SPXW  261218P06600000", -1), ("SPXW  261218P06550000", 1)),
    "short vix calls": held(TradeRole.HEDGE, 3, ("VIX   260617C00040000", -4), cash=400.0),
    "no legs": held(TradeRole.HEDGE, 1),
    "shares": held(TradeRole.OTHER, None, ("VXX", -50)),
    "butterfly": held(
        TradeRole.CONDOR, None, ("SPXW  260220P06850000", 1), ("SPXW  260220P06900000", -1),
        ("SPXW  260220C06900000", -1), ("SPXW  260220C06950000", 1), cash=2_000.0,
    ),
    "paid condor": replace(condor(1), cash=-300.0),
}  # fmt: skip
MARKETS: dict[str, Any] = {
    "full": {},
    "no chains": {"slices": {}},
    "no vix options": {"slices": {k: v for k, v in market().slices.items() if k[0] != "VIX"}},
    "no spot": {"spot": None},
    "no levels": {"levels": {}},
    "no curve": {"vx_curve": ()},
    "no rate": {"rate": None},
    "nothing": {"slices": {}, "spot": None, "levels": {}, "vx_curve": (), "rate": None},
}


@pytest.mark.parametrize("what", sorted(BOOKS))
@pytest.mark.parametrize("signals", sorted(DAYS))
def test_an_odd_book_gets_advice_that_reads_back(what: str, signals: str) -> None:
    for trades in ((BOOKS[what],), (BOOKS[what], condor(), hedge(1, 2))):
        found = advise(book(*trades), market(30.0), DAYS[signals], rules())
        assert found.proposals
        assert Advice.from_json(found.to_json()) == found


@pytest.mark.parametrize("where", sorted(MARKETS))
@pytest.mark.parametrize("signals", sorted(DAYS))
def test_a_market_with_holes_gets_advice_and_says_what_is_unknown(where: str, signals: str) -> None:
    held = book(condor(), hedge(1, 2), hedge(3, 1, "VIX   260617C00040000"))
    found = advise(held, replace(market(30.0), **MARKETS[where]), DAYS[signals], rules())
    assert found.proposals
    assert Advice.from_json(found.to_json()) == found
    if "slices" in MARKETS[where]:
        assert any("unknown" in flag for flag in found.flags)


def test_with_nothing_known_nothing_is_traded() -> None:
    empty = replace(market(), **MARKETS["nothing"])
    found = advise(book(condor(), hedge(1, 2)), empty, day(), rules())
    assert [one.action.value for one in found.proposals] == ["HOLD"]
    assert found.ladder.rows[0].binding == "no price"
    assert found.wacc.equity_return is None
    for procedure in (Procedure.LAYERS, Procedure.COLLAPSE, Procedure.EXPANSION):
        steps = found.trace(procedure).steps
        assert all(step.answer is not Answer.YES for step in steps if step.key != "layer1")


def test_a_tiny_account_is_told_that_nothing_fits() -> None:
    found = advise(book(capital=1_000.0), market(), calm(), rules())
    assert [one.action.value for one in found.proposals] == ["HOLD"]
    assert found.candidates[0].contracts == 0
    assert found.candidates[0].binding == "% of equity"
