"""Daily marks of contracts: each contract is priced once a session, whoever holds it.

A future is marked at its settlement, a share at its close, an option at the mid of its own quote; where it
has none, at the price of the surface, modelled and flagged. An expired contract is worth its official
settlement and nothing else; while that is not loaded its mark is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from hedging.engine.book import ContractSpec, InstrumentKind, Leg
from hedging.engine.market import Flag
from hedging.engine.pricing.settlement import settled_value
from hedging.engine.pricing.valuation import AWAITING, LegFlag, PriceSource, price_together, value_leg
from hedging.maths.yearfrac import year_fraction
from hedging.models import Contract, ContractMark, Quality
from hedging.selectors.calendar import closes_at, settles_at
from hedging.services.snapshots.close_market import ClosingMarket, carried_vol, closing_market, option_price
from hedging.services.snapshots.closes import SessionClose, closings
from hedging.services.snapshots.contracts import contract_spec

Wanted = Mapping[date, Collection[Contract]]
#: Marks are kept to a hundredth of a cent of a point: whole cents for every option and future.
_STEP = Decimal("0.0001")
_BATCH = 500
#: Kept to twelve digits: how many options were priced together must not show in the last bits.
_FLOATS = ("forward", "iv", "t", "rate", "delta", "gamma", "theta", "vega")


def contract_marks(
    *, wanted: Wanted, simulated: bool, progress: Callable[[int, int], None] | None = None
) -> list[ContractMark]:
    """Marks of the contracts on each day, made where they are missing; ordered by day and contract.

    Contracts are marked up to their expiry; later days give nothing.
    """
    days = sorted(wanted)
    market = closings(days=days, simulated=simulated)
    keys = {day: market[day].key() for day in days}
    stored = _stored(wanted, keys)
    missing = {
        day: [c for c in wanted[day] if (c.pk, day) not in stored and not _is_past(c, day)] for day in days
    }
    todo = [day for day in days if missing[day]]
    made: list[ContractMark] = []
    for number, day in enumerate(todo, start=1):
        if progress is not None:
            progress(number - 1, len(todo))
        made += _made(market[day], keys[day], missing[day])
        if len(made) >= _BATCH or number == len(todo):
            # Kept as they come: a worker that is killed goes on where it was.
            ContractMark.objects.bulk_create(made, batch_size=_BATCH, ignore_conflicts=True)
            made = []
    if todo:
        stored = _stored(wanted, keys)
    return [stored[key] for key in sorted(stored, key=lambda key: (key[1], key[0]))]


def _is_past(contract: Contract, day: date) -> bool:
    return contract.expiry is not None and contract.expiry < day


def _stored(wanted: Wanted, keys: Mapping[date, str]) -> dict[tuple[int, date], ContractMark]:
    if not wanted:
        return {}
    days_of: dict[int, set[date]] = defaultdict(set)
    for day, contracts in wanted.items():
        for contract in contracts:
            days_of[contract.pk].add(day)
    found: dict[tuple[int, date], ContractMark] = {}
    ids = sorted(days_of)
    for start in range(0, len(ids), _BATCH):
        rows = ContractMark.objects.filter(
            contract_id__in=ids[start : start + _BATCH], day__range=(min(wanted), max(wanted))
        )
        for row in rows:
            if row.day in days_of[row.contract_id] and keys[row.day] == row.market_key:
                found[row.contract_id, row.day] = row
    return found


def _made(closing: SessionClose, key: str, contracts: Iterable[Contract]) -> list[ContractMark]:
    """Marks of one session, not stored yet."""
    options: list[tuple[Contract, ContractSpec]] = []
    rows = []
    for contract in contracts:
        spec = contract_spec(contract)
        row = _blank(contract, closing, key)
        if spec.expiry == closing.day:
            rows.append(_final(row, spec, closing))
        elif spec.kind is InstrumentKind.FUTURE:
            rows.append(_future(row, spec, closing))
        elif spec.kind is InstrumentKind.SHARE:
            rows.append(_share(row, spec, closing))
        else:
            options.append((contract, spec))
    if options:
        market = closing_market(closing)
        price_together([spec for _, spec in options], market.market)
        for contract, spec in options:
            row = _blank(contract, closing, key)
            rows.append(_option(row, spec, market, simulated=closing.simulated))
    for row in rows:
        for name in _FLOATS:
            value = getattr(row, name)
            if value is not None:
                setattr(row, name, float(f"{value:.12g}"))
    return rows


def _blank(contract: Contract, closing: SessionClose, key: str) -> ContractMark:
    """A row to fill; unknown marks of the simulated market are simulated, too."""
    quality = Quality.SIMULATED.value if closing.simulated else ""
    return ContractMark(contract=contract, day=closing.day, market_key=key, quality=quality)


def _final(row: ContractMark, spec: ContractSpec, closing: SessionClose) -> ContractMark:
    level = closing.final_level(spec)
    if level is None:
        return _unknown(row, AWAITING)
    row.price = _kept(settled_value(spec, float(level.value)))
    row.source, row.quality = PriceSource.FINAL.value, level.quality
    row.forward, row.t, row.quoted_at = float(level.value), 0.0, settles_at(spec)
    row.delta = row.gamma = row.theta = row.vega = 0.0
    return row


def _future(row: ContractMark, spec: ContractSpec, closing: SessionClose) -> ContractMark:
    assert spec.expiry is not None
    settle = closing.vx.get(spec.expiry)
    if settle is None:
        return _unknown(row, "no VX settlement of this contract that day")
    moment = settles_at(spec)
    assert moment is not None
    row.price, row.source, row.quality = settle.value, PriceSource.SETTLEMENT.value, settle.quality
    row.t = year_fraction(closes_at(closing.day), moment)
    return _linear(row)


def _share(row: ContractMark, spec: ContractSpec, closing: SessionClose) -> ContractMark:
    level = closing.levels.get(spec.symbol)
    if level is None:
        return _unknown(row, f"no {spec.symbol} close that day")
    row.price, row.source, row.quality = level.value, PriceSource.LEVEL.value, level.quality
    return _linear(row)


def _linear(row: ContractMark) -> ContractMark:
    assert row.price is not None
    row.forward, row.quoted_at = float(row.price), closes_at(row.day)
    row.delta, row.gamma, row.theta, row.vega = 1.0, 0.0, 0.0, 0.0
    return row


def _option(
    row: ContractMark, spec: ContractSpec, closing: ClosingMarket, *, simulated: bool
) -> ContractMark:
    found = value_leg(Leg(spec, 1, 0.0), closing.market)
    if found.price is None or spec.expiry is None:
        return _unknown(row, found.reason)
    expiry = closing.market.slices[(spec.root, spec.expiry)]
    flags = {flag.value for flag in found.flags}
    row.price, row.bid, row.ask = _kept(found.price), _side(found.bid), _side(found.ask)
    row.source, row.quality = found.source.value, (found.quality or Flag.EOD).value
    row.quoted_at, row.forward, row.iv, row.t = found.quoted_at, found.forward, found.iv, found.t
    row.rate = float(-np.log(expiry.discount) / expiry.t) if expiry.t > 0 else None
    row.delta, row.gamma, row.theta, row.vega = found.delta, found.gamma, found.theta, found.vega
    if found.source is PriceSource.SURFACE:
        flags.add(LegFlag.MODELLED.value)
        carried = carried_vol(spec, closing, simulated=simulated)
        if carried is not None:
            row.iv, day = carried
            _at_vol(row, spec, closing, row.iv)
            flags.add(f"vol scaled to the chain of {day}")
    row.flags = ",".join(sorted(flags))[:80]
    return row


def _at_vol(row: ContractMark, spec: ContractSpec, closing: ClosingMarket, vol: float) -> None:
    greeks = option_price(spec, closing, vol)
    if greeks is None:
        return
    row.price = _kept(float(greeks.price))
    row.delta, row.gamma = float(greeks.delta), float(greeks.gamma)
    row.theta, row.vega = float(greeks.theta), float(greeks.vega)


def _unknown(row: ContractMark, reason: str) -> ContractMark:
    row.source, row.reason = PriceSource.UNKNOWN.value, reason[:160]
    return row


def _side(value: float | None) -> Decimal | None:
    return None if value is None else _kept(value)


def _kept(price: float) -> Decimal:
    return Decimal(repr(float(price))).quantize(_STEP, ROUND_HALF_EVEN)
