"""Forms of tags and playbooks."""

from __future__ import annotations

from typing import Any

from django import forms

from journal.errors import RuleError
from journal.forms.base import StyledForm
from journal.models import Tag


class RefusableForm(StyledForm):
    """A form that shows a service's refusal beside the input it belongs to."""

    def show(self, error: RuleError) -> None:
        """Put the refusal where it belongs."""
        self.add_error(error.field if error.field in self.fields else None, error.message)


class TagForm(RefusableForm):
    """A tag's name and kind."""

    name = forms.CharField(max_length=40)
    kind = forms.ChoiceField(choices=Tag.Kind.choices)


def _day_field(label: str) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}))


class RangeTagForm(RefusableForm):
    """A tag for a range of days."""

    name = forms.CharField(label="Tag", max_length=40, widget=forms.TextInput(attrs={"list": "known-tags"}))
    date_from = _day_field("From")
    date_to = _day_field("To, included")


class PlaybookForm(RefusableForm):
    """A playbook: name, text in Markdown, one question a line."""

    name = forms.CharField(max_length=80)
    text = forms.CharField(
        label="When and how", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Markdown.",
    )  # fmt: skip
    items = forms.CharField(
        label="Checklist before entry", required=False, max_length=8_000,
        widget=forms.Textarea(attrs={"rows": 6}), help_text="One question a line.",
    )  # fmt: skip
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_text(self) -> Any:
        """Line ends as they are stored."""
        return self.cleaned_data["text"].replace("\r\n", "\n")
