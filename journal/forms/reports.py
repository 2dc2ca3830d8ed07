"""The form that asks for a report."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django import forms

from journal.errors import RuleError
from journal.forms.base import StyledForm
from journal.models import Account, Report, ReportSchedule

_HELP = {
    "pdf": "typeset for print",
    "html": "a page",
    "xlsx": "a workbook, one sheet a table",
    "csv": "tables for a spreadsheet, zipped",
}


class ReportForm(StyledForm):
    """Account, period and format; ``token`` makes a double click one request."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    account = forms.ModelChoiceField(queryset=Account.objects.none(), empty_label=None)
    date_from = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    date_to = forms.DateField(label="To", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    format = forms.ChoiceField(
        choices=[(f, f"{Report.Format(f).label}, {text}") for f, text in _HELP.items()]
    )

    def __init__(self, *args: Any, accounts: Sequence[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Account.objects.filter(pk__in=[account.pk for account in accounts])
        if not self.is_bound:
            self.initial["token"] = secrets.token_urlsafe(18)

    def show(self, error: RuleError) -> None:
        """Put a refusal beside the input it belongs to."""
        self.add_error(error.field if error.field in self.fields else None, error.message)


class ScheduleForm(StyledForm):
    """A report every week or month, and who is told."""

    every = forms.ChoiceField(label="Frequency", choices=ReportSchedule.Every.choices)
    format = forms.ChoiceField(choices=Report.Format.choices, initial=Report.Format.PDF)
    send = forms.ChoiceField(label="Send by e-mail", required=False, choices=ReportSchedule.Send.choices)
    email = forms.EmailField(
        label="E-mail address", required=False, help_text="A link asks for the login; a file does not."
    )

    def show(self, error: RuleError) -> None:
        """Put a refusal beside the input it belongs to."""
        self.add_error(error.field if error.field in self.fields else None, error.message)
