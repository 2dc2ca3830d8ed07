"""Forms of the attribution pages: a period, an official settlement value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from journal.forms.base import StyledForm
from journal.services.book.settlement import Due


class PeriodForm(StyledForm):
    """An optional period in the address; what cannot be read counts as open."""

    date_from = forms.DateField(
        label="From", required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    date_to = forms.DateField(
        label="To", required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        """A period must not end before it starts."""
        data = super().clean() or {}
        first, last = data.get("date_from"), data.get("date_to")
        if first and last and first > last:
            self.add_error("date_to", "The period ends before it starts.")
        return data

    def period(self) -> tuple[date | None, date | None]:
        """Both ends, None where open."""
        if not self.is_bound or not self.is_valid():
            return None, None
        return self.cleaned_data.get("date_from"), self.cleaned_data.get("date_to")


class SettleForm(StyledForm):
    """Which expired legs, and their official value in index points."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    which = forms.ChoiceField(label="Settlement")
    level = forms.DecimalField(
        label="Official settlement value (index points)",
        help_text="SET for SPX (AM), the official close for SPXW, VRO for VIX and VX; as published, "
        "never a quote.",
        min_value=Decimal("0.0001"),
        max_digits=10,
        decimal_places=4,
    )

    def __init__(self, *args: Any, due: Sequence[Due], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._due = {one.key: one for one in due}
        field = self.fields["which"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (key, f"{one.symbol} of {one.expiry} ({len(one.legs)} legs)") for key, one in self._due.items()
        ]

    def chosen(self) -> Due:
        """The legs the form is about."""
        return self._due[self.cleaned_data["which"]]
