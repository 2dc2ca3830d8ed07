"""The account form."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from journal.errors import RuleError
from journal.forms.base import style
from journal.models import Account

_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Everything a trader may set on an account."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Account
        fields = (
            "name",
            "broker",
            "number_masked",
            "kind",
            "base_capital",
            "currency",
            "time_zone",
            "fee_per_option",
            "fee_per_future",
            "max_margin_pct",
            "warn_trade_loss_pct",
            "max_trade_loss_pct",
            "max_stress_loss_pct",
            "residual_share_pct",
            "residual_limit",
            "locked_until",
        )
        labels = {
            "number_masked": "Account number, masked",
            "kind": "Type",
            "base_capital": "Base capital ($)",
            "fee_per_option": "Fee per option contract ($)",
            "fee_per_future": "Fee per futures contract ($)",
            "max_margin_pct": "Margin limit (% of capital)",
            "warn_trade_loss_pct": "Warn when a trade can lose more than (%)",
            "max_trade_loss_pct": "Ask for a reason above (%)",
            "max_stress_loss_pct": "Stressed-loss limit (% of capital)",
            "residual_share_pct": "Residual alert threshold (% of absolute P&L)",
            "residual_limit": "and from this many dollars",
            "locked_until": "Lock settlements up to",
        }
        widgets = {"locked_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        help_texts = {
            "locked_until": "A value corrected later is reported for these days, and nothing is booked.",
            "number_masked": "Only the last digits, such as ****868.",
            "base_capital": "What returns and limits are measured against.",
            "residual_share_pct": "A session whose P&L the effects leave unexplained; 15% is proposed.",
            "residual_limit": "Both must be reached; 100 is proposed.",
            "warn_trade_loss_pct": "Empty: as the rules in force say. A tighter limit goes before theirs.",
            "max_trade_loss_pct": "Empty: as the rules in force say. A tighter limit goes before theirs.",
            "fee_per_option": "Used when you leave a trade's fees empty; per contract and side.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = available_timezones()
        zones = [zone for zone in _ZONES if zone in known]
        present = self.instance.time_zone
        if present not in zones:
            zones.append(present)
        self.fields["time_zone"] = forms.ChoiceField(
            label="Time zone", choices=[(zone, zone) for zone in zones], initial=present
        )
        if self.instance.pk:
            self.fields["version"].initial = self.instance.version
        style(self)

    def show(self, error: RuleError) -> None:
        """Put a refusal beside the input it belongs to."""
        self.add_error(error.field if error.field in self.fields else None, error.message)
