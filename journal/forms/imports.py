"""Forms of the import wizard: the file, how to read it, and mending a row."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms

from hedging.engine.money import to_cents
from journal.errors import RuleError
from journal.forms.base import StyledForm
from journal.forms.book.order import WallClockField
from journal.importers.rows import RowKind
from journal.importers.text import MAX_BYTES
from journal.models import Account, ImportRow
from journal.selectors.imports.answer import BROKERS, ENCODING_CHOICES
from journal.selectors.times import local_time
from journal.services.imports.cash_rows import FILE_KINDS

_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "UTC", "Europe/London",
    "Europe/Berlin", "Asia/Tokyo", "Asia/Singapore", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip
ZONE_CHOICES = [(zone, zone) for zone in _ZONES if zone in zoneinfo.available_timezones()]


_ANSWERS = {**{kind.value: str(kind.label) for kind in FILE_KINDS}, "note": "nothing to record"}
_LEG = re.compile(
    r"(\S.{0,40}?) +([+-]?[0-9]{1,5}) +([0-9]{1,6}(?:\.[0-9]{1,6})?)(?: +(opens?|closes?))?", re.IGNORECASE
)
_NEEDS = {
    "fill": ("symbol", "quantity", "price"), "settlement": ("symbol", "quantity", "price"),
    "expiry": ("symbol", "quantity"), "cash": ("ledger", "amount", "day"),
}  # fmt: skip


class UploadForm(StyledForm):
    """A file or pasted text, into one account."""

    account = forms.ModelChoiceField(queryset=Account.objects.none(), empty_label=None)
    file = forms.FileField(
        required=False, label="File",
        help_text="tastytrade, Schwab, Fidelity or thinkorswim CSV, IBKR Flex XML; also gzipped or zipped.",
    )  # fmt: skip
    text = forms.CharField(
        required=False, label="or paste its text", strip=False, max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )  # fmt: skip

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Account]", self.fields["account"]).queryset = accounts

    def clean(self) -> dict[str, Any]:
        """Exactly one of file and text."""
        data = super().clean() or {}
        sent, text = data.get("file"), data.get("text") or ""
        if bool(sent) == bool(text.strip()):
            raise forms.ValidationError("Choose a file, or paste its text.")
        if sent and sent.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES // 2**20} MiB.")
        return data

    def content(self) -> tuple[str, bytes]:
        """Name and bytes of what was sent."""
        sent = self.cleaned_data["file"]
        if sent:
            return sent.name, sent.read()
        return "pasted text", self.cleaned_data["text"].encode()


class ReadForm(StyledForm):
    """How to read the file: kept for the next one of this broker."""

    zone = forms.ChoiceField(
        choices=ZONE_CHOICES, label="Time zone of times without an offset",
        help_text="thinkorswim and IBKR write the times of the platform's own zone.",
    )  # fmt: skip
    encoding = forms.ChoiceField(choices=[("", "recognised"), *ENCODING_CHOICES], required=False)
    broker = forms.ChoiceField(choices=[("", "recognised by content"), *BROKERS], required=False)
    forget = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Answers to forget",
        help_text="What you said a name of a cash movement is; without it the file asks again.",
    )  # fmt: skip

    def __init__(self, *args: Any, answers: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.MultipleChoiceField", self.fields["forget"]).choices = [
            (word, f"“{word}”: {_ANSWERS.get(kind, kind)}") for word, kind in sorted(answers.items())
        ]
        stated = str((kwargs.get("initial") or {}).get("zone", ""))
        zones = cast("forms.ChoiceField", self.fields["zone"])
        if stated and stated not in _ZONES:
            zones.choices = [(stated, stated), *ZONE_CHOICES]


class ImportRowForm(StyledForm):
    """What a row means that was not understood."""

    kind = forms.ChoiceField(
        choices=[("fill", "A fill"), ("expiry", "Expired worthless"), ("settlement", "Settled in cash"),
                 ("cash", "A cash movement"), ("note", "Nothing to record")],
        label="This row is",
    )  # fmt: skip
    ledger = forms.ChoiceField(
        required=False, label="In the cash ledger",
        choices=[("", "choose"), *((kind.value, kind.label) for kind in FILE_KINDS)],
    )  # fmt: skip
    amount = forms.DecimalField(
        required=False, max_digits=14, decimal_places=2, label="Amount, dollars",
        help_text="Signed: + received, − paid",
    )  # fmt: skip
    day = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    remember = forms.BooleanField(required=False)
    symbol = forms.CharField(
        required=False,
        max_length=32,
        help_text="SPXW  251219P05800000, .SPXW251219P5800, SPXW 12/19/2025 5800 P, /VXZ25",
    )
    quantity = forms.IntegerField(required=False, help_text="Signed: + bought, − sold")
    price = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=6, label="Price, points"
    )
    fees = forms.DecimalField(
        required=False, max_digits=12, decimal_places=2, initial=0, label="Costs, dollars"
    )
    filled_at = WallClockField(required=False, help_text="For fills; settlements have the exchange's time.")
    effect = forms.ChoiceField(
        choices=[("", "by what is held"), ("open", "opens"), ("close", "closes")], required=False
    )
    order = forms.CharField(
        required=False, max_length=60, label="Order number", help_text="Rows of one order are one trade."
    )
    more = forms.CharField(
        required=False, max_length=1_000, label="Further legs, one a line",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Symbol, signed quantity, price, opens or closes: .SPXW251219P5750 +1 3.20 open",
    )  # fmt: skip

    def clean_more(self) -> list[tuple[str, int, Decimal, str]]:
        """Legs of the lines."""
        found = []
        for line in filter(None, map(str.strip, self.cleaned_data["more"].splitlines())):
            match = _LEG.fullmatch(line.replace("\N{MINUS SIGN}", "-"))
            if match is None:
                raise forms.ValidationError(f"“{line[:60]}” is not symbol, quantity, price and effect.")
            symbol, count, price, effect = match.groups()
            found.append((symbol, int(count), Decimal(price), (effect or "").lower().removesuffix("s")))
        return found

    def clean(self) -> dict[str, Any]:
        """Everything a row of its kind needs."""
        data = super().clean() or {}
        for name in _NEEDS.get(str(data.get("kind")), ()):
            if data.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, "This is needed.")
        return data

    def values(self) -> dict[str, Any]:
        """Values for import_stage.row_fix. Raises RuleError for a time the clock never showed."""
        data = self.cleaned_data
        moment = data.get("filled_at")
        return {
            "kind": data["kind"], "symbol": data["symbol"], "quantity": data["quantity"] or 0,
            "price": data["price"] or 0, "fees": data["fees"] or 0, "effect": data["effect"],
            "order": data["order"], "moment": local_time(moment) if moment else None,
            "ledger": data["ledger"], "amount": data["amount"], "day": data["day"],
            "remember": data["remember"], "more": data["more"],
        }  # fmt: skip

    def show(self, refusal: RuleError) -> None:
        """Put a refusal beside its input."""
        field = {"moment": "filled_at"}.get(refusal.field, refusal.field)
        self.add_error(field if field in self.fields else None, refusal.message)


def row_initial(row: ImportRow) -> dict[str, Any]:
    """Values of a row mended before, or of a cash movement; what was never understood gives little."""
    if row.kind == RowKind.CASH:
        day = row.data.get("day", "")
        return {"kind": "cash", "ledger": row.data.get("ledger", ""), "amount": _cents(row), "day": day}
    legs = row.data.get("legs") or []
    if not legs:
        return {"amount": _cents(row)}
    symbol, quantity, price, effect, _ = legs[0]
    return {
        "kind": row.kind, "symbol": symbol, "quantity": quantity, "price": price, "effect": effect,
        "fees": row.data["fees"], "order": row.data["order"],
        "more": "\n".join(
            f"{name} {count:+d} {points} {other}".strip() for name, count, points, other, _ in legs[1:]
        ),
    }  # fmt: skip


def _cents(row: ImportRow) -> Decimal | None:
    return None if row.cash is None else to_cents(row.cash)
