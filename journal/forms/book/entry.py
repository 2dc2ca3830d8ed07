"""Forms that open a position: an iron condor, a hedge layer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from hedging.engine.book import Right
from hedging.engine.instruments import UnknownSymbolError, option_contract, share, vx_future
from journal.errors import RuleError
from journal.forms.book.order import Legs, OrderForm
from journal.models import Trade
from journal.selectors.book.trades import OpenLeg

Instrument = Trade.Instrument
#: Fields of a condor's strikes, ascending; bought, sold, sold, bought.
STRIKE_FIELDS = ("long_put", "short_put", "short_call", "long_call")
_RIGHTS = (Right.PUT, Right.PUT, Right.CALL, Right.CALL)
_SIGNS = (1, -1, -1, 1)
_PUTS = {Instrument.SPX_PUTS, Instrument.SPX_PUT_SPREAD}
Strike = Decimal | float


def condor_legs(root: str, expiry: date, strikes: Sequence[Strike], count: int = 1) -> Legs:
    """Four legs of ``count`` condors with these ascending strikes."""
    return tuple(
        (option_contract(root, expiry, right, Decimal(str(strike))), sign * count)
        for right, strike, sign in zip(_RIGHTS, strikes, _SIGNS, strict=True)
    )


def strike_root(instrument: str) -> str:
    """The root whose options a hedge instrument buys; empty for futures and shares."""
    if instrument in _PUTS:
        return "SPXW"
    return "VIX" if instrument in {Instrument.VIX_CALLS, Instrument.VIX_CALL_SPREAD} else ""


def _strike(label: str, name: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal("0.5"),
        max_digits=8,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"step": "any", "aria-describedby": f"near-{name}"}),
    )


def _expiry(help_text: str = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(required=False, widget=widget, help_text=help_text)


class CondorForm(OrderForm):
    """An SPX iron condor of four legs."""

    root = forms.ChoiceField(
        label="Settlement",
        required=False,
        choices=[("SPXW", "SPXW, afternoon (PM)"), ("SPX", "SPX monthly, morning (AM)")],
    )
    expiry = _expiry()
    long_put, short_put = _strike("Buy put", "long_put"), _strike("Sell put", "short_put")
    short_call, long_call = _strike("Sell call", "short_call"), _strike("Buy call", "long_call")
    strike_fields = STRIKE_FIELDS
    contracts = forms.IntegerField(label="Condors", min_value=1, max_value=10_000, initial=1, required=False)
    credit = forms.DecimalField(
        label="Credit per condor (points)",
        required=False,
        max_digits=8,
        decimal_places=2,
        help_text="What one condor brought in; 2.55 points are $255.",
    )

    def typed_legs(self) -> tuple[Legs, int]:
        """Read four strikes of one expiry."""
        expiry = self.need_expiry()
        root = self.cleaned_data.get("root") or "SPXW"
        count = self.cleaned_data.get("contracts") or 1
        strikes = [
            self.need_number(name, what)
            for name, what in (
                ("long_put", "the bought put"),
                ("short_put", "the sold put"),
                ("short_call", "the sold call"),
                ("long_call", "the bought call"),
            )
        ]
        if not strikes[0] < strikes[1] <= strikes[2] < strikes[3]:
            raise RuleError("Strikes must rise: buy put < sell put ≤ sell call < buy call.", "long_put")
        return condor_legs(root, expiry, strikes, count), count

    def typed_price(self, legs: Legs) -> Decimal:
        """Read the credit."""
        return self.need_number("credit", "the credit")


def condor_copy(legs: Sequence[OpenLeg]) -> dict[str, Any] | None:
    """Initial values of a CondorForm with these legs, or None for another shape; prices are not copied."""
    options = [leg for leg in legs if leg.spec.strike is not None]
    if len(options) != 4 or len(options) != len(legs):
        return None
    puts = sorted((leg for leg in options if leg.spec.right is Right.PUT), key=_strike_of)
    calls = sorted((leg for leg in options if leg.spec.right is Right.CALL), key=_strike_of)
    sizes = [leg.quantity for leg in (*puts, *calls)]
    count = abs(sizes[0])
    if sizes != [count, -count, -count, count] or len({leg.spec.expiry for leg in legs}) > 1:
        return None
    strikes = {n: f"{_strike_of(leg):g}" for n, leg in zip(STRIKE_FIELDS, (*puts, *calls), strict=True)}
    return {"root": puts[0].spec.root, "expiry": puts[0].spec.expiry, "contracts": count, **strikes}


def hedge_copy(trade: Trade, legs: Sequence[OpenLeg]) -> dict[str, Any] | None:
    """Initial values of a HedgeForm with these legs, or None for another shape; prices are not copied."""
    if not trade.instrument or not 1 <= len(legs) <= 2:
        return None
    ordered = sorted(legs, key=lambda leg: -leg.quantity)  # the bought leg first
    found: dict[str, Any] = {
        "layer": trade.layer, "instrument": trade.instrument, "expiry": ordered[0].spec.expiry,
        "contracts": ordered[0].quantity,
    }  # fmt: skip
    for name, leg in zip(("strike", "second_strike"), ordered, strict=False):
        if leg.spec.strike is not None:
            found[name] = f"{leg.spec.strike:g}"
    return found


def _strike_of(leg: OpenLeg) -> float:
    return leg.spec.strike or 0.0


class HedgeForm(OrderForm):
    """A hedge layer of one instrument."""

    layer = forms.TypedChoiceField(
        coerce=int,
        choices=[(1, "Layer 1: always on"), (2, "Layer 2: gate"), (3, "Layer 3: regime shift")],
    )
    instrument = forms.ChoiceField(choices=[c for c in Instrument.choices if c[0]])
    expiry = _expiry("VIX options and VX futures expire on their settlement Wednesday.")
    strike = _strike("Strike (bought)", "strike")
    second_strike = _strike("Strike sold (spreads)", "second_strike")
    strike_fields = ("strike", "second_strike")
    contracts = forms.IntegerField(
        label="Contracts or shares",
        min_value=-10_000,
        max_value=100_000,
        initial=1,
        required=False,
    )
    price = forms.DecimalField(
        label="Price paid (points)",
        required=False,
        max_digits=9,
        decimal_places=4,
        help_text="Per contract or spread; for futures the trade price, for VXX dollars a share.",
    )
    protects = forms.ModelMultipleChoiceField(
        label="Protects these condors", queryset=Trade.objects.none(), required=False
    )

    def __init__(self, *args: Any, condors: QuerySet[Trade], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelMultipleChoiceField[Trade]", self.fields["protects"])
        field.queryset = condors
        self.fields["order_text"].widget.attrs["placeholder"] = "BOT +10 VIX 100 16 DEC 26 30 CALL @1.25"

    def typed_legs(self) -> tuple[Legs, int]:
        """Read one contract, or the two of a spread."""
        instrument = self.cleaned_data.get("instrument", "")
        count = self.cleaned_data.get("contracts") or 0
        if not count:
            raise RuleError("Enter how many.", "contracts")
        if instrument == Instrument.VXX:
            return ((share("VXX"), count),), abs(count)
        expiry = self.need_expiry()
        if instrument == Instrument.VX_FUTURE:
            return ((vx_future(expiry), count),), abs(count)
        if instrument == Instrument.VIX_CALENDAR:
            raise RuleError("A calendar has two expiries: paste its order string.", "order_text")
        if count < 0:
            raise RuleError("Option layers are long: enter a positive number.", "contracts")
        root = strike_root(instrument)
        right = Right.PUT if instrument in _PUTS else Right.CALL
        strikes = [(self.need_number("strike", "the strike"), count)]
        if instrument in {Instrument.VIX_CALL_SPREAD, Instrument.SPX_PUT_SPREAD}:
            strikes.append((self.need_number("second_strike", "the sold strike"), -count))
        try:
            options = tuple(
                (option_contract(root, expiry, right, strike), quantity) for strike, quantity in strikes
            )
        except UnknownSymbolError as error:
            raise RuleError(f"{error}.", "strike") from None
        return options, count

    def typed_price(self, legs: Legs) -> Decimal:
        """Read the price paid for what is bought, received for what is sold."""
        price = self.need_number("price", "the price")
        return -price if legs[0][1] > 0 else price
