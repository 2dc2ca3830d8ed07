"""What a trade can gain and lose by itself, in Decimal, for pages and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from hedging.engine.book import ContractSpec
from hedging.engine.money import to_cents
from hedging.engine.structure import Structure, payoff_curve
from journal.models import Trade
from journal.selectors.book.trades import OpenLeg, Position, trade_structure


@dataclass(frozen=True, slots=True)
class TradeStructure:
    """Figures in dollars, break-evens and widths in points; None: unbounded or no exact figure."""

    shape: str
    quantity: int
    credit: Decimal
    max_profit: Decimal | None
    max_loss: Decimal | None
    break_evens: tuple[Decimal, ...]
    margin: Decimal | None
    margin_ibkr: Decimal | None
    put_width: Decimal | None
    call_width: Decimal | None


@dataclass(frozen=True, slots=True)
class LegRow:
    """An open leg with its calendar days to expiry (None: it has none)."""

    spec: ContractSpec
    quantity: int
    entry_price: Decimal
    dte: int | None


def _money(value: float | None) -> Decimal | None:
    return None if value is None else to_cents(Decimal(str(value)))


def structure_figures(structure: Structure) -> TradeStructure:
    """Round the engine's floats once, at the door back to Decimal."""
    return TradeStructure(
        shape=structure.shape.value,
        quantity=structure.quantity,
        credit=to_cents(Decimal(str(structure.credit))),
        max_profit=_money(structure.max_profit),
        max_loss=_money(structure.max_loss),
        break_evens=tuple(to_cents(Decimal(str(at))) for at in structure.break_evens),
        margin=_money(structure.margin),
        margin_ibkr=_money(structure.margin_ibkr),
        put_width=_money(structure.put_width),
        call_width=_money(structure.call_width),
    )


def trade_figures(trade: Trade, *, until: datetime | None = None) -> TradeStructure:
    """Describe a trade from its fills alone, now or as of a moment (see trade_structure)."""
    return structure_figures(trade_structure(trade, until=until))


def leg_rows(legs: tuple[OpenLeg, ...], today: date) -> list[LegRow]:
    """List open legs with their days to expiry."""
    return [
        LegRow(
            leg.spec,
            leg.quantity,
            leg.entry_price,
            None if leg.spec.expiry is None else (leg.spec.expiry - today).days,
        )
        for leg in legs
    ]


def expiry_chart(position: Position, structure: Structure) -> dict[str, object] | None:
    """Make the payoff chart at expiry of a position, or None where it has no exact payoff."""
    legs = position.engine_legs()
    strikes = [leg.contract.strike for leg in legs if leg.contract.strike is not None]
    if structure.max_profit is None and structure.max_loss is None:
        return None
    low, high = min(strikes), max(strikes)
    pad = max((high - low) * 0.3, 0.01 * high)
    marks = [*strikes, *structure.break_evens]
    prices = sorted({max(0.0, min(marks) - pad), *marks, max(marks) + pad})
    return {
        "underlying": legs[0].contract.underlying,
        "prices": prices,
        "today": None,
        "one_sd": None,
        "expiry": payoff_curve(legs, structure.credit, prices),
        "spot": None,
        "break_evens": [float(to_cents(Decimal(str(at)))) for at in structure.break_evens],
    }
