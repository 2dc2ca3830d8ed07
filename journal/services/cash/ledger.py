"""The cash ledger: money that moved without a fill; append-only, corrected by its mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from hedging.engine.money import to_cents
from hedging.selectors.calendar import FIRST_DAY, session_date
from journal.errors import RuleError
from journal.models import Account, AccountRisk, CashEntry, User
from journal.selectors.cash.ledger import POOLS, Movement, entries, movements_of, overdrawn
from journal.services.audit import audit_record
from journal.services.book.ledger import account_lock

MAX_AMOUNT = Decimal(1_000_000_000)
_NOTE = 200
Kind, Purpose = CashEntry.Kind, CashEntry.Purpose


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of using the Second Engine for leverage; ``open`` is None while it is unknown."""

    name: str
    value: str
    open: bool | None


@transaction.atomic
def cash_record(
    *,
    user: User,
    account: Account,
    kind: str,
    amount: Decimal,
    day: date,
    purpose: str = "",
    note: str = "",
    token: str = "",
    source: str = "manual",
    gates: tuple[Gate, ...] = (),
) -> CashEntry:
    """Record a movement; ``amount`` is positive, its direction follows from the kind.

    The same token in the account is the same entry. Raises RuleError naming the input: amounts without
    whole cents, days in the future, a bucket without a purpose, a pool overdrawn on this or a later day,
    leverage behind a gate that is not open.
    """
    account = account_lock(account)
    if token:
        known = CashEntry.objects.filter(account=account, source=source, external_id=token).first()
        if known is not None:
            return known
    movement_check(kind=kind, amount=amount, day=day, purpose=purpose, gates=gates)
    signed = signed_amount(kind, amount)
    pools_check(movements_of(entries(account)), (day, kind, signed), "amount")
    entry = CashEntry.objects.create(
        account=account,
        kind=kind,
        amount=signed,
        day=day,
        purpose=purpose,
        gates={gate.name: {"value": gate.value, "open": gate.open} for gate in gates},
        source=source,
        external_id=token,
        note=note.strip()[:_NOTE],
        created_by=user,
    )
    _audit(user, entry, "cash.record", note)
    return entry


@transaction.atomic
def cash_reverse(*, user: User, entry: CashEntry, reason: str) -> CashEntry:
    """Correct an entry by its mirror image.

    Raises RuleError without a reason, a second time, or when later entries used what it brought.
    """
    if not reason.strip():
        raise RuleError("Say why the entry is corrected.", "reason")
    account = account_lock(entry.account)
    if entry.reverses_id is not None:
        raise RuleError("This entry is itself a correction.")
    if CashEntry.objects.filter(reverses=entry).exists():
        raise RuleError("This entry is already corrected.")
    pools_check(movements_of(entries(account)), (entry.day, entry.kind, -entry.amount))
    mirror = CashEntry.objects.create(
        account=account,
        kind=entry.kind,
        amount=-entry.amount,
        day=entry.day,
        purpose=entry.purpose,
        reverses=entry,
        source="reversal",
        note=reason.strip()[:_NOTE],
        created_by=user,
    )
    _audit(user, mirror, "cash.reverse", reason)
    return mirror


def signed_amount(kind: str, amount: Decimal) -> Decimal:
    """The amount as the ledger keeps it: + into the account, the bucket or the bills."""
    return amount if kind in CashEntry.INFLOWS else -amount


def movement_check(
    *, kind: str, amount: Decimal, day: date, purpose: str = "", gates: tuple[Gate, ...] = ()
) -> None:
    """What a movement must be whatever the ledger holds; raises RuleError naming the input."""
    if kind not in Kind.values:
        raise RuleError("Unknown type of cash entry.", "kind")
    if not amount.is_finite() or not 0 < amount <= MAX_AMOUNT:
        raise RuleError("The amount is above zero; the kind says which way it went.", "amount")
    if amount != to_cents(amount):
        raise RuleError("The amount is dollars and cents.", "amount")
    if not FIRST_DAY <= day <= session_date(timezone.now()):
        raise RuleError("The day is in the future or before any exchange's records.", "day")
    if kind in POOLS["bucket"]:
        if purpose not in set(Purpose.values) - {""}:
            raise RuleError("The Second Engine is used for a purpose: say which.", "purpose")
    elif purpose:
        raise RuleError("Only the Second Engine bucket has a purpose.", "purpose")
    if kind == Kind.ALLOCATE and purpose == Purpose.LEVERAGE:
        closed = [f"{gate.name} ({gate.value})" for gate in gates if not gate.open]
        if closed or not gates:
            names = ", ".join(closed) or "nothing is known of them"
            raise RuleError(f"Leverage stays closed; not met: {names}.", "purpose")


SHORT = {
    "bucket": "The bucket does not hold that much",
    "loan": "That is more than the margin loan",
    "bills": "The T-bills held did not cost that much (what they bring above their cost is interest earned)",
}


def pools_check(held: Sequence[Movement], fresh: Movement, field: str = "") -> None:
    """Raise RuleError when a movement takes more out of bucket, loan or bills than they ever hold."""
    day, kind, amount = fresh
    pool = next((name for name, kinds in POOLS.items() if kind in kinds), "")
    if not pool or amount > 0:
        return
    at = overdrawn([*held, fresh], pool, day)
    if at is not None:
        when = "" if at == day else f" on {at}, where a later entry used it"
        raise RuleError(f"{SHORT[pool]}{when}.", field)


def _audit(user: User, entry: CashEntry, action: str, reason: str) -> None:
    changes: dict[str, Any] = {
        "kind": entry.kind, "amount": str(entry.amount), "day": str(entry.day),
        "purpose": entry.purpose, "reason": reason,
    }  # fmt: skip
    audit_record(
        actor=user, action=action, account=entry.account, obj=entry, summary=str(entry), changes=changes
    )


def leverage_gates(
    *, account: Account, rv10: float | None, rv_median: float | None, lowered: bool
) -> tuple[Gate, ...]:
    """The gates of Second Engine leverage: low realized vol, target lowered before, stressed margin fits.

    ``rv10`` and its median over the window are fractions; low is at most the median (proposed).
    """
    calm = None if rv10 is None or rv_median is None else rv10 <= rv_median
    risk = AccountRisk.objects.filter(account=account).order_by("-book_revision", "-as_of").first()
    stress = None if risk is None else float(risk.result["stressed_loss"]) / float(account.base_capital) * 100
    fits = None if stress is None else stress <= float(account.max_stress_loss_pct)
    return (
        Gate("realized volatility is low", "unknown" if rv10 is None else f"{rv10:.1%}", calm),
        Gate("the WACC target was lowered first", "lowered" if lowered else "not lowered", lowered),
        Gate(
            "the stressed loss still fits", "unknown" if stress is None else f"{stress:.1f}% of capital", fits
        ),
    )
