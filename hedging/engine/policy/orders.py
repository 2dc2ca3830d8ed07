"""From picked contracts to a ticket: net price on the tick, dollars, and a thinkorswim order string.

The string follows the grammar that the journal reads: net price a package, short call / long call / short
put / long put for an iron condor, signed ratios for anything without a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from math import gcd

from hedging.engine.book import BookTrade, ContractSpec, InstrumentKind
from hedging.engine.contract_words import sum_words
from hedging.engine.instruments import FUTURE_MONTHS, ROOTS, parse_symbol
from hedging.engine.market import MarketSnapshot
from hedging.engine.policy.chain import Pick, picks_for
from hedging.engine.policy.types import Order, OrderLeg
from hedging.maths.types import Right

_PACKAGE_TICK = Decimal("0.05")


def make_order(picks: Sequence[Pick], packages: int, trade_id: str | None = None) -> Order:
    """A ticket of ``packages`` times the picks at the net mark, rounded to the tick against the trader.

    The limit is points a package, + received; a debit rounds up and a credit down, so it can fill.
    """
    net = -sum(one.quantity * one.price for one in picks)
    limit = on_tick(net, [one.spec for one in picks])
    paid = picks[0].spec.kind is not InstrumentKind.FUTURE  # a future moves no money when it is opened
    size = picks[0].spec.multiplier * packages if paid else 0
    return Order(
        legs=tuple(
            OrderLeg(
                symbol=one.spec.symbol,
                quantity=one.quantity * packages,
                price=one.price,
                delta=one.value.delta,
                bid=one.value.bid,
                ask=one.value.ask,
                modelled=one.modelled,
            )
            for one in picks
        ),
        packages=packages,
        limit=float(limit),
        cash=round(float(limit) * size, 2) or 0.0,  # never -0.0
        text=order_text([(one.spec, one.quantity) for one in picks], packages, limit),
        trade_id=trade_id,
        modelled=any(one.modelled for one in picks),
    )


def closing(market: MarketSnapshot, trade: BookTrade, packages: int) -> Order | None:
    """The ticket that closes ``packages`` of a trade, leg by leg in the order of the book."""
    held = 0
    for leg in trade.legs:
        held = gcd(held, abs(leg.quantity))
    if not held:
        return None
    count = min(packages, held)
    picks = picks_for(market, [(leg.contract, -leg.quantity // held) for leg in trade.legs])
    return make_order(picks, count, trade.trade_id) if picks else None


def on_tick(net: float, specs: Sequence[ContractSpec]) -> Decimal:
    """The net price (+ received) on the tick at or below it: less credit or more debit.

    Source: Cboe contract specifications. A single option has its root's tick, an SPX package 0.05, a VIX
    package the option's own tick.
    """
    rule = ROOTS[specs[0].root]
    exact = Decimal(repr(round(net, 6)))
    tick = _PACKAGE_TICK if len(specs) > 1 and rule.underlying == "SPX" else rule.tick(abs(exact))
    return (exact / tick).to_integral_value(ROUND_FLOOR) * tick


def order_text(legs: Sequence[tuple[ContractSpec, int]], packages: int, limit: Decimal) -> str:
    """The order string of one package's legs at a net limit (+ received).

    Empty where the broker has no words for it: several futures or shares, or options of two underlyings.
    """
    if any(spec.kind is not InstrumentKind.OPTION for spec, _ in legs):
        return _linear_line(legs[0][0], legs[0][1] * packages, limit) if len(legs) == 1 else ""
    if len({spec.root.removesuffix("W") for spec, _ in legs}) > 1:
        return ""
    condor = _condor(legs)
    if condor is not None:
        side, strikes = condor
        return _line(side, packages, "IRON CONDOR", legs[:1], strikes, "CALL/PUT", limit)
    if len(legs) == 1:
        ((spec, quantity),) = legs
        return _line(quantity, packages, "", legs, _strike(spec), _right(spec), limit)
    if _is_vertical(legs):
        (first, quantity), (second, _) = legs
        strikes = f"{_strike(first)}/{_strike(second)}"
        return _line(quantity, packages, "VERTICAL", legs[:1], strikes, _right(first), limit)
    ratio = "/".join(str(quantity) for _, quantity in legs)
    strikes = "/".join(_strike(spec) for spec, _ in legs)
    rights = "/".join(_right(spec) for spec, _ in legs)
    return _line(1, packages, f"{ratio} CUSTOM", legs, strikes, rights, limit)


def words_of(*orders: Order) -> str:
    """What orders trade, whatever their side: ``8 VIX Dec 19 calls and 3 VIX Dec 20 calls``."""
    return sum_words(
        ([(parse_symbol(leg.symbol), leg.quantity // order.packages) for leg in order.legs], order.packages)
        for order in orders
    )


def tickets(orders: Sequence[Order]) -> tuple[Order, ...]:
    """Orders as a trader sends them: those of one package at one limit, lot by lot, are one ticket."""
    found: list[Order] = []
    for order in orders:
        at = next((n for n, one in enumerate(found) if _shape(one) == _shape(order)), None)
        if at is None:
            found.append(order)
            continue
        one = found[at]
        packages = one.packages + order.packages
        legs = [(parse_symbol(leg.symbol), leg.quantity // order.packages) for leg in order.legs]
        found[at] = replace(
            one,
            legs=tuple(
                replace(a, quantity=a.quantity + b.quantity)
                for a, b in zip(one.legs, order.legs, strict=True)
            ),
            packages=packages,
            cash=round(one.cash + order.cash, 2),
            text=order_text(legs, packages, Decimal(repr(order.limit))),
            trade_id=None,
            modelled=one.modelled or order.modelled,
        )
    return tuple(found)


def _shape(order: Order) -> tuple[object, ...]:
    return order.limit, *((leg.symbol, leg.quantity // order.packages) for leg in order.legs)


def _linear_line(spec: ContractSpec, quantity: int, limit: Decimal) -> str:
    """``BUY +2 /VXG26 @19.25 LMT`` or ``BUY +100 VXX @40.00 LMT``; the month is that of the settlement."""
    symbol = spec.symbol
    if spec.expiry is not None:
        symbol = f"/{spec.root}{FUTURE_MONTHS[spec.expiry.month - 1]}{spec.expiry:%y}"
    action = f"BUY +{quantity}" if quantity > 0 else f"SELL {quantity}"
    return f"{action} {symbol} @{abs(limit):.2f} LMT"


def _line(
    side: int,
    packages: int,
    strategy: str,
    legs: Sequence[tuple[ContractSpec, int]],
    strikes: str,
    rights: str,
    limit: Decimal,
) -> str:
    action = f"BUY +{packages}" if side > 0 else f"SELL -{packages}"
    price = -limit if side > 0 else limit
    weekly = any(spec.root.endswith("W") for spec, _ in legs)
    dates = [_expiry(spec, weekly=weekly) for spec, _ in legs]
    expiry = dates[0] if len(set(dates)) == 1 else "/".join(dates)
    root = legs[0][0].root.removesuffix("W")
    head = " ".join(part for part in (action, strategy, root, "100", "(Weeklys)" if weekly else "") if part)
    return f"{head} {expiry} {strikes} {rights} @{price:.2f} LMT"


def _expiry(spec: ContractSpec, *, weekly: bool) -> str:
    assert spec.expiry is not None
    morning = weekly and not spec.root.endswith("W")
    return f"{spec.expiry.day} {spec.expiry:%b %y}".upper() + (" [AM]" if morning else "")


def _strike(spec: ContractSpec) -> str:
    assert spec.strike is not None
    return _plain(Decimal(repr(spec.strike)))


def _right(spec: ContractSpec) -> str:
    return "CALL" if spec.right is Right.CALL else "PUT"


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_vertical(legs: Sequence[tuple[ContractSpec, int]]) -> bool:
    if len(legs) != 2:
        return False
    (a, first), (b, second) = legs
    return (
        a.right == b.right
        and a.expiry == b.expiry
        and a.root == b.root
        and abs(first) == 1
        and first == -second
    )


def _condor(legs: Sequence[tuple[ContractSpec, int]]) -> tuple[int, str] | None:
    """(side, strikes in the broker's order) of an iron condor: +1 bought back, -1 sold."""
    if len(legs) != 4 or len({(spec.root, spec.expiry) for spec, _ in legs}) != 1:
        return None
    calls = sorted((leg for leg in legs if leg[0].right is Right.CALL), key=lambda leg: leg[0].strike or 0)
    puts = sorted((leg for leg in legs if leg[0].right is Right.PUT), key=lambda leg: -(leg[0].strike or 0))
    if len(calls) != 2 or len(puts) != 2 or (puts[0][0].strike or 0) > (calls[0][0].strike or 0):
        return None
    side = calls[0][1]
    if [q for _, q in (*calls, *puts)] != [side, -side, side, -side] or abs(side) != 1:
        return None
    return side, "/".join(_strike(spec) for spec, _ in (*calls, *puts))
