"""Where to tell of alerts, and when not."""

from __future__ import annotations

from typing import Any

from django import forms

from journal.forms.base import StyledForm
from journal.models import Alert, AlertChannel


class ChannelForm(StyledForm):
    """A channel of one's own."""

    kind = forms.ChoiceField(label="Channel", choices=AlertChannel.Kind.choices)
    target = forms.CharField(
        label="Address", max_length=300, help_text="an e-mail address, or https:// for a webhook"
    )
    kinds = forms.MultipleChoiceField(
        label="Alert types",
        choices=Alert.Kind.choices,
        required=False,
        help_text="none chosen: everything; Ctrl chooses several",
    )
    quiet_from = forms.TimeField(
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="in the account's time zone; what is raised then is sent at its end",
    )
    quiet_to = forms.TimeField(required=False, widget=forms.TimeInput(attrs={"type": "time"}))

    def clean(self) -> dict[str, Any]:
        """Quiet hours have two ends."""
        given = super().clean() or {}
        if (given.get("quiet_from") is None) != (given.get("quiet_to") is None):
            self.add_error("quiet_to", "Give both ends of the quiet hours, or none.")
        return given
