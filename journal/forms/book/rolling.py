"""Rolling: the closing form with a new expiry, new strikes and prices beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from hedging.engine.book import InstrumentKind
from hedging.engine.instruments import UnknownSymbolError, option_contract
from journal.errors import RuleError
from journal.forms.base import style
from journal.forms.book.closing import CloseForm, leg_key
from journal.models import TradeLink
from journal.selectors.book.trades import OpenLeg
from journal.selectors.times import local_time
from journal.services.book.trades import LegInput, OrderInput


@dataclass(frozen=True, slots=True)
class RollRow:
    """A leg with its closing and its opening inputs, for the template."""

    leg: OpenLeg
    price: forms.BoundField
    strike: forms.BoundField
    new_price: forms.BoundField
    mark: Decimal | None


class RollForm(CloseForm):
    """Every open leg closed and opened again: same sides, another expiry or other strikes."""

    expiry = forms.DateField(label="New expiry", widget=forms.DateInput(attrs={"type": "date"}))
    contracts = forms.IntegerField(label="Contracts a leg", min_value=1, max_value=10_000)
    kind = forms.ChoiceField(
        label="Adjustment type", choices=[("", "Auto-detect"), *TradeLink.Kind.choices], required=False
    )

    def __init__(
        self, *args: Any, legs: Sequence[OpenLeg], marks: Mapping[str, Decimal] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, legs=legs, marks=marks, **kwargs)
        number = forms.NumberInput(attrs={"step": "any"})
        for leg in legs:
            del self.fields[f"quantity_{leg_key(leg)}"]
            self.fields[f"price_{leg_key(leg)}"].required = True
            self.fields[f"strike_{leg_key(leg)}"] = forms.DecimalField(
                label=f"New strike for {leg.spec.symbol}", min_value=Decimal("0.01"), max_digits=9,
                decimal_places=2, initial=leg.spec.strike, widget=number,
            )  # fmt: skip
            self.fields[f"new_price_{leg_key(leg)}"] = forms.DecimalField(
                label=f"Opening price for {leg.spec.symbol} (points)", min_value=Decimal(0), max_digits=10,
                decimal_places=4, widget=number,
            )  # fmt: skip
        self.initial.setdefault("contracts", min(abs(leg.quantity) for leg in legs))
        self.initial.setdefault("expiry", legs[0].spec.expiry)
        style(self)

    def roll_rows(self) -> list[RollRow]:
        """Pair the legs with their inputs."""
        return [
            RollRow(
                leg,
                self[f"price_{leg_key(leg)}"],
                self[f"strike_{leg_key(leg)}"],
                self[f"new_price_{leg_key(leg)}"],
                self.marks.get(leg.spec.symbol),
            )
            for leg in self.legs
        ]

    def orders(self) -> tuple[OrderInput, OrderInput]:
        """The closing and the opening order, at one time; fees are the whole roll's. Raises RuleError."""
        data = self.cleaned_data
        moment, count = local_time(data["filled_at"]), data["contracts"]
        base = min(abs(leg.quantity) for leg in self.legs)
        closing, opening = [], []
        for leg in self.legs:
            if leg.spec.kind is not InstrumentKind.OPTION or leg.spec.right is None:
                raise RuleError("Only options can be rolled here; close and reopen the rest.")
            key = leg_key(leg)
            closing.append(LegInput(leg.spec, -leg.quantity, data[f"price_{key}"]))
            try:
                spec = option_contract(leg.spec.root, data["expiry"], leg.spec.right, data[f"strike_{key}"])
            except UnknownSymbolError as error:
                raise RuleError(str(error), f"strike_{key}") from None
            quantity = leg.quantity // base * count
            opening.append(LegInput(spec, quantity, data[f"new_price_{key}"]))
        if [leg.spec for leg in closing] == [leg.spec for leg in opening]:
            raise RuleError("Nothing moves: change the expiry or a strike.", "expiry")
        fees = data.get("fees")
        half = None if fees is None else fees / 2
        first = None if half is None else half.quantize(Decimal("0.01"))
        rest = None if fees is None or first is None else fees - first
        return (
            OrderInput(closing, moment, first, "form", data["token"]),
            OrderInput(opening, moment, rest, "form", data["token"]),
        )

    def roll_kind(self) -> str:
        """The kind chosen, else what the legs say: later only, strikes only, one wing only, or both."""
        if chosen := self.cleaned_data["kind"]:
            return str(chosen)
        moved = [
            leg
            for leg in self.legs
            if self.cleaned_data[f"strike_{leg_key(leg)}"] != Decimal(str(leg.spec.strike))
        ]
        later = self.cleaned_data["expiry"] != self.legs[0].spec.expiry
        kinds = TradeLink.Kind
        if later:
            return (kinds.FULL_ROLL if moved else kinds.TIME_SHIFT).value
        sides = {leg.spec.right for leg in moved}
        return (kinds.RECENTER if len(sides) > 1 else kinds.WING_SHIFT).value
