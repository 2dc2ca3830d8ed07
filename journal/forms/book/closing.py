"""Forms that change an existing position: closing legs, correcting a fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from journal.errors import RuleError
from journal.forms.base import StyledForm
from journal.forms.book.order import WallClockField, accept_field, fees_field, new_token
from journal.selectors.book.trades import OpenLeg
from journal.selectors.times import local_time
from journal.services.book.trades import LegInput, OrderInput


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """A leg with its two inputs, for the template."""

    leg: OpenLeg
    quantity: forms.BoundField
    price: forms.BoundField
    mark: Decimal | None


def leg_key(leg: OpenLeg) -> str:
    """The leg's name in input names."""
    return leg.spec.symbol.replace(" ", "").replace("/", "-")


class CloseForm(StyledForm):
    """Closing legs: one price a leg, quantity prefilled with all that is open.

    Inputs are named by contract, so that a form sent late can never close another leg. Prices are taken
    from ``marks`` (points by symbol) only when asked with ``prefill``: a mark is not a fill.
    """

    token = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=new_token)
    version = forms.IntegerField(widget=forms.HiddenInput)
    filled_at = WallClockField()
    fees = fees_field()
    reason = forms.CharField(
        label="Why", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    accept_size = accept_field()

    def __init__(
        self,
        *args: Any,
        legs: Sequence[OpenLeg],
        marks: Mapping[str, Decimal] | None = None,
        prefill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.legs, self.marks = legs, marks or {}
        for leg in legs:
            size = abs(leg.quantity)
            self.fields[f"quantity_{leg_key(leg)}"] = forms.IntegerField(
                label=f"Close of {leg.spec.symbol}",
                min_value=0,
                max_value=size,
                initial=size,
                widget=forms.NumberInput(attrs={"class": "form-control"}),
            )
            self.fields[f"price_{leg_key(leg)}"] = forms.DecimalField(
                label=f"Price of {leg.spec.symbol} (points)",
                required=False,
                initial=self.marks.get(leg.spec.symbol) if prefill else None,
                min_value=Decimal(0),
                max_digits=10,
                decimal_places=4,
                widget=forms.NumberInput(attrs={"class": "form-control", "step": "any"}),
            )

    def rows(self) -> list[ClosingRow]:
        """Pair the legs with their inputs."""
        return [
            ClosingRow(
                leg,
                self[f"quantity_{leg_key(leg)}"],
                self[f"price_{leg_key(leg)}"],
                self.marks.get(leg.spec.symbol),
            )
            for leg in self.legs
        ]

    def order(self) -> OrderInput:
        """Make the closing order; raises RuleError."""
        chosen = []
        for leg in self.legs:
            quantity = self.cleaned_data[f"quantity_{leg_key(leg)}"]
            if not quantity:
                continue
            price = self.cleaned_data[f"price_{leg_key(leg)}"]
            if price is None:
                raise RuleError(
                    "Enter the price, or 0 contracts to leave this leg open.", f"price_{leg_key(leg)}"
                )
            chosen.append(LegInput(leg.spec, -quantity if leg.quantity > 0 else quantity, price))
        if not chosen:
            raise RuleError("Nothing is closed: give at least one leg a quantity.")
        return OrderInput(
            chosen,
            local_time(self.cleaned_data["filled_at"]),
            self.cleaned_data.get("fees"),
            "form",
            self.cleaned_data["token"],
        )


class ReverseForm(StyledForm):
    """Why a fill is corrected."""

    reason = forms.CharField(
        label="Correction reason",
        max_length=200,
        error_messages={"required": "Say why the fill is corrected."},
    )
