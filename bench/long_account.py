"""An account of about five years on the real index history, for timing a backfill.

Every week a condor of 45 days with shorts at 16 delta, closed when 21 days are left; with each a layer-1 VIX
call of about 30 days, held into its settlement; every quarter layer-3 VIX calls of 110 days, sold when 30 are
left. Prices are those of the modelled surface at the day's close.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from uuid import uuid4

import numpy as np

from hedging.engine.book import ContractSpec, Leg
from hedging.engine.instruments import option_contract
from hedging.engine.pricing.valuation import value_leg
from hedging.maths import black76
from hedging.maths.types import Right
from hedging.models import Contract
from hedging.selectors.calendar import (
    closes_at,
    session_on_or_before,
    sessions_between,
    third_friday,
    vix_expiries_after,
)
from hedging.services.snapshots.close_market import ClosingMarket, closing_market
from hedging.services.snapshots.closes import closings
from hedging.services.snapshots.contracts import contracts_get_or_create
from journal.models import Account, Fill, Trade
from journal.services.book.ledger import trade_refresh

FIRST, LAST = date(2019, 1, 2), date(2023, 12, 29)
FILES = (
    "spx_daily.csv", "vix_daily.csv", "vix9d_daily.csv", "vix3m_daily.csv", "vvix_daily.csv", "rate_dtb3.csv",
    "vx_contracts_daily.csv.gz", "vx_final_settlement.csv",
)  # fmt: skip
_CONDOR_DAYS, _CLOSE_DAYS, _LAYER_ONE_DAYS, _LAYER_THREE_DAYS, _SELL_DAYS = 45, 21, 30, 110, 30
_WING, _FEE, _CENT = 50, Decimal("1.30"), Decimal("0.01")


@dataclass(slots=True)
class _Position:
    """A trade being built: signed legs and when it is closed (None: it settles)."""

    kind: str
    layer: int | None
    legs: list[tuple[ContractSpec, int]]
    opened: date
    closes: date | None
    prices: dict[tuple[str, date], Decimal] = field(default_factory=dict)


def market_load(folder: Path) -> int:
    """Load what the modelled surfaces of the years need; returns the number of rows stored."""
    from hedging.services.market.load import market_path_load

    return sum(market_path_load(path=folder / "market" / name).rows_new for name in FILES)


def account_make() -> Account:
    """The account with its trades and fills; expired legs are left to the settlement service."""
    days = sessions_between(FIRST, LAST)
    market = closings(days=days, simulated=False)
    positions: list[_Position] = []
    for before, day in zip((None, *days), days, strict=False):
        closing = closing_market(market[day])
        if before is None or day.isocalendar().week != before.isocalendar().week:
            positions += [_condor(closing, day), _calls(closing, day, 1, _LAYER_ONE_DAYS, 0.28, 1)]
        if before is None or (day.month - 1) // 3 != (before.month - 1) // 3:
            positions.append(_calls(closing, day, 3, _LAYER_THREE_DAYS, 0.25, 2))
        for position in positions:
            if day in (position.opened, position.closes):
                for spec, _ in position.legs:
                    position.prices[spec.symbol, day] = _price(closing, spec)
    return _store(positions)


def _condor(closing: ClosingMarket, day: date) -> _Position:
    aim = day + timedelta(days=_CONDOR_DAYS)
    expiry = session_on_or_before(aim + timedelta(days=4 - aim.weekday()))
    root = "SPX" if expiry == session_on_or_before(third_friday(expiry.year, expiry.month)) else "SPXW"
    put, call = (_at_delta(closing, root, expiry, right, 0.16, 25) for right in (Right.PUT, Right.CALL))
    legs = [
        (option_contract(root, expiry, right, Decimal(strike)), quantity)
        for right, strike, quantity in (
            (Right.PUT, put - _WING, 2), (Right.PUT, put, -2),
            (Right.CALL, call, -2), (Right.CALL, call + _WING, 2),
        )
    ]  # fmt: skip
    return _Position(Trade.Kind.CONDOR, None, legs, day, _until(expiry, _CLOSE_DAYS))


def _calls(closing: ClosingMarket, day: date, layer: int, days: int, delta: float, count: int) -> _Position:
    expiry = min(vix_expiries_after(day, 8), key=lambda one: abs((one - day).days - days))
    strike = _at_delta(closing, "VIX", expiry, Right.CALL, delta, 1)
    legs = [(option_contract("VIX", expiry, Right.CALL, Decimal(strike)), count)]
    closes = None if layer == 1 else _until(expiry, _SELL_DAYS)
    return _Position(Trade.Kind.HEDGE, layer, legs, day, closes)


def _until(expiry: date, days: int) -> date | None:
    day = session_on_or_before(expiry - timedelta(days=days))
    return day if day <= LAST else None


def _at_delta(closing: ClosingMarket, root: str, expiry: date, right: Right, delta: float, step: int) -> int:
    """Strike on a grid of ``step`` points whose Black-76 delta is nearest."""
    one = closing.market.slices[root, expiry]
    strikes = np.arange(max(step, one.forward * 0.5 // step * step), one.forward * 2.5, step)
    found = black76.greeks(
        one.forward, strikes, one.t, one.smile.vol(strikes), one.discount, int(right)
    ).delta
    return int(strikes[int(np.argmin(np.abs(np.abs(found) - delta)))])


def _price(closing: ClosingMarket, spec: ContractSpec) -> Decimal:
    price = value_leg(Leg(spec, 1, 0.0), closing.market).price
    if price is None:
        raise RuntimeError(f"{spec.symbol} has no price on {closing.market.as_of:%Y-%m-%d}")
    return Decimal(repr(float(price))).quantize(_CENT, ROUND_HALF_UP)


def _store(positions: list[_Position]) -> Account:
    account = Account.objects.create(name="Five years", broker="Bench", base_capital=Decimal(250_000))
    contracts = contracts_get_or_create(specs=[spec for one in positions for spec, _ in one.legs])
    trades = [Trade(account=account, kind=one.kind, layer=one.layer) for one in positions]
    Trade.objects.bulk_create(trades, batch_size=500)
    fills = [
        fill
        for trade, one in zip(trades, positions, strict=True)
        for fill in _fills(account, trade, one, contracts)
    ]
    Fill.objects.bulk_create(fills, batch_size=500)
    for trade in trades:
        trade_refresh(trade)
    return account


def _fills(account: Account, trade: Trade, one: _Position, contracts: dict[str, Contract]) -> Iterator[Fill]:
    for day, sign in ((one.opened, 1), (one.closes, -1)):
        if day is None:
            continue
        for spec, quantity in one.legs:
            yield Fill(
                id=uuid4(), account=account, trade=trade, contract=contracts[spec.symbol],
                quantity=sign * quantity, price=one.prices[spec.symbol, day], fees=_FEE * abs(quantity),
                trade_date=day, executed_at=closes_at(day) - timedelta(minutes=12), source="bench",
            )  # fmt: skip
