"""Members of an account, and how many must sign."""

from __future__ import annotations

from typing import Any

from django import forms

from journal.forms.base import StyledForm
from journal.models import Role, User
from journal.selectors.governance.signing import login_find, rule_with


class MemberForm(StyledForm):
    """A login and the role it gets."""

    login = forms.CharField(label="Login or e-mail", max_length=254)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)

    def __init__(self, *args: Any, roles: tuple[Role, ...] = tuple(Role), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role.value, role.label) for role in roles]

    def clean_login(self) -> User:
        """Find the login."""
        found = login_find(self.cleaned_data["login"].strip())
        if found is None:
            raise forms.ValidationError(
                "No login has this name or confirmed e-mail; ask them to create or confirm one."
            )
        return found


class ApprovalForm(StyledForm):
    """Signatures and delay; empty takes the default."""

    needed = forms.IntegerField(label="Signatures needed", min_value=1, max_value=20, required=False)
    delay_hours = forms.IntegerField(
        label="Hours until it takes effect", min_value=0, max_value=720, required=False
    )

    def __init__(self, *args: Any, signers: frozenset[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        default = rule_with(signers, None, None)
        for name, value in (("needed", default.needed), ("delay_hours", default.hours)):
            self.fields[name].widget.attrs["placeholder"] = f"{value} (default)"
