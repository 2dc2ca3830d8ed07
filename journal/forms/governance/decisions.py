"""Deciding on a recommendation."""

from __future__ import annotations

from django import forms

from journal.forms.base import StyledForm
from journal.models import Decision
from journal.services.governance.recommendations import MIN_REASON


class OverrideForm(StyledForm):
    """Why it is not followed."""

    reason_code = forms.ChoiceField(label="Why", choices=[("", "Choose…"), *Decision.Reason.choices])
    reason = forms.CharField(
        label="In words", min_length=MIN_REASON, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"min_length": f"Say why in at least {MIN_REASON} characters."},
    )  # fmt: skip


class SnoozeForm(StyledForm):
    """For how long it is put aside."""

    hours = forms.TypedChoiceField(
        label="Snooze for", coerce=int, choices=[(1, "1 hour"), (4, "4 hours"), (24, "1 day"), (72, "3 days")]
    )


class ExecuteForm(StyledForm):
    """Which trade carried it out."""

    trade = forms.UUIDField()
