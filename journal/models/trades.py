"""Trades and their append-only fills."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Q

from journal.models.accounts import Account, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from journal.models.users import User


_Row_co = TypeVar("_Row_co", bound=models.Model, covariant=True)


class OwnedQuerySet(models.QuerySet[_Row_co]):
    """Rows that belong to an account through their ``account`` field."""

    def for_user(self, user: User | AnonymousUser, roles: tuple[Role, ...] = tuple(Role)) -> Self:
        """Rows of the accounts in which the user holds one of the roles."""
        return self.filter(account__in=Account.objects.for_user(user, roles))


class Trade(models.Model):
    """A position with one purpose: a condor, a hedge layer, or anything else.

    Its legs are never stored: they are the sum of its fills. The fields under "derived" are
    rebuilt from the fills by journal.services.book.trades and carry no knowledge of their own.
    """

    class Kind(models.TextChoices):
        CONDOR = "condor", "Iron condor"
        HEDGE = "hedge_layer", "Hedge layer"
        OTHER = "other", "Other"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    class Instrument(models.TextChoices):
        VIX_CALLS = "vix_calls", "VIX calls"
        VIX_CALL_SPREAD = "vix_call_spread", "VIX call spread"
        VIX_CALENDAR = "vix_calendar", "VIX calendar"
        VX_FUTURE = "vx_future", "VX futures"
        SPX_PUTS = "spx_puts", "SPX puts"
        SPX_PUT_SPREAD = "spx_put_spread", "SPX put spread"
        VXX = "vxx", "VXX"
        NONE = "", "-"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="trades")
    kind = models.CharField(max_length=12, choices=Kind)
    layer = models.PositiveSmallIntegerField(null=True, blank=True)
    instrument = models.CharField(max_length=20, choices=Instrument, blank=True, default="")
    protects = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="protected_by")
    reason = models.TextField(blank=True, default="")
    order_text = models.TextField(blank=True, default="")
    title = models.CharField(max_length=120, blank=True, default="", help_text="a name given by hand")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # derived
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    label = models.CharField(max_length=120, blank=True, default="")
    underlying = models.CharField(max_length=8, blank=True, default="")
    nearest_expiry = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    net_cash = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    fees_total = models.DecimalField(max_digits=16, decimal_places=6, default=0)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at", "-created_at")
        indexes = (models.Index(fields=("account", "status", "-opened_at"), name="trade_account_status"),)
        constraints = (
            models.CheckConstraint(
                condition=(Q(kind="hedge_layer") & Q(layer__in=(1, 2, 3)))
                | (~Q(kind="hedge_layer") & Q(layer__isnull=True)),
                name="trade_layer_only_for_hedges",
            ),
        )

    def __str__(self) -> str:
        return self.label or f"{self.get_kind_display()} {self.pk}"

    @property
    def realized(self) -> Decimal:
        """Cash moved less fees, in dollars: the P&L once the trade is closed."""
        return self.net_cash - self.fees_total


class Fill(models.Model):
    """One execution: signed quantity (+ bought, - sold), price per unit, fees as a cost.

    Append-only: a mistake is corrected by a fill that reverses it (opposite quantity, same
    price, opposite fees), so the history of the ledger stays readable.
    """

    #: ``source`` of the cash settlement of an expired leg.
    SETTLEMENT = "settlement"
    #: ``source`` of what takes such a settlement back because a broker's rows say otherwise.
    REPLACED = "import-replaced"
    #: ``source`` of what takes it back because its official value was corrected.
    CORRECTED = "market-corrected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="fills", db_index=False)
    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="fills")
    contract = models.ForeignKey("hedging.Contract", on_delete=models.PROTECT, related_name="+")
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=14, decimal_places=6)
    fees = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    executed_at = models.DateTimeField()
    trade_date = models.DateField(help_text="exchange session date")
    reverses = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    source = models.CharField(max_length=40, default="manual")
    external_id = models.CharField(max_length=120, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("executed_at", "created_at", "pk")
        indexes = (models.Index(fields=("account", "executed_at"), name="fill_account_time"),)
        constraints = (
            models.CheckConstraint(condition=~Q(quantity=0), name="fill_quantity_not_zero"),
            models.CheckConstraint(condition=Q(price__gte=0), name="fill_price_not_negative"),
            models.UniqueConstraint(
                fields=("account", "source", "external_id"),
                condition=~Q(external_id=""),
                name="fill_external_id_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity:+d} {self.contract} @ {self.price}"
