"""Members of an account, and how many must sign."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django import forms

from journal.forms.base import StyledForm
from journal.models import Role, User


class MemberForm(StyledForm):
    """A login and the role it gets."""

    login = forms.CharField(label="Login or e-mail", max_length=254)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)

    def clean_login(self) -> User:
        """Find the login."""
        text = self.cleaned_data["login"].strip()
        rows = User.objects.filter(is_active=True)
        # Anybody may sign up under an address that is not theirs: it counts once it was confirmed.
        confirmed = EmailAddress.objects.filter(email__iexact=text, verified=True).values("user_id")
        found = rows.filter(pk__in=confirmed)[:2] if "@" in text else rows.filter(username=text)[:2]
        if len(found) != 1:
            raise forms.ValidationError(
                "No login has this name or confirmed e-mail; ask them to create or confirm one."
            )
        return found[0]


class ApprovalForm(StyledForm):
    """Signatures and delay; empty takes the default."""

    needed = forms.IntegerField(label="Signatures needed", min_value=1, max_value=20, required=False)
    delay_hours = forms.IntegerField(
        label="Hours until it takes effect", min_value=0, max_value=720, required=False
    )
