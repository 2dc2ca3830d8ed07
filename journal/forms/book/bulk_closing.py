"""Closing many trades: one form for what they share, one row of inputs for each trade."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from journal.errors import RuleError
from journal.forms.base import StyledForm
from journal.forms.book.closing import leg_key
from journal.forms.book.order import WallClockField, new_token
from journal.selectors.book.closing import ClosingLeg, ClosingTrade, crossed_price
from journal.selectors.times import local_time
from journal.services.book.bulk_close import CloseRefusal, Closing, closing_order
from journal.services.book.fees import default_fees
from journal.services.book.orders import LegInput, OrderInput

PAID, RECEIVED = "paid", "received"


class SharedForm(StyledForm):
    """What all rows share."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=new_token)
    filled_at = WallClockField()


class ClosingRowForm(StyledForm):
    """One trade: whether it is closed, at what price a package, its fees and its own time.

    Legs with different multipliers have a price each. ``prefill`` is ``marks`` or ``market``: prices are
    filled in only when asked for.
    """

    take = forms.BooleanField(required=False, initial=True)
    version = forms.IntegerField(widget=forms.HiddenInput)
    side = forms.ChoiceField(
        choices=[(PAID, "Debit paid"), (RECEIVED, "Credit received")], label="Debit or credit", required=False
    )
    price = forms.DecimalField(
        label="Price (points)", required=False, min_value=Decimal(0), max_digits=10, decimal_places=4,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip
    fees = forms.DecimalField(
        label="Fees, total ($)", required=False, min_value=Decimal(0), max_digits=10, decimal_places=2,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip
    filled_at = WallClockField(required=False)

    def __init__(self, *args: Any, row: ClosingTrade, prefill: str = "", **kwargs: Any) -> None:
        initial: dict[str, Any] = {"version": row.trade.version, "side": _likely_side(row)}
        package = {"marks": row.at_mark, "market": row.at_market}.get(prefill)
        if package is not None:
            initial |= {"price": abs(package), "side": RECEIVED if package > 0 else PAID}
        super().__init__(*args, prefix=str(row.trade.pk), initial=initial, **kwargs)
        self.row = row
        label = row.trade.label
        self.fields["take"].label = f"Close {label}"
        for name in ("side", "price", "fees", "filled_at"):
            self.fields[name].label = f"{self.fields[name].label}, {label}"
        legs = [LegInput(leg.leg.spec, -leg.leg.quantity, Decimal(0)) for leg in row.legs]
        self.fields["fees"].widget.attrs["placeholder"] = f"{default_fees(row.trade.account, legs):.2f}"
        if row.is_single or row.is_mixed:
            del self.fields["side"]
        if row.is_mixed:
            price = self.fields.pop("price")
            for leg in row.legs:
                own = self.fields[_price_name(leg)] = deepcopy(price)
                own.label = f"Price of {leg.leg.spec.symbol} (points), {label}"
                own.initial = {"marks": leg.mark, "market": crossed_price(leg)}.get(prefill)

    def clean(self) -> dict[str, Any]:
        """A row that is taken needs its price."""
        data = super().clean() or {}
        names = [_price_name(leg) for leg in self.row.legs] if self.row.is_mixed else ["price"]
        for name in names if data.get("take") else ():
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, "Enter the price, or leave this trade out.")
        return data

    def leg_rows(self) -> list[tuple[ClosingLeg, forms.BoundField | None]]:
        """The legs, each with the input of its price where it has one of its own."""
        return [(leg, self[_price_name(leg)] if self.row.is_mixed else None) for leg in self.row.legs]

    @property
    def signed_price(self) -> Decimal:
        """Points per package, + received."""
        price: Decimal = self.cleaned_data["price"]
        if self.row.is_single:
            return price if self.row.is_sold else -price
        return price if self.cleaned_data["side"] == RECEIVED else -price

    def closing(self, shared: datetime) -> Closing:
        """The order that closes the trade, the price shared over its legs. Raises RuleError."""
        own = self.cleaned_data.get("filled_at")
        moment = local_time(own) if own else shared
        fees = self.cleaned_data.get("fees")
        if self.row.is_mixed:
            legs = [
                LegInput(leg.leg.spec, -leg.leg.quantity, self.cleaned_data[_price_name(leg)])
                for leg in self.row.legs
            ]
            order = OrderInput(legs, moment, fees, "form")
        else:
            order = closing_order(self.row, self.signed_price, moment, fees=fees, source="form")
        return Closing(self.row.trade.pk, self.cleaned_data["version"], order)


def _price_name(leg: ClosingLeg) -> str:
    return f"price_{leg_key(leg.leg)}"


def _likely_side(row: ClosingTrade) -> str:
    """A debit where the marks say so, or where the opening was a credit."""
    if row.at_mark is not None:
        return RECEIVED if row.at_mark > 0 else PAID
    return PAID if row.trade.net_cash > 0 else RECEIVED


@dataclass(slots=True)
class BulkCloseForms:
    """The shared form and the rows' forms of one page; ``skipped`` are trades that cannot be closed here."""

    shared: SharedForm
    rows: list[ClosingRowForm]
    skipped: list[ClosingTrade]

    @classmethod
    def make(
        cls, data: Any, trades: Sequence[ClosingTrade], *, filled_at: str, prefill: str = ""
    ) -> BulkCloseForms:
        """Forms of a page, bound to ``data`` when it was sent."""
        rows = [ClosingRowForm(data, row=row, prefill=prefill) for row in trades if not row.reason]
        shared = SharedForm(data, initial={"filled_at": filled_at})
        return cls(shared, rows, [row for row in trades if row.reason])

    def is_valid(self) -> bool:
        """Whether every input of the rows that are taken can be read; rows left out may hold anything."""
        rows = [form.is_valid() for form in self._taken()]
        return self.shared.is_valid() and all(rows)

    @property
    def has_errors(self) -> bool:
        """Whether a row that is taken, or what all share, was refused."""
        return bool(self.shared.errors) or any(form.errors for form in self._taken())

    def _taken(self) -> list[ClosingRowForm]:
        return [form for form in self.rows if form.data.get(form.add_prefix("take"))]

    def closings(self) -> list[Closing]:
        """The closings of the rows that are taken; refusals stand at their rows. Raises RuleError."""
        shared = local_time(self.shared.cleaned_data["filled_at"])
        found = []
        for form in self._taken():
            try:
                found.append(form.closing(shared))
            except RuleError as error:
                self.refuse(CloseRefusal(form.row.trade.pk, "", error.field, error.message))
        return found

    def refuse(self, refusal: CloseRefusal) -> None:
        """Show why a trade cannot be closed so, at its row."""
        for form in self.rows:
            if form.row.trade.pk == refusal.trade:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
                return
        self.shared.add_error(None, refusal.message)
