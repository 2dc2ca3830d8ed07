"""What an order or a position is for: kind, hedge layer, instrument and label, checked against its legs.

The one place that decides it, for orders (``journal.services.book.judging``), imports and the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hedging.engine.book import Leg, Right
from hedging.engine.contract_words import position_words
from hedging.engine.purpose import HedgeInstrument, hedge_instrument, is_condor
from journal.errors import RuleError
from journal.models import Trade
from journal.selectors.book.trades import Position

Instrument = Trade.Instrument
Kind = Trade.Kind
_INSTRUMENTS = {
    HedgeInstrument.VIX_CALL: Instrument.VIX_CALLS,
    HedgeInstrument.VIX_CALL_SPREAD: Instrument.VIX_CALL_SPREAD,
    HedgeInstrument.VIX_CALENDAR: Instrument.VIX_CALENDAR,
    HedgeInstrument.SPX_PUT: Instrument.SPX_PUTS,
    HedgeInstrument.SPX_PUT_SPREAD: Instrument.SPX_PUT_SPREAD,
    HedgeInstrument.VX_FUTURE: Instrument.VX_FUTURE,
    HedgeInstrument.VXX: Instrument.VXX,
}
_LAYER_OF = "VIX calls, VIX call spreads or calendars, SPX puts or put spreads, VX futures, VXX shares"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a trade is recorded as; ``layer`` is that of a hedge, None for every other kind."""

    kind: Trade.Kind
    layer: int | None
    instrument: Trade.Instrument
    label: str


def purpose_of(
    position: Position, *, kind: Trade.Kind | None = None, layer: int | None = None, instrument: str = ""
) -> Purpose:
    """The purpose of ``position``: as stated where it is stated, else as the legs say.

    Raises RuleError naming the input (``legs``, ``layer``, ``instrument``) and the reason where the legs are
    not what is stated.
    """
    legs = position.engine_legs()
    kind = kind or kind_of(legs)
    if kind == Kind.CONDOR and not is_condor(legs):
        if any(leg.contract.underlying != "SPX" for leg in legs):
            raise RuleError("Condors in this journal are on SPX.", "legs")
        raise RuleError(
            "An iron condor has four legs of one expiry: a bought and a sold put, a sold and a bought call, "
            "on each side in equal numbers. Without both wings its risk is undefined; other shapes are "
            "recorded as Other.",
            "legs",
        )
    found = Instrument.NONE
    if kind == Kind.HEDGE:
        found = _hedge(legs, layer, instrument)
    elif layer is not None:
        raise RuleError("Only hedge layers have a layer number.", "layer")
    return Purpose(kind, layer, found, position_label(kind, position, layer))


def kind_of(legs: Sequence[Leg]) -> Trade.Kind:
    """The kind of legs nobody named: a condor or Other. That they hedge is for a person or a file to say."""
    return Kind.CONDOR if is_condor(legs) else Kind.OTHER


def instrument_of(legs: Sequence[Leg]) -> Trade.Instrument:
    """The hedge instrument of the legs; NONE when it is no listed one."""
    found = hedge_instrument(legs)
    return Instrument.NONE if found is None else _INSTRUMENTS[found]


def position_label(kind: Trade.Kind, position: Position, layer: int | None) -> str:
    """Name a position: ``L1 · 3 × VIX 19 C · Dec 16 '26``."""
    words = position_words([(leg.spec, leg.quantity) for leg in position.legs])
    return (f"L{layer} · {words}" if kind == Kind.HEDGE else words)[:120]


def _hedge(legs: Sequence[Leg], layer: int | None, stated: str) -> Trade.Instrument:
    """The instrument of a hedge layer. Raises RuleError where the legs are none, or not the stated one."""
    if layer not in {1, 2, 3}:
        raise RuleError("A hedge layer is 1, 2 or 3.", "layer")
    net = sum(
        leg.quantity for leg in legs if leg.contract.underlying == "VIX" and leg.contract.right is Right.CALL
    )
    if net < 0:
        raise RuleError("A hedge layer is never net short VIX calls.", "legs")
    found = instrument_of(legs)
    if stated and stated != found:
        wanted = Instrument(stated).label if stated in Instrument.values else stated
        actual = found.label if found else "none of the known instruments"
        raise RuleError(f"The legs are not {wanted}: they are {actual}.", "instrument")
    if not found:
        raise RuleError(f"A hedge layer is one of {_LAYER_OF}; these legs are none of them.", "legs")
    return found
