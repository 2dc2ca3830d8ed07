"""Members of an account, and how many must sign."""

from __future__ import annotations

from django import forms
from django.db.models import Q

from journal.forms.base import StyledForm
from journal.models import Role, User


class MemberForm(StyledForm):
    """A login and the role it gets."""

    login = forms.CharField(label="Login or e-mail", max_length=254)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)

    def clean_login(self) -> User:
        """Find the login."""
        text = self.cleaned_data["login"].strip()
        found = User.objects.filter(Q(username=text) | Q(email__iexact=text), is_active=True)[:2]
        if len(found) != 1:
            raise forms.ValidationError("No login has this name; ask them to create one.")
        return found[0]


class ApprovalForm(StyledForm):
    """Signatures and delay; empty takes the default."""

    needed = forms.IntegerField(label="Signatures needed", min_value=1, max_value=20, required=False)
    delay_hours = forms.IntegerField(
        label="Hours until it takes effect", min_value=0, max_value=720, required=False
    )
