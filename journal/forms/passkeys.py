"""Adding a passkey."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm


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
