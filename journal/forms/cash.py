"""Forms of the cash ledger."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from journal.errors import RuleError
from journal.forms.base import StyledForm
from journal.forms.book.order import new_token
from journal.importers.cash_csv import MAX_BYTES
from journal.models import CashEntry


class CashForm(StyledForm):
    """One movement of money; ``token`` makes a double click one entry."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=new_token)
    kind = forms.ChoiceField(
        label="What", choices=CashEntry.Kind.choices,
        help_text="T-bills at cost; what they bring above it is interest.",
    )  # fmt: skip
    amount = forms.DecimalField(
        label="Amount ($)", min_value=Decimal("0.01"), max_digits=14, decimal_places=2,
        help_text="Above zero; the kind says which way it went.",
    )  # fmt: skip
    day = forms.DateField(label="Day", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    purpose = forms.ChoiceField(
        label="Purpose", choices=CashEntry.Purpose.choices, required=False,
        help_text="For the Second Engine bucket only.",
    )  # fmt: skip
    note = forms.CharField(label="Note", max_length=200, required=False)

    def show(self, error: RuleError) -> None:
        """Put a refusal beside the input it belongs to."""
        self.add_error(error.field if error.field in self.fields else None, error.message)


class CashFileForm(StyledForm):
    """A CSV of cash movements, or its text."""

    file = forms.FileField(
        required=False,
        label="File",
        help_text="Columns date, kind, amount; perhaps purpose, note, external_id.",
    )
    text = forms.CharField(
        required=False, label="or paste its text", strip=False, max_length=MAX_BYTES,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )  # fmt: skip

    def clean(self) -> dict[str, object]:
        """Exactly one of file and text."""
        data = super().clean() or {}
        sent, text = data.get("file"), data.get("text") or ""
        if bool(sent) == bool(str(text).strip()):
            raise forms.ValidationError("Choose a file, or paste its text.")
        if sent and sent.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES // 2**20} MiB.")
        return data

    def content(self) -> tuple[str, bytes]:
        """Name and bytes of what was sent."""
        sent = self.cleaned_data["file"]
        return (sent.name, sent.read()) if sent else ("pasted text", self.cleaned_data["text"].encode())
