"""Brokerage accounts and who may do what in them."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from journal.models.users import User


class Role(models.TextChoices):
    """What a member may do; every role may read."""

    OWNER = "owner", "Owner"
    TRADER = "trader", "Trader"
    VIEWER = "viewer", "Viewer"
    SIGNER = "signer", "Signer"


WRITE_ROLES = (Role.OWNER, Role.TRADER)
MANAGE_ROLES = (Role.OWNER,)


class AccountQuerySet(models.QuerySet["Account"]):
    """The gate to accounts; everything owned goes through ``for_user``."""

    def for_user(self, user: User | AnonymousUser, roles: tuple[Role, ...] = tuple(Role)) -> Self:
        """Accounts in which the user holds one of the roles; none for strangers."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(pk__in=Membership.objects.filter(user=user, role__in=roles).values("account_id"))


class Account(models.Model):
    """One brokerage account. Archived, never deleted; the number is stored masked only."""

    class Kind(models.TextChoices):
        MARGIN = "margin", "Margin (Reg T)"
        PORTFOLIO = "portfolio", "Portfolio margin"
        IRA = "ira", "IRA / retirement"
        CASH = "cash", "Cash"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    broker = models.CharField(max_length=60)
    number_masked = models.CharField(
        max_length=24,
        blank=True,
        default="",
        validators=[
            RegexValidator(r"^[*•xX]{2,}[0-9A-Za-z]{2,5}$", "Keep the last digits only, such as ****868")
        ],
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MARGIN)
    currency = models.CharField(max_length=3, default="USD", validators=[RegexValidator(r"^[A-Z]{3}$")])
    time_zone = models.CharField(max_length=40, default="America/New_York")
    base_capital = models.DecimalField(
        max_digits=16, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    fee_per_option = models.DecimalField(
        max_digits=8, decimal_places=4, default=Decimal(0), validators=[MinValueValidator(Decimal(0))]
    )
    fee_per_future = models.DecimalField(
        max_digits=8, decimal_places=4, default=Decimal(0), validators=[MinValueValidator(Decimal(0))]
    )
    max_margin_pct = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(50))
    max_trade_loss_pct = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True,
        help_text="percent of capital above which a trade needs a reason; empty: as the rules in force say",
    )  # fmt: skip
    warn_trade_loss_pct = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True,
        help_text="percent of capital above which a trade is warned of; empty: as the rules in force say",
    )  # fmt: skip
    max_stress_loss_pct = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(25))
    residual_share_pct = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(15))
    residual_limit = models.DecimalField(
        max_digits=12, decimal_places=2, default=Decimal(100), validators=[MinValueValidator(Decimal(0))]
    )
    locked_until = models.DateField(
        null=True, blank=True,
        help_text="settlements up to this day stay as booked: a corrected value is reported alone",
    )  # fmt: skip
    approvals_needed = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="signatures a change needs; empty: 1, or 2 with several signers"
    )
    approval_delay_hours = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="hours from approval to effect; empty: 0, or 48 with several signers",
    )
    is_demo = models.BooleanField(default=False, editable=False)
    book_revision = models.PositiveBigIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="accounts")

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(condition=models.Q(base_capital__gt=0), name="account_capital_positive"),
            models.CheckConstraint(
                condition=models.Q(fee_per_option__gte=0, fee_per_future__gte=0),
                name="account_fees_not_negative",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "user", "role"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.account}"
