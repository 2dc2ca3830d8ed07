"""Filters of the statistics page, as they stand in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from hedging.engine.results.statistics import BREAKDOWNS
from journal.forms.attribution import PeriodForm
from journal.models import Trade
from journal.selectors.results.statistics import OutcomeFilters


class StatisticsForm(PeriodForm):
    """Which outcomes count, what counts as one, and how to break them down."""

    kind = forms.ChoiceField(label="Strategy", required=False, choices=[("", "All"), *Trade.Kind.choices])
    layer = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None,
        choices=[("", "All"), ("1", "Layer 1"), ("2", "Layer 2"), ("3", "Layer 3")],
    )  # fmt: skip
    tag = forms.ChoiceField(required=False)
    unit = forms.ChoiceField(
        label="Count", required=False,
        choices=[("", "Chains of rolls once"), ("trade", "Every trade")],
    )  # fmt: skip
    by = forms.ChoiceField(
        label="Break down by", required=False,
        choices=[(name, heading) for name, (heading, _, _) in BREAKDOWNS.items()],
    )  # fmt: skip

    field_order = ("by", "kind", "layer", "tag", "unit", "date_from", "date_to")

    def __init__(self, *args: Any, tags: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tag"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "All"), *((name, name) for name in tags)]
        self.fields["date_from"].label = "Closed from"
        self.fields["date_to"].label = "Closed to"

    def filters(self) -> OutcomeFilters:
        """The filters; none while something cannot be read."""
        if not self.is_bound or not self.is_valid():
            return OutcomeFilters()
        data = self.cleaned_data
        return OutcomeFilters(
            kind=data["kind"], layer=data["layer"], tag=data["tag"], date_from=data["date_from"],
            date_to=data["date_to"], by_trade=data["unit"] == "trade",
        )  # fmt: skip

    def way(self) -> str:
        """The breakdown asked for."""
        chosen = self.data.get("by", "") if self.is_bound else ""
        return chosen if chosen in BREAKDOWNS else "strategy"
