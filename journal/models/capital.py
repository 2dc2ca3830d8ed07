"""Money beside the trades: the cash ledger, and what capital an account used each day."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet


class CashEntry(models.Model):
    """One movement of money other than a fill; append-only, corrected by its mirror image like a fill.

    ``amount`` in dollars: + into the account (deposit, interest earned, borrowed), - out of it. ``allocate``
    moves money of the account's own between its collateral and the Second Engine bucket (+ into the bucket)
    and leaves the account's cash unchanged; it names a purpose and keeps the gates as they stood. An entry of
    a file has the file's sign: a fee that was given back is a fee above zero. T-bills are kept at cost (+
    into the bills): what they bring above their cost is interest earned, an entry of its own.
    """

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", "Deposit"
        WITHDRAWAL = "withdrawal", "Withdrawal"
        INTEREST_EARNED = "interest_earned", "Interest earned on collateral"
        INTEREST_PAID = "interest_paid", "Margin interest paid"
        DIVIDEND = "dividend", "Dividend"
        FEE = "fee", "Fee"
        OTHER_CREDIT = "other_credit", "Other credit"
        OTHER_DEBIT = "other_debit", "Other debit"
        BORROW = "borrow", "Margin loan drawn"
        REPAY = "repay", "Margin loan repaid"
        ALLOCATE = "allocate", "Into the Second Engine bucket"
        RELEASE = "release", "Out of the Second Engine bucket"
        BILL_BUY = "bill_buy", "T-bills bought"
        BILL_SELL = "bill_sell", "T-bills sold, at cost"
        BILL_MATURE = "bill_mature", "T-bills matured, at cost"

    class Purpose(models.TextChoices):
        NONE = "", "-"
        WING_ADJUSTMENT = "wing_adjustment", "Wing adjustment"
        LEVERAGE = "leverage", "Leverage"
        HEDGE_FINANCING = "hedge_financing", "Hedge financing"

    INFLOWS = (
        Kind.DEPOSIT, Kind.INTEREST_EARNED, Kind.DIVIDEND, Kind.OTHER_CREDIT, Kind.BORROW, Kind.ALLOCATE,
        Kind.BILL_BUY,
    )  # fmt: skip

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="cash_entries")
    kind = models.CharField(max_length=16, choices=Kind)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    day = models.DateField()
    purpose = models.CharField(max_length=16, choices=Purpose, blank=True, default="")
    gates = models.JSONField(default=dict, blank=True)
    reverses = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    source = models.CharField(max_length=40, default="manual")
    external_id = models.CharField(max_length=120, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")
    batch = models.ForeignKey(
        "CashImport", null=True, blank=True, on_delete=models.PROTECT, related_name="entries"
    )
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-day", "-created_at", "pk")
        indexes = (models.Index(fields=("account", "day"), name="cash_account_day"),)
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="cash_amount_not_zero"),
            models.UniqueConstraint(
                fields=("account", "source", "external_id"),
                condition=~Q(external_id=""),
                name="cash_external_id_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount} on {self.day}"


class CashImport(models.Model):
    """One CSV file of cash movements: checked whole, looked at, recorded once, and perhaps undone.

    ``rows`` is what the file says, as ``journal.services.cash.file`` writes it; a file with a problem makes
    no import. Its entries are derived from its rows: an undo removes them, and the rows stay.
    """

    class State(models.TextChoices):
        STAGED = "staged", "To be checked"
        COMMITTED = "committed", "Recorded"
        UNDONE = "undone", "Undone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="cash_imports")
    state = models.CharField(max_length=10, choices=State, default=State.STAGED)
    filename = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    rows = models.JSONField(default=list, blank=True)
    left_out = models.PositiveIntegerField(default=0)
    recorded = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    committed_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.filename} ({self.get_state_display()})"


class CapitalDay(models.Model):
    """What an account's positions tied up at one session's close, in dollars.

    ``margin`` is by the account's profile (the gross strategy rule; a portfolio account its estimate);
    ``margin_partial`` when a trade's margin is unknown. ``result`` holds margin and the value of bought
    options by group. What paid for it follows from the cash ledger when it is read.
    """

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="capital_days", db_index=False
    )
    day = models.DateField()
    book_revision = models.PositiveBigIntegerField()
    content_hash = models.CharField(max_length=64)
    margin = models.DecimalField(max_digits=18, decimal_places=2)
    margin_ibkr = models.DecimalField(max_digits=18, decimal_places=2)
    margin_partial = models.BooleanField(default=False)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("day",)
        constraints = (models.UniqueConstraint(fields=("account", "day"), name="capital_day_once"),)

    def __str__(self) -> str:
        return f"{self.account} on {self.day}: {self.margin}"
