"""thinkorswim order strings: every form is understood whole or refused at the right token."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.book import Right
from journal.importers.order_text import OrderTextError, gaps, parse_order
from journal.services.book.orders import LegInput, order_structure
from journal.services.book.package_price import split_package
from tests.examples import examples

SAMPLE = "SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT"
CONDOR = "IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT"


def legs_of(text: str) -> list[tuple[str, int]]:
    return [(spec.symbol.replace(" ", ""), quantity) for spec, quantity in parse_order(text).legs]


def test_the_sample_of_the_specification() -> None:
    parsed = parse_order(SAMPLE)
    assert (parsed.action, parsed.strategy, parsed.packages) == ("SELL", "IRON CONDOR", 1)
    assert (parsed.net_price, parsed.is_credit, parsed.is_limit) == (Decimal("2.55"), True, True)
    assert legs_of(SAMPLE) == [
        ("SPXW261218C06900000", -1),
        ("SPXW261218C06950000", 1),
        ("SPXW261218P06500000", -1),
        ("SPXW261218P06450000", 1),
    ]
    prices = split_package(parsed.legs, parsed.packages, parsed.signed_price, {})
    legs = [LegInput(s, q, p) for (s, q), p in zip(parsed.legs, prices, strict=True)]
    structure = order_structure(legs)
    assert structure.max_profit == pytest.approx(255)
    assert structure.max_loss == pytest.approx(4745)
    assert structure.break_evens == pytest.approx((6497.45, 6902.55))
    assert structure.margin == pytest.approx(5000)


@pytest.mark.parametrize("word", ["SELL", "SOLD", "sell"])
@pytest.mark.parametrize("sign", ["-2", "2"])
def test_selling(word: str, sign: str) -> None:
    parsed = parse_order(f"{word} {sign} {CONDOR} @2.55")
    assert (parsed.action, parsed.packages) == ("SELL", 2)
    assert [quantity for _, quantity in parsed.legs] == [-2, 2, -2, 2]


@pytest.mark.parametrize("word", ["BUY", "BOT"])
def test_buying_turns_every_leg(word: str) -> None:
    parsed = parse_order(f"{word} +1 {CONDOR} @1.20 LMT")
    assert [quantity for _, quantity in parsed.legs] == [1, -1, 1, -1]
    assert not parsed.is_credit
    assert parsed.signed_price == Decimal("-1.20")


@pytest.mark.parametrize(
    ("side", "price", "credit", "net"),
    [
        ("SELL -1", "@.90", True, "0.90"),
        ("BUY +1", "@.90", False, "0.90"),
        ("BUY +1", "@-.80", True, "0.80"),
        ("SELL -1", "@0", True, "0"),
        ("SELL -1", "@12.345", True, "12.345"),
    ],
)
def test_prices_say_who_paid(side: str, price: str, credit: bool, net: str) -> None:
    parsed = parse_order(f"{side} {CONDOR} {price}")
    assert (parsed.is_credit, parsed.net_price) == (credit, Decimal(net))


def test_a_short_condor_sold_for_a_debit_is_refused() -> None:
    with pytest.raises(OrderTextError, match="sold for a debit"):
        parse_order(f"SELL -1 {CONDOR} @-.80")


@pytest.mark.parametrize(
    ("tail", "limit", "venue"),
    [
        ("", False, ""),
        (" LMT", True, ""),
        (" MKT", False, ""),
        (" CBOE", False, "CBOE"),
        (" LMT CBOE", True, "CBOE"),
        (" LMT GTC", True, ""),
        (" LMT [TO OPEN]", True, ""),
    ],
)
def test_what_may_follow_the_price(tail: str, limit: bool, venue: str) -> None:
    parsed = parse_order(f"SOLD -1 {CONDOR} @2.55{tail}")
    assert (parsed.is_limit, parsed.venue) == (limit, venue)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("#3971284571 ", ""),
        ("tAndroid ", ""),
        ("#1 NEW tIP ", ", ACCOUNT *****868SCHW"),
        ("tAndroid #77 ", " , ACCOUNT ****12AB "),
        ("  ", "  \n"),
    ],
)
def test_wrappers_of_alerts_are_left_out(before: str, after: str) -> None:
    parsed = parse_order(f"{before}{SAMPLE}{after}")
    assert parsed.legs == parse_order(SAMPLE).legs
    assert parsed.spans[0].start == len(before)


@pytest.mark.parametrize(
    ("symbol", "expiry", "root"),
    [
        ("SPX 100 (Weeklys)", "18 DEC 26", "SPXW"),
        ("SPX 100 (Quarterlys)", "31 DEC 26", "SPXW"),
        ("SPX 100", "18 DEC 26", "SPX"),
        ("SPX 100", "18 DEC 26 [AM]", "SPX"),
        ("SPX 100 (Weeklys)", "18 DEC 26 [AM]", "SPX"),
        ("SPXW 100", "18 DEC 26", "SPXW"),
        ("SPX 100 (Weeklys)", "17 DEC 26", "SPXW"),
    ],
)
def test_morning_and_afternoon(symbol: str, expiry: str, root: str) -> None:
    parsed = parse_order(f"SOLD -1 IRON CONDOR {symbol} {expiry} 6900/6950/6500/6450 CALL/PUT @2")
    assert {spec.root for spec, _ in parsed.legs} == {root}


def test_a_third_friday_that_is_a_holiday_expires_the_day_before() -> None:
    # Good Friday 2019-04-19: the monthly SPX options expired on Thursday 2019-04-18.
    parsed = parse_order("SELL -1 VERTICAL SPX 100 18 APR 19 [AM] 2800/2750 PUT @1.00")
    assert parsed.legs[0][0].expiry == date(2019, 4, 18)


def test_verticals_butterflies_and_singles() -> None:
    assert legs_of("SELL -3 VERTICAL SPX 100 (Weeklys) 18 DEC 26 6500/6450 PUT @1.25") == [
        ("SPXW261218P06500000", -3),
        ("SPXW261218P06450000", 3),
    ]
    assert legs_of("BOT +1 BUTTERFLY SPX 100 (Weeklys) 10 APR 26 6700/6600/6500 PUT @18.75 CBOE") == [
        ("SPXW260410P06700000", 1),
        ("SPXW260410P06600000", -2),
        ("SPXW260410P06500000", 1),
    ]
    assert legs_of("BOT +2 SPX 100 (Weeklys) 5 JUN 26 7500 CALL @2.90 CBOE") == [("SPXW260605C07500000", 2)]
    assert legs_of("SELL -1 VERTICAL SPX 100 18 DEC 26 6502.5/6450 PUT @1.25")[0] == (
        "SPX261218P06502500",
        -1,
    )


def test_vix_orders() -> None:
    parsed = parse_order("BOT +10 VERTICAL VIX 100 16 DEC 26 25/40 CALL @1.10 LMT")
    assert {spec.root for spec, _ in parsed.legs} == {"VIX"}
    assert all(spec.underlying == "VIX" for spec, _ in parsed.legs)
    assert legs_of("BUY +5 VIX 100 (Weeklys) 9 DEC 26 30 CALL @.85") == [("VIXW261209C00030000", 5)]


@pytest.mark.parametrize("form", ["~2/2/1/1 IRON CONDOR", "2/2/1/1 ~IRON CONDOR"])
def test_ratios_multiply_legs(form: str) -> None:
    text = f"SELL -2 {form} SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55"
    assert [quantity for _, quantity in parse_order(text).legs] == [-4, 4, -2, 2]


def test_a_custom_order_states_sign_date_and_right_of_each_leg() -> None:
    text = (
        "BUY +2 1/-1/1/-1 CUSTOM SPX 100 (Weeklys) 16 APR 21/16 APR 21 [AM]/19 MAR 21/19 MAR 21 "
        "3990/3980/4000/4010 CALL/CALL/PUT/PUT @-.80"
    )
    assert legs_of(text) == [
        ("SPXW210416C03990000", 2),
        ("SPX210416C03980000", -2),
        ("SPXW210319P04000000", 2),
        ("SPXW210319P04010000", -2),
    ]
    assert parse_order(text).is_credit
    both = "SOLD -1 5/-4 CUSTOM SPX 100 16 APR 21 [AM]/16 APR 21 [AM] 3750/3695 PUT/PUT @2"
    assert legs_of(both) == [("SPX210416P03750000", -5), ("SPX210416P03695000", 4)]
    one_date = "BUY +1 1/-2/1 CUSTOM SPX 100 (Weeklys) 18 DEC 26 6400/6500/6600 CALL @2"
    assert [quantity for _, quantity in parse_order(one_date).legs] == [1, -2, 1]


REFUSED = [
    ("", "", "SELL"),
    ("HOLD -1 IRON CONDOR", "HOLD", "SELL, SOLD, BUY or BOT"),
    ("SELL", "", "quantity"),
    ("SELL one IRON CONDOR", "one", "whole number"),
    ("SELL 0 IRON CONDOR", "0", "whole number"),
    ("SELL 1_000 IRON CONDOR", "1_000", "whole number"),
    ("SELL \N{ARABIC-INDIC DIGIT ONE} IRON CONDOR", "\N{ARABIC-INDIC DIGIT ONE}", "whole number"),
    ("SELL +1 IRON CONDOR", "+1", "contradict"),
    ("BUY -1 IRON CONDOR", "-1", "contradict"),
    ("SELL -1 IRON CONDR SPX", "CONDR", "CONDOR"),
    ("SELL -1 1/0/1/1 IRON CONDOR", "1/0/1/1", "zero"),
    ("SELL -1 1/-1 VERTICAL SPX", "1/-1", "Signed ratios"),
    ("SELL -1 VERT CALL SPX 100", "CALL", "follows ROLL"),
    ("SELL -1 CUSTOM SPX 100", "CUSTOM", "signed ratios"),
    ("SELL -1 DIAGONAL SPX 100", "DIAGONAL", "which leg is bought"),
    ("SELL -1 IRON CONDOR AAPL 100", "AAPL", "not SPX or VIX"),
    ("SELL -1 IRON CONDOR SPX 10 18", "10", "multiplier"),
    ("SELL -1 IRON CONDOR SPX 100 (Monthlys) 18", "(Monthlys)", "18 DEC 26"),
    ("SELL -1 IRON CONDOR SPX 100 18 DEZ 26", "DEZ", "JAN to DEC"),
    ("SELL -1 IRON CONDOR SPX 100 18 DEC 2026", "2026", "two digits"),
    ("SELL -1 IRON CONDOR SPX 100 31 FEB 26 1", "31", "not a date"),
    ("SELL -1 IRON CONDOR SPX 100 17 DEC 26 1", "17", "2026-12-18"),
    ("SELL -1 IRON CONDOR SPX 100 (Weeklys) 19 DEC 26 1", "19", "not a trading day"),
    ("SELL -1 IRON CONDOR SPX 100 (Weeklys) 17 DEC 26 [AM] 1", "17", "2026-12-18"),
    ("SELL -1 IRON CONDOR SPX 100 18 DEC 99 1", "18", "outside"),
    ("BUY +1 VIX 100 18 DEC 26 30 CALL @1", "18", "2026-12-16"),
    (f"SELL -1 {CONDOR.replace('6900/6950', '6900-6950')} @2.55", "6900-6950/6500/6450", "Strikes"),
    (f"SELL -1 {CONDOR.replace('6900/', '')} @2.55", "6950/6500/6450", "4 strikes"),
    (
        f"SELL -1 {CONDOR.replace('6900/6950', '6950/6900')} @2.55",
        "6950/6900/6500/6450",
        "must run",
    ),
    (f"SELL -1 {CONDOR.replace('CALL/PUT', 'CALL')} @2.55", "CALL", "CALL/PUT"),
    (f"SELL -1 {CONDOR}", "", "price"),
    (f"SELL -1 {CONDOR} 2.55", "2.55", "@2.55"),
    (f"SELL -1 {CONDOR} @2,55", "@2,55", "@2.55"),
    (f"SELL -1 {CONDOR} @2.55 LMT why not", "why", "venue"),
    (f"SELL -1 {CONDOR} @2.55 CBOE ARCA", "ARCA", "venue"),
    ("SELL -1 VERTICAL SPX 100 18 DEC 26 0/6450 PUT @1", "0/6450", "above zero"),
    ("SELL -1 VERTICAL SPX 100 18 DEC 26 6450/6450 PUT @1", "6450/6450", "same contract"),
    ("BUY +1 BUTTERFLY SPX 100 18 DEC 26 6500/6700/6600 PUT @1", "6500/6700/6600", "between"),
    ("BUY +1 VERTICAL SPX 100 18 DEC 26/18 DEC 26 1/2 PUT @1", "18", "one expiry"),
    ("BUY +1 1/-1 CUSTOM SPX 100 18 DEC 26 1/2 PUT/PUT/PUT @1", "PUT/PUT/PUT", "2 times"),
    ("BUY +1 1/-1/1 CUSTOM SPX 100 18 DEC 26/18 DEC 26 1/2/3 PUT @1", "18", "3 expiries"),
    ("BUY +1 1/-1/1 CUSTOM SPX 100 18 DEC 26 1/2 PUT @1", "1/2", "3 strikes"),
    ("BUY +1 1/1 SPX 100 18 DEC 26 100 PUT @1", "1/1", "ratio"),
    ("BUY +1 1/1/1 VERTICAL SPX 100 18 DEC 26 100/200 PUT @1", "1/1/1", "2 parts"),
    ("BUY +1 SPX 100 18 DEC 26 100 PULL @1", "PULL", "CALL or PUT"),
]


@pytest.mark.parametrize(("text", "token", "words"), REFUSED)
def test_the_token_that_was_not_understood(text: str, token: str, words: str) -> None:
    with pytest.raises(OrderTextError) as caught:
        parse_order(text)
    error = caught.value
    assert error.token == token
    assert text[error.start : error.end] == token
    assert words in error.message


def test_a_text_that_is_too_long_is_refused_at_once() -> None:
    with pytest.raises(OrderTextError, match="too long"):
        parse_order("SELL " * 1000)


def test_typographic_dashes_are_read_as_minus() -> None:
    assert parse_order(SAMPLE.replace("-1", "\N{MINUS SIGN}1")).packages == 1


def test_highlighting_covers_the_whole_text() -> None:
    text = f"#12 {SAMPLE}, ACCOUNT *****868SCHW"
    pieces = gaps(parse_order(text))
    assert "".join(piece for _, piece in pieces) == text
    roles = {piece: role for role, piece in pieces if role}
    assert roles["SOLD"] == "action"
    assert roles["6900/6950/6500/6450"] == "strikes"
    assert roles["@2.55"] == "price"


def refusal(text: str) -> OrderTextError | None:
    try:
        parse_order(text)
    except OrderTextError as error:
        return error
    return None


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused_in_place(text: str) -> None:
    error = refusal(text)
    assert error is not None
    assert error.message
    assert 0 <= error.start <= error.end <= len(text)


@given(st.lists(st.sampled_from([*SAMPLE.split(), "[AM]", "CUSTOM", "1/-1", "/", "26/18"]), max_size=22))
@examples(300)
def test_shuffled_words_never_crash(words: list[str]) -> None:
    text = " ".join(words)
    error = refusal(text)
    assert error is None or not error.token or text[error.start : error.end] == error.token


STRIKE = st.integers(min_value=200, max_value=1900).map(lambda n: n * 5)


@given(
    st.lists(STRIKE, min_size=4, max_size=4, unique=True).map(sorted),
    st.integers(1, 500),
    st.decimals("0.05", "40", places=2),
    st.sampled_from(["SELL -", "SOLD -", "BUY +", "BOT +"]),
)
def test_condors_survive_the_round_trip(strikes: list[int], count: int, price: Decimal, side: str) -> None:
    long_put, short_put, short_call, long_call = strikes
    text = (
        f"{side}{count} IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 "
        f"{short_call}/{long_call}/{short_put}/{long_put} CALL/PUT @{price}"
    )
    parsed = parse_order(text)
    sign = -1 if side.startswith("S") else 1
    assert {(spec.right, spec.strike): quantity for spec, quantity in parsed.legs} == {
        (Right.CALL, float(short_call)): sign * count,
        (Right.CALL, float(long_call)): -sign * count,
        (Right.PUT, float(short_put)): sign * count,
        (Right.PUT, float(long_put)): -sign * count,
    }
    prices = split_package(parsed.legs, parsed.packages, parsed.signed_price, {})
    received = -sum(q * p for (_, q), p in zip(parsed.legs, prices, strict=True))
    assert received == parsed.signed_price * count
    assert min(prices) >= 0


@given(
    st.lists(st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 5]), min_size=2, max_size=6).filter(
        lambda ratios: min(ratios) < 0 < max(ratios) and 1 in {abs(r) for r in ratios}
    ),
    st.integers(1, 20),
    st.decimals("-50", "50", places=2),
    st.lists(st.decimals("0", "80", places=4), min_size=6, max_size=6),
    st.booleans(),
)
def test_a_split_price_adds_up_exactly(
    ratios: list[int], packages: int, price: Decimal, marks: list[Decimal], with_marks: bool
) -> None:
    from hedging.engine.instruments import option_contract

    specs = [
        option_contract("SPXW", date(2026, 12, 18), Right.CALL, Decimal(6000 + 5 * i))
        for i in range(len(ratios))
    ]
    legs = [(spec, ratio * packages) for spec, ratio in zip(specs, ratios, strict=True)]
    known = {spec.symbol: mark for spec, mark in zip(specs, marks, strict=False)} if with_marks else {}
    prices = split_package(legs, packages, price, known)
    assert -sum(q * p for (_, q), p in zip(legs, prices, strict=True)) == price * packages
    assert all(p >= 0 and p == p.quantize(Decimal("0.000001")) for p in prices)
