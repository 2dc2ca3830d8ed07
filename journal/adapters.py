"""What sign-in does here beyond allauth's defaults: who is counted, and where mailed links lead."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest

from journal.models import User
from journal.services.guests import first_user_operates
from journal.services.invitations import invitation_read, invitation_use

#: The invitation somebody came with, in the session.
_INVITE = "invitation"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Sign-in with a password, and the mails about it."""

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count guesses by login alone: the host and port a guess names are the guesser's to choose."""
        return str(credentials.get("email") or credentials.get("username") or "").strip().lower()

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """As ``SIGNUP`` says; an invitation's address is remembered until the form is sent."""
        if token := request.GET.get("invite", "")[:300]:
            request.session[_INVITE] = token
        return settings.SIGNUP == "open" or (
            settings.SIGNUP == "invite" and invitation_read(request.session.get(_INVITE, "")) is not None
        )

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """A new login: the first of an installation operates it, an invitation is used up."""
        invitation = invitation_read(request.session.pop(_INVITE, ""))
        made: User = super().save_user(request, user, form, commit)
        if commit:
            first_user_operates(user=made)
            if invitation is not None:
                invitation_use(invitation=invitation, user=made)
        return made

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address limits are counted by; a request that went round the proxies is refused."""
        try:
            return str(super().get_client_ip(request))
        except ImproperlyConfigured:
            raise PermissionDenied from None

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The published address, whatever host the request named."""
        return _published(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """The published address, whatever host the request named."""
        return _published(super().get_email_confirmation_url(request, emailconfirmation))


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """Second factors and passkeys."""

    def _get_site_name(self) -> str:
        """The name that authenticators show beside the login."""
        return "ALVH Journal"

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002
        """The name offered for a new passkey."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"


def _published(url: str) -> str:
    return f"{settings.PUBLIC_URL}{urlsplit(url).path}"
