"""Forms of the risk desk: limits, acknowledgements, groups."""

from __future__ import annotations

from typing import Any

from django import forms

from journal.forms.base import StyledForm
from journal.models import Account, Measure, RiskGroup


class LimitForm(StyledForm):
    """A limit and whose it is: an account's, a group's, or (neither) every account's."""

    measure = forms.ChoiceField(choices=Measure.choices)
    account = forms.ModelChoiceField(Account.objects.none(), required=False, empty_label="every account")
    group = forms.ModelChoiceField(RiskGroup.objects.none(), required=False, empty_label="no group")
    soft = forms.FloatField(required=False, label="Warn at", min_value=0)
    hard = forms.FloatField(label="Limit", min_value=0)
    reason = forms.CharField(max_length=300, widget=forms.TextInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (
            ("account", Account.objects.filter(archived_at__isnull=True)),
            ("group", RiskGroup.objects.all()),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows


class AcknowledgeForm(StyledForm):
    """Why a breach may stand, and until when."""

    reason = forms.CharField(max_length=300, widget=forms.TextInput)
    until = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))


class GroupForm(StyledForm):
    """A group's name."""

    name = forms.CharField(max_length=60)
