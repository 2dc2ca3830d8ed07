"""Passkeys: adding one, and credentials that are none."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

#: What reading and checking a made-up credential raises.
_NONSENSE = (
    KeyError, IndexError, ValueError, TypeError, AttributeError, RecursionError, struct.error,
    InvalidSignature, UnsupportedAlgorithm,
)  # fmt: skip


@contextmanager
def _refused() -> Iterator[None]:
    """Answer a credential that is none as one that is wrong."""
    try:
        yield
    except _NONSENSE:
        raise get_adapter().validation_error("incorrect_code") from None


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth carries no types
    """Asks for a passkey that signs in by itself; unticked it is a second factor beside the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name, to tell it from others"
        self.fields["name"].max_length = 60
        choice = self.fields["passwordless"]
        choice.label, choice.initial = "Sign in with it alone", True
        choice.help_text = (
            "The device then asks for its PIN, finger or face. Without this it is a second factor "
            "beside the password."
        )

    def clean(self) -> dict[str, Any]:
        """Check the new credential."""
        with _refused():
            found: dict[str, Any] = super().clean()
        return found


class _UseForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    def clean_credential(self) -> Any:
        """Check the credential that was used."""
        with _refused():
            return super().clean_credential()


class PasskeyLoginForm(_UseForm, LoginWebAuthnForm):  # type: ignore[misc]
    """Signs in with a passkey alone."""


class PasskeyFactorForm(_UseForm):
    """Confirms a sign-in by password."""


class PasskeyConfirmForm(_UseForm, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Confirms who is signed in."""
