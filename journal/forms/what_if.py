"""The what-if page's inputs, read from the address."""

from __future__ import annotations

import re

from django import forms

from hedging.engine.pricing.scenarios import Shock
from journal.forms.base import StyledForm
from journal.selectors.what_if import SHOWN

MOST_DAYS = 365
_CELL = re.compile(r"^(-?\d+(?:\.\d+)?):(-?\d+(?:\.\d+)?)$")


class WhatIfForm(StyledForm):
    """How far ahead, which figures, and which cell is open."""

    days = forms.IntegerField(
        label="Date (days from now)", min_value=0, max_value=MOST_DAYS, required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip
    show = forms.ChoiceField(choices=tuple(SHOWN.items()), required=False)
    cell = forms.CharField(max_length=40, required=False)

    def clean_cell(self) -> Shock | None:
        """SPX fraction and VIX points; a fall of all or more is no market."""
        text = self.cleaned_data["cell"]
        if not text:
            return None
        found = _CELL.match(text)
        if found is None or not -0.95 <= float(found[1]) <= 2 or abs(float(found[2])) > 200:
            raise forms.ValidationError("A cell is an SPX fraction and VIX points, such as -0.1:18.")
        return Shock(float(found[1]), float(found[2]))
