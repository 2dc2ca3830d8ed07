"""Forms of the cash ledger."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from journal.forms.base import StyledForm
from journal.forms.order import new_token
from journal.models import CashEntry
from journal.services.errors import RuleError


class CashForm(StyledForm):
    """One movement of money; ``token`` makes a double click one entry."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=new_token)
    kind = forms.ChoiceField(label="What", choices=CashEntry.Kind.choices)
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
