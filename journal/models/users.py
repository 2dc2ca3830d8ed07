"""People who sign in."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac

#: May read every account's risk, and may acknowledge breaches and set limits as well.
RISK_GROUP, RISK_OFFICER_GROUP = "risk", "risk-officer"
#: May write the market data that everybody's figures stand on.
MARKET_GROUP = "market"


class User(AbstractUser):
    """A trader or an administrator. ``public_id`` is the only id ever shown outside."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)
    #: Sessions of an earlier epoch are signed out for good; see journal.services.sign_in.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    #: Somebody who pressed *Try the demo*: nobody knows who, whatever they set afterwards.
    is_guest = models.BooleanField(default=False, editable=False)

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Sessions end with the password, as Django has it, and with the epoch."""
        own: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if not self.session_epoch:
            return own
        return salted_hmac("journal.session_epoch", f"{own}{self.session_epoch}", secret=secret).hexdigest()

    @property
    def is_risk_admin(self) -> bool:
        """Whether the user may see every account's risk (a group of the desk, or superuser)."""
        return self._is_of(RISK_GROUP, RISK_OFFICER_GROUP)

    @property
    def is_risk_officer(self) -> bool:
        """Whether the user may acknowledge breaches and set limits."""
        return self._is_of(RISK_OFFICER_GROUP)

    @property
    def is_market_operator(self) -> bool:
        """Whether the user may load market data for everybody."""
        return not self.is_guest and self._is_of(MARKET_GROUP)

    def _is_of(self, *names: str) -> bool:
        return self.is_active and (self.is_superuser or self.groups.filter(name__in=names).exists())
