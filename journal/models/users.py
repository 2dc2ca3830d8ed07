"""People who sign in."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

RISK_GROUP = "risk"


class User(AbstractUser):
    """A trader or an administrator. ``public_id`` is the only id ever shown outside."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)

    @property
    def is_risk_admin(self) -> bool:
        """Whether the user may see every account's risk (group ``risk`` or superuser)."""
        return self.is_active and (self.is_superuser or self.groups.filter(name=RISK_GROUP).exists())
