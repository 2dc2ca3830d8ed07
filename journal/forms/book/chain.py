"""What strikes are asked of a chain by: an expiry, the deltas of the sold options, the width of the wings."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from journal.forms.base import StyledForm
from journal.selectors.book.order_market import ChainExpiry


def _number(label: str, most: float, help_text: str = "") -> forms.FloatField:
    return forms.FloatField(
        label=label, min_value=1, max_value=most, help_text=help_text,
        widget=forms.NumberInput(attrs={"step": "any", "form": "chain-form"}),
    )  # fmt: skip


class ChainForm(StyledForm):
    """The delta helper of the entry form; its inputs belong to a form of their own, so Enter picks."""

    listed = forms.ChoiceField(label="Expiry of the chain", widget=forms.Select(attrs={"form": "chain-form"}))
    put_delta, call_delta = _number("Sell put at delta", 50), _number("Sell call at delta", 50)
    width = _number("Wings, points", 2000)

    def __init__(self, *args: Any, expiries: list[ChainExpiry], **kwargs: Any) -> None:
        super().__init__(*args, prefix="chain", **kwargs)
        self.fields["listed"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (one.key, f"{one.expiry:%d %b %y} · {one.days} d · {one.root} {one.settlement.value}")
            for one in expiries
        ]

    def picked(self) -> tuple[str, date]:
        """Root and expiry chosen; only of a valid form."""
        root, day = self.cleaned_data["listed"].split(":")
        return root, date.fromisoformat(day)
