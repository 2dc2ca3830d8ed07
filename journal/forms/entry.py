"""Forms of an order: pasted text or legs, turned into what the services take."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms

from hedging.engine.book import ContractSpec
from hedging.engine.instruments import UnknownSymbolError, option_contract, share, vx_future
from hedging.maths.types import Right
from journal.forms.base import StyledForm
from journal.importers.order_text import OrderTextError, parse_order
from journal.models import Account, Trade
from journal.services.errors import RuleError
from journal.services.package_price import SPLIT_NOTE, market_marks, split_package
from journal.services.times import local_time
from journal.services.trades import LegInput, OrderInput

Instrument = Trade.Instrument


@dataclass(frozen=True, slots=True)
class _Package:
    """Legs with signed quantities, how many packages, and points received (+) per package."""

    legs: tuple[tuple[ContractSpec, int], ...]
    packages: int
    price: Decimal


def _token() -> str:
    return secrets.token_urlsafe(12)


class WallClockField(forms.CharField):
    """A time as the clock on the wall shows it; its zone is attached by local_time."""

    def to_python(self, value: Any) -> Any:
        """A naive datetime."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is not None:
            raise forms.ValidationError("Enter a time such as 2026-11-20 10:30.")
        return moment


class _OrderForm(StyledForm):
    """What every order has."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=_token)
    account = forms.ModelChoiceField(queryset=Account.objects.none(), empty_label=None)
    order_text = forms.CharField(
        label="Order string", required=False, max_length=2000, strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "order-text", "spellcheck": "false"}),
        help_text="Paste it from thinkorswim; when filled in, it replaces the legs below.",
    )
    filled_at = WallClockField(
        label="Fill time (New York)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    fees = forms.DecimalField(
        label="Fees, total ($)", required=False, min_value=Decimal(0), max_digits=10, decimal_places=2,
        help_text="A cost. Empty: by the account's fee schedule.",
    )
    reason = forms.CharField(
        label="Reason", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )
    accept_size = forms.BooleanField(label="Record it although it is above the size limit", required=False)

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]

    def package(self) -> _Package:
        """The order's legs; raises RuleError or OrderTextError."""
        text = self.cleaned_data.get("order_text", "")
        if text.strip():
            parsed = parse_order(text)
            return _Package(parsed.legs, parsed.packages, parsed.signed_price)
        return self._typed()

    def _typed(self) -> _Package:
        raise NotImplementedError

    def order(self) -> OrderInput:
        """The order as services take it; raises RuleError or OrderTextError."""
        package = self.package()
        account: Account = self.cleaned_data["account"]
        moment = local_time(self.cleaned_data["filled_at"])
        specs = [spec for spec, _ in package.legs]
        marks = market_marks(specs, moment, simulated=account.is_demo) if len(specs) > 1 else {}
        prices = split_package(package.legs, package.packages, package.price, marks)
        note = SPLIT_NOTE if len(specs) > 1 else ""
        legs = [
            LegInput(spec, quantity, price, note)
            for (spec, quantity), price in zip(package.legs, prices, strict=True)
        ]
        return OrderInput(legs, moment, self.cleaned_data.get("fees"), "form", self.cleaned_data["token"])

    def show(self, error: RuleError | OrderTextError) -> None:
        """Put a refusal beside the input it belongs to."""
        if isinstance(error, OrderTextError):
            self.add_error("order_text", error.message)
        else:
            self.add_error(error.field if error.field in self.fields else None, error.message)

    def number(self, name: str, what: str) -> Decimal:
        """A required number of the typed form."""
        value = self.cleaned_data.get(name)
        if value is None:
            raise RuleError(f"Enter {what}, or paste an order string.", name)
        assert isinstance(value, Decimal)
        return value

    def expiry(self) -> date:
        """The typed expiry."""
        value = self.cleaned_data.get("expiry")
        if value is None:
            raise RuleError("Enter the expiry, or paste an order string.", "expiry")
        assert isinstance(value, date)
        return value


def _strike(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal("0.5"), max_digits=8, decimal_places=2,
        widget=forms.NumberInput(attrs={"step": "5"}),
    )


class CondorForm(_OrderForm):
    """An SPX iron condor."""

    root = forms.ChoiceField(
        label="Settlement", choices=[("SPXW", "SPXW, afternoon (PM)"), ("SPX", "SPX monthly, morning (AM)")]
    )
    expiry = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    long_put, short_put = _strike("Buy put"), _strike("Sell put")
    short_call, long_call = _strike("Sell call"), _strike("Buy call")
    contracts = forms.IntegerField(label="Condors", min_value=1, max_value=10_000, initial=1, required=False)
    credit = forms.DecimalField(
        label="Credit per condor (points)", required=False, max_digits=8, decimal_places=2,
        help_text="What one condor brought in; 2.55 points are $255.",
    )

    def _typed(self) -> _Package:
        expiry, root = self.expiry(), self.cleaned_data["root"]
        count = self.cleaned_data.get("contracts") or 1
        strikes = [
            self.number(name, what)
            for name, what in (("long_put", "the bought put"), ("short_put", "the sold put"),
                               ("short_call", "the sold call"), ("long_call", "the bought call"))
        ]
        if not strikes[0] < strikes[1] <= strikes[2] < strikes[3]:
            raise RuleError("Strikes must rise: buy put < sell put ≤ sell call < buy call.", "long_put")
        rights = (Right.PUT, Right.PUT, Right.CALL, Right.CALL)
        signs = (1, -1, -1, 1)
        legs = tuple(
            (option_contract(root, expiry, right, strike), sign * count)
            for right, strike, sign in zip(rights, strikes, signs, strict=True)
        )
        return _Package(legs, count, self.number("credit", "the credit"))


class HedgeForm(_OrderForm):
    """A hedge layer."""

    layer = forms.TypedChoiceField(
        coerce=int, choices=[(1, "Layer 1: always on"), (2, "Layer 2: gate"), (3, "Layer 3: regime shift")]
    )
    instrument = forms.ChoiceField(choices=[c for c in Instrument.choices if c[0]])
    expiry = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="VIX options and VX futures expire on their settlement Wednesday.",
    )
    strike = _strike("Strike (bought)")
    second_strike = _strike("Second strike (sold, spreads only)")
    contracts = forms.IntegerField(
        label="Contracts or shares", min_value=-10_000, max_value=100_000, initial=1, required=False
    )
    price = forms.DecimalField(
        label="Price paid (points)", required=False, max_digits=9, decimal_places=4,
        help_text="Per contract or spread; for futures the trade price, for VXX dollars a share.",
    )
    protects = forms.ModelMultipleChoiceField(
        label="Protects these condors", queryset=Trade.objects.none(), required=False
    )

    def __init__(self, *args: Any, condors: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["protects"].queryset = condors  # type: ignore[attr-defined]

    def _typed(self) -> _Package:
        instrument = self.cleaned_data["instrument"]
        count = self.cleaned_data.get("contracts") or 0
        if not count:
            raise RuleError("Enter how many.", "contracts")
        price = self.number("price", "the price")
        if instrument == Instrument.VXX:
            return _Package(((share("VXX"), count),), abs(count), -price if count > 0 else price)
        expiry = self.expiry()
        if instrument == Instrument.VX_FUTURE:
            return _Package(((vx_future(expiry), count),), abs(count), -price if count > 0 else price)
        if count < 0:
            raise RuleError("Option layers are bought: the number is positive.", "contracts")
        root, right = ("SPXW", Right.PUT) if instrument == Instrument.SPX_PUT_SPREAD else ("VIX", Right.CALL)
        try:
            legs = [(option_contract(root, expiry, right, self.number("strike", "the strike")), count)]
            if instrument != Instrument.VIX_CALLS:
                sold = self.number("second_strike", "the sold strike")
                legs.append((option_contract(root, expiry, right, sold), -count))
        except UnknownSymbolError as error:
            raise RuleError(str(error), "strike") from None
        return _Package(tuple(legs), count, -price)


class CloseForm(StyledForm):
    """Closing legs: one price a leg, quantity prefilled with all that is open."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=_token)
    version = forms.IntegerField(widget=forms.HiddenInput)
    filled_at = WallClockField(
        label="Fill time (New York)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    fees = forms.DecimalField(
        label="Fees, total ($)", required=False, min_value=Decimal(0), max_digits=10, decimal_places=2,
        help_text="A cost. Empty: by the account's fee schedule.",
    )

    def __init__(self, *args: Any, legs: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.legs = legs
        for i, leg in enumerate(legs):
            size = abs(leg.quantity)
            self.fields[f"quantity_{i}"] = forms.IntegerField(
                label=f"Close of {leg.spec.symbol}", min_value=0, max_value=size, initial=size,
                widget=forms.NumberInput(attrs={"class": "form-control"}),
            )
            self.fields[f"price_{i}"] = forms.DecimalField(
                label=f"Price of {leg.spec.symbol} (points)", required=False, min_value=Decimal(0),
                max_digits=10, decimal_places=4, widget=forms.NumberInput(attrs={"class": "form-control", "step": "0.05"}),
            )

    def rows(self) -> list[dict[str, Any]]:
        """The legs with their fields, for the template."""
        return [
            {"leg": leg, "quantity": self[f"quantity_{i}"], "price": self[f"price_{i}"]}
            for i, leg in enumerate(self.legs)
        ]

    def order(self) -> OrderInput:
        """The closing order; raises RuleError."""
        chosen = []
        for i, leg in enumerate(self.legs):
            quantity = self.cleaned_data[f"quantity_{i}"]
            if not quantity:
                continue
            price = self.cleaned_data[f"price_{i}"]
            if price is None:
                raise RuleError("Enter the price, or 0 contracts to leave this leg open.", f"price_{i}")
            chosen.append(LegInput(leg.spec, -quantity if leg.quantity > 0 else quantity, price))
        if not chosen:
            raise RuleError("Nothing is closed: give at least one leg a quantity.")
        moment = local_time(self.cleaned_data["filled_at"])
        return OrderInput(
            chosen, moment, self.cleaned_data.get("fees"), "form", self.cleaned_data["token"]
        )
