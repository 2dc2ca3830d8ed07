"""Cash movements of broker files: entries of the cash ledger that follow the recorded rows.

As with fills, an entry of a file carries no knowledge of its own: it is made when its row is recorded and
goes when its row is undone. What a person corrected by hand stays, and then the import cannot be undone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from hedging.engine.money import to_cents
from hedging.selectors.calendar import FIRST_DAY, session_date
from journal.errors import RuleError
from journal.importers.rows import BROKER_NAMES, BrokerRow, RowKind
from journal.importers.text import CellError
from journal.models import Account, CashEntry, ImportBatch, ImportRow, ImportSetting, User
from journal.services.cash.ledger import MAX_AMOUNT

#: Kinds a file can state; loans and the Second Engine bucket are the journal's own.
FILE_KINDS = (
    CashEntry.Kind.DEPOSIT, CashEntry.Kind.WITHDRAWAL, CashEntry.Kind.INTEREST_EARNED,
    CashEntry.Kind.INTEREST_PAID, CashEntry.Kind.DIVIDEND, CashEntry.Kind.FEE, CashEntry.Kind.OTHER_CREDIT,
    CashEntry.Kind.OTHER_DEBIT,
)  # fmt: skip
_SOURCES = frozenset(broker.value for broker in BROKER_NAMES)
_NOTE = 200
_BATCH = 500
#: Either side may have either sign: dividends paid, fees given back, interest corrected.
_ONE_WAY = {
    CashEntry.Kind.DEPOSIT: 1, CashEntry.Kind.OTHER_CREDIT: 1,
    CashEntry.Kind.WITHDRAWAL: -1, CashEntry.Kind.OTHER_DEBIT: -1,
}  # fmt: skip


def cash_facts(row: BrokerRow) -> dict[str, Any]:
    """Day and words of a movement, which are known before it is known what it is."""
    day = row.day or (session_date(row.moment) if row.moment else None)
    return {"day": day.isoformat() if day else "", "note": (row.text or row.word)[:_NOTE]}


def cash_data(row: BrokerRow, words: Mapping[str, str], today: date) -> dict[str, Any]:
    """The JSON of a cash movement. Raises CellError when it is not known what it is.

    ``words`` are answers kept for the account: the broker's word in lower case, and the kind.
    """
    assert row.cash is not None
    facts = cash_facts(row)
    kind = row.ledger or words.get(row.word.lower(), "")
    if not kind and row.message:
        raise CellError(row.message, "movement")
    if not kind:
        what = f"{row.word[:40]!r}" if row.word else "This movement"
        side = "received" if row.cash > 0 else "paid"
        raise CellError(f"{what} with money {side} is not known: say what it is.", "movement")
    if not facts["day"]:
        raise CellError("The row has no date.", "Date")
    try:
        return checked_data(kind, row.cash, date.fromisoformat(facts["day"]), facts["note"], today)
    except RuleError as error:
        raise CellError(error.message, error.field) from None


def checked_data(kind: str, amount: Decimal, day: date, note: str, today: date) -> dict[str, Any]:
    """The JSON of an entry; amounts are kept in whole cents. Raises RuleError naming the input."""
    if kind not in FILE_KINDS:
        raise RuleError("Unknown type of cash movement.", "ledger")
    if not amount.is_finite() or not abs(amount) <= MAX_AMOUNT:
        raise RuleError("The amount is out of bounds.", "amount")
    cents = to_cents(amount)
    if not cents:
        raise RuleError("The amount is less than a cent.", "amount")
    if _ONE_WAY.get(CashEntry.Kind(kind), 0) * cents < 0:
        raise RuleError("The sign of the amount contradicts what it is: + received, - paid.", "amount")
    if not FIRST_DAY <= day <= today:
        raise RuleError("The day is in the future or before any exchange's records.", "day")
    return {"ledger": kind, "amount": str(cents), "day": day.isoformat(), "note": note[:_NOTE]}


def entries_follow(*, user: User, account: Account) -> tuple[int, int]:
    """Bring the ledger to the recorded cash rows; returns entries made and taken away.

    The caller holds the account's lock and a transaction. Raises RuleError where an entry that would go was
    corrected by hand.
    """
    recorded = ImportRow.objects.filter(
        account=account, kind=RowKind.CASH.value, status=ImportRow.Status.RECORDED
    )
    held = dict(_own(account).values_list("external_id", "pk"))
    wanted: set[str] = set()
    made = []
    for key, data in recorded.order_by("pk").values_list("key", "data").iterator(_BATCH):
        wanted.add(key)
        if key not in held:
            made.append(
                CashEntry(
                    account=account, kind=data["ledger"], amount=Decimal(data["amount"]),
                    day=date.fromisoformat(data["day"]), note=data["note"][:_NOTE],
                    source=key.partition(":")[0], external_id=key, created_by=user,
                )
            )  # fmt: skip
    stale = [pk for key, pk in held.items() if key not in wanted]
    for start in range(0, len(stale), _BATCH):
        chunk = stale[start : start + _BATCH]
        if CashEntry.objects.filter(reverses__in=chunk).exists():
            raise RuleError("A cash entry of this import was corrected by hand; undo would lose that.")
        CashEntry.objects.filter(pk__in=chunk).delete()
    CashEntry.objects.bulk_create(made, batch_size=_BATCH)
    return len(made), len(stale)


def _own(account: Account) -> QuerySet[CashEntry]:
    """Entries that came from files of brokers."""
    return CashEntry.objects.filter(account=account, source__in=_SOURCES, reverses=None)


def cash_summary(batch: ImportBatch) -> dict[str, Any]:
    """The new cash movements of a batch by kind, and those that may be in the ledger already."""
    rows = batch.rows.filter(kind=RowKind.CASH.value, status=ImportRow.Status.NEW).order_by("position")
    kinds: dict[str, tuple[int, Decimal]] = {}
    stated = []
    for line, data in rows.values_list("line", "data"):
        count, total = kinds.get(data["ledger"], (0, Decimal(0)))
        kinds[data["ledger"]] = (count + 1, total + Decimal(data["amount"]))
        stated.append((line, date.fromisoformat(data["day"]), Decimal(data["amount"])))
    names = dict(CashEntry.Kind.choices)
    return {
        "count": len(stated),
        "total": str(sum((total for _, total in kinds.values()), Decimal(0))),
        "kinds": [
            {"kind": kind, "name": str(names[kind]), "count": kinds[kind][0], "total": str(kinds[kind][1])}
            for kind in FILE_KINDS
            if kind in kinds
        ],
        "perhaps_twice": _perhaps_twice(batch.account, stated),
    }  # fmt: skip


def _perhaps_twice(account: Account, stated: Sequence[tuple[int, date, Decimal]]) -> list[int]:
    """Lines whose day and amount an entry has that did not come from a file of a broker."""
    if not stated:
        return []
    days = [day for _, day, _ in stated]
    others = CashEntry.objects.filter(
        account=account, reverses=None, reversed_by=None, day__range=(min(days), max(days))
    ).exclude(source__in=_SOURCES)
    known = set(others.values_list("day", "amount"))
    return [line for line, day, amount in stated if (day, amount) in known]


def words_learn(account: Account, broker: str, word: str, kind: str) -> None:
    """Keep an answer for later files of this broker in the account."""
    setting, _ = ImportSetting.objects.get_or_create(
        account=account, broker=broker, defaults={"zone": account.time_zone}
    )
    setting.movements = {**setting.movements, word.lower(): kind}
    setting.save(update_fields=["movements"])


def words_forget(account: Account, broker: str, words: Collection[str]) -> None:
    """Ask about these names again."""
    for setting in ImportSetting.objects.filter(account=account, broker=broker):
        setting.movements = {word: kind for word, kind in setting.movements.items() if word not in words}
        setting.save(update_fields=["movements"])
