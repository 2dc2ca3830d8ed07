"""What a payoff is asked for: a day, a move of volatility, a level of the underlying."""

from __future__ import annotations

from django import forms

from journal.forms.base import StyledForm


class PayoffForm(StyledForm):
    """Every input may stay empty: today, volatilities as they are, the level as it is."""

    date = forms.DateField(label="On the day", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    iv = forms.FloatField(
        label="Volatility, points", required=False, min_value=-80, max_value=200,
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "0"}),
    )  # fmt: skip
    spot = forms.FloatField(
        label="At the level", required=False, min_value=0.01, max_value=1_000_000,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip

    def is_asked(self) -> bool:
        """Whether the address asks for anything."""
        return any(self.data.get(name) for name in self.fields)
