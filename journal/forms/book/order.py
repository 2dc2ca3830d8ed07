"""What every order form has: account, pasted text, time, fees, reason, token against repeats."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from hedging.engine.book import ContractSpec
from journal.errors import RuleError
from journal.forms.base import StyledForm
from journal.importers.order_text import OrderTextError, ParsedOrder, parse_order
from journal.models import Account
from journal.selectors.times import local_time
from journal.services.book.package_price import SPLIT_NOTE, market_marks, split_package
from journal.services.book.trades import LegInput, OrderInput

_WALL_CLOCK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_FEES_HELP = "A cost. Empty: by the account's fee schedule."


#: Contracts with signed quantities.
Legs = tuple[tuple[ContractSpec, int], ...]


@dataclass(frozen=True, slots=True)
class Package:
    """Legs with signed quantities, how many packages, and points received (+) per package."""

    legs: Legs
    packages: int
    price: Decimal
    parsed: ParsedOrder | None = None

    def leg_inputs(self, marks: dict[str, Decimal]) -> list[LegInput]:
        """Share the package price over the legs; raises RuleError where it cannot be."""
        prices = split_package(self.legs, self.packages, self.price, marks)
        note = SPLIT_NOTE if len(self.legs) > 1 else ""
        return [
            LegInput(spec, quantity, price, note)
            for (spec, quantity), price in zip(self.legs, prices, strict=True)
        ]


def new_token() -> str:
    """Make the key under which one form is recorded once."""
    return secrets.token_urlsafe(12)


class WallClockField(forms.Field):
    """A time as the clock on the wall shows it; its zone is attached by local_time."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
        super().__init__(label="Fill time (New York)", widget=widget, **kwargs)

    def to_python(self, value: Any) -> Any:
        """Read a naive datetime."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            if _WALL_CLOCK.fullmatch(text):
                return datetime.fromisoformat(text)
        except ValueError:
            pass
        raise forms.ValidationError("Enter a time such as 2026-11-20 10:30.")


def fees_field() -> forms.DecimalField:
    """Make the field of an order's total fees."""
    return forms.DecimalField(
        label="Fees, total ($)",
        required=False,
        min_value=Decimal(0),
        max_digits=10,
        decimal_places=2,
        help_text=_FEES_HELP,
    )


def accept_field() -> forms.BooleanField:
    """Make the box that records an order a guardrail refuses; a reason is needed with it."""
    return forms.BooleanField(label="Override risk limit", required=False)


class OrderForm(StyledForm):
    """The common part of condors and hedge layers; ``strike_fields`` name the strikes, leg by leg."""

    strike_fields: tuple[str, ...] = ()

    token = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=new_token)
    account = forms.ModelChoiceField(queryset=Account.objects.none(), empty_label=None)
    order_text = forms.CharField(
        label="Order string",
        required=False,
        max_length=2000,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "class": "order-text",
                "spellcheck": "false",
                "placeholder": "SOLD -1 IRON CONDOR SPX 100 … 6900/6950/6500/6450 CALL/PUT @2.55",
            }
        ),
        help_text="Paste it from thinkorswim; when filled in, it replaces the legs below.",
    )
    filled_at = WallClockField()
    fees = fees_field()
    reason = forms.CharField(
        label="Reason", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )
    accept_size = accept_field()

    def __init__(self, *args: Any, accounts: QuerySet[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Account]", self.fields["account"]).queryset = accounts

    def is_pasted(self) -> bool:
        """Whether an order string stands in for the fields."""
        return bool(self.cleaned_data.get("order_text", "").strip())

    def package(self) -> Package:
        """Read the order; raises RuleError or OrderTextError."""
        if self.is_pasted():
            parsed = parse_order(self.cleaned_data["order_text"])
            return Package(parsed.legs, parsed.packages, parsed.signed_price, parsed)
        legs, packages = self.typed_legs()
        return Package(legs, packages, self.typed_price(legs))

    def legs(self) -> tuple[Legs, int]:
        """Read the legs and how many packages they are, whatever the price; raises as ``package``."""
        if self.is_pasted():
            parsed = parse_order(self.cleaned_data["order_text"])
            return parsed.legs, parsed.packages
        return self.typed_legs()

    # Django's form metaclass leaves no room for an abstract class.

    def typed_legs(self) -> tuple[Legs, int]:
        """Read the legs of the form's own fields: each form has others, so each says how."""
        raise NotImplementedError

    def typed_price(self, legs: Legs) -> Decimal:
        """Read the points a package brought in (+) or cost (-)."""
        raise NotImplementedError

    def order(self) -> OrderInput:
        """Make the order that services take; raises RuleError or OrderTextError."""
        package = self.package()
        account: Account = self.cleaned_data["account"]
        moment = local_time(self.cleaned_data["filled_at"])
        specs = [spec for spec, _ in package.legs]
        marks = market_marks(specs, moment, simulated=account.is_demo) if len(specs) > 1 else {}
        return OrderInput(
            package.leg_inputs(marks),
            moment,
            self.cleaned_data.get("fees"),
            "form",
            self.cleaned_data["token"],
        )

    def show(self, error: RuleError | OrderTextError) -> None:
        """Put a refusal beside the input it belongs to."""
        if isinstance(error, OrderTextError):
            self.add_error("order_text", error.message)
        else:
            self.add_error(error.field if error.field in self.fields else None, error.message)

    def need_number(self, name: str, what: str) -> Decimal:
        """Read a number the typed legs cannot do without."""
        value = self.cleaned_data.get(name)
        if value is None:
            raise RuleError(f"Enter {what}, or paste an order string.", name)
        return cast("Decimal", value)

    def need_expiry(self) -> date:
        """Read the typed expiry."""
        value = self.cleaned_data.get("expiry")
        if value is None:
            raise RuleError("Enter the expiry, or paste an order string.", "expiry")
        return cast("date", value)
