"""Cash movements from a CSV file: checked whole, looked at, recorded once, undone whole.

A file with a problem leaves nothing behind. Its entries are derived from the rows the import keeps, so an
undo removes them (as docs/adr/0012 has it for fills of broker files), and the file can be recorded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.importers.cash_csv import MAX_PROBLEMS, CashProblem, CashRow, read_cash
from journal.models import Account, CashEntry, CashImport, User
from journal.selectors.cash.ledger import POOLS, ZERO, entries, in_force, movements_of, overdrawn
from journal.services.audit import audit_record
from journal.services.book.ledger import account_lock
from journal.services.cash.gates import gates_now
from journal.services.cash.ledger import SHORT, Gate, movement_check, signed_amount

SOURCE = "csv"
_BATCH = 500
_COLUMNS = {"day": "date"}
Kind, State = CashEntry.Kind, CashImport.State


class CashFileError(RuleError):
    """The file cannot be recorded; ``problems`` names each place, ``more`` counts what is not listed."""

    def __init__(self, problems: Sequence[CashProblem]) -> None:
        self.problems, self.more = tuple(problems[:MAX_PROBLEMS]), max(len(problems) - MAX_PROBLEMS, 0)
        first = problems[0]
        where = f"Line {first.line}{f', {first.column}' if first.column else ''}: " if first.line else ""
        rest = f" ({len(problems)} problems in all)" if len(problems) > 1 else ""
        super().__init__(f"{where}{first.message}{rest}", "file")


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row and what becomes of it; ``alike`` when an entry of another origin says the same."""

    row: CashRow
    is_new: bool
    alike: bool

    @property
    def signed(self) -> Decimal:
        """The amount as the ledger keeps it."""
        return _signed(self.row)


def _signed(row: CashRow) -> Decimal:
    amount = signed_amount(row.kind, row.amount)
    return -amount if row.back else amount


@dataclass(frozen=True, slots=True)
class CashPlan:
    """What recording a file would do now; ``problems`` say why it cannot."""

    rows: tuple[PlannedRow, ...]
    problems: tuple[CashProblem, ...]

    @property
    def new(self) -> tuple[PlannedRow, ...]:
        """Rows the ledger does not hold yet."""
        return tuple(one for one in self.rows if one.is_new)

    @property
    def may_record(self) -> bool:
        """Whether there is something new and every row is understood."""
        return bool(self.new) and not self.problems

    @property
    def duplicates(self) -> int:
        """Rows the ledger holds already."""
        return len(self.rows) - len(self.new)

    @property
    def alike(self) -> int:
        """New rows beside which an entry of another origin has the same day, kind and amount."""
        return sum(one.alike for one in self.new)

    @property
    def totals(self) -> list[tuple[str, int, Decimal]]:
        """(kind, rows, signed dollars) of the new rows."""
        found: dict[str, tuple[int, Decimal]] = {}
        for one in self.new:
            count, total = found.get(one.row.kind, (0, ZERO))
            found[one.row.kind] = (count + 1, total + one.signed)
        return [(kind, *found[kind]) for kind in Kind.values if kind in found]


def cash_plan(account: Account, rows: Sequence[CashRow], gates: tuple[Gate, ...] | None = None) -> CashPlan:
    """Hold a file's rows against the ledger as it is now. Nothing is written."""
    every = entries(account)
    ledger = in_force(every)
    # What a person corrected is not recorded again by the same row.
    by_key = {
        key: entry
        for entry in every
        if entry.reverses_id is None
        for key in (entry.external_id, str(entry.pk))
        if key
    }
    others = {(e.day, e.kind, e.amount) for e in ledger if e.source != SOURCE}
    if gates is None:
        leverage = any(row.purpose == CashEntry.Purpose.LEVERAGE for row in rows)
        gates = gates_now(account) if leverage else ()
    planned, problems = [], []
    for row in rows:
        signed = _signed(row)
        known = by_key.get(row.key)
        if known is not None and (known.day, known.kind, known.amount) != (row.day, row.kind, signed):
            text = f"This id is recorded as {known.kind} of {abs(known.amount):,.2f} on {known.day}."
            problems.append(CashProblem(row.line, "external_id", text))
        elif known is None:
            problems += _problems_of(row, gates)
        planned.append(PlannedRow(row, known is None, (row.day, row.kind, signed) in others))
    problems += _overdrawn(ledger, [one for one in planned if one.is_new])
    return CashPlan(tuple(planned), tuple(sorted(problems, key=lambda one: one.line)))


def _problems_of(row: CashRow, gates: tuple[Gate, ...]) -> list[CashProblem]:
    try:
        movement_check(kind=row.kind, amount=row.amount, day=row.day, purpose=row.purpose, gates=gates)
    except RuleError as error:
        return [CashProblem(row.line, _COLUMNS.get(error.field, error.field), error.message)]
    return []


def _overdrawn(ledger: Sequence[CashEntry], fresh: Sequence[PlannedRow]) -> list[CashProblem]:
    """Pools that ledger and file together take more out of than they hold, at the row that does it."""
    found = []
    for pool in POOLS:
        outs = [one for one in fresh if one.row.kind in POOLS[pool] and one.signed < 0]
        if not outs:
            continue
        movements = movements_of(ledger) + [(one.row.day, one.row.kind, one.signed) for one in fresh]
        at = overdrawn(movements, pool, min(one.row.day for one in outs))
        if at is not None:
            last = max((one.row for one in outs if one.row.day <= at), key=lambda row: (row.day, row.line))
            when = "" if last.day == at else f" on {at}, where a later entry used it"
            found.append(CashProblem(last.line, "amount", f"{SHORT[pool]}{when}."))
    return found


def cash_file_check(account: Account, data: bytes) -> tuple[CashPlan, int]:
    """Read a file and hold it against the ledger; returns the plan and how many rows are not in force.

    Raises CashFileError with every problem. Nothing is written.
    """
    if not data:
        raise RuleError("The file is empty.", "file")
    found = read_cash(data)
    plan = cash_plan(account, found.rows)
    problems = sorted((*found.problems, *plan.problems), key=lambda one: one.line)
    if problems:
        raise CashFileError(problems)
    return plan, found.left_out


@transaction.atomic
def cash_import_upload(*, user: User, account: Account, filename: str, data: bytes) -> CashImport:
    """Keep a faultless file to be looked at; the ledger is not touched. Raises CashFileError.

    The same file, still waiting to be recorded, is the import there is.
    """
    account = account_lock(account)
    digest = hashlib.sha256(data).hexdigest()
    waiting = CashImport.objects.filter(account=account, sha256=digest, state=State.STAGED).first()
    if waiting is not None:
        return waiting
    plan, left_out = cash_file_check(account, data)
    name = "".join(c for c in PurePath(filename.replace("\\", "/")).name if c.isprintable())[-160:]
    return CashImport.objects.create(
        account=account, filename=name or "cash.csv", sha256=digest, left_out=left_out, created_by=user,
        rows=[_stored(one.row) for one in plan.rows],
    )  # fmt: skip


def _stored(row: CashRow) -> dict[str, Any]:
    return {
        "line": row.line, "day": str(row.day), "kind": row.kind, "amount": str(row.amount),
        "purpose": row.purpose, "note": row.note, "key": row.key, "back": row.back,
    }  # fmt: skip


def rows_of(batch: CashImport) -> tuple[CashRow, ...]:
    """The rows an import keeps."""
    return tuple(
        CashRow(
            row["line"], date.fromisoformat(row["day"]), row["kind"], Decimal(row["amount"]),
            row["purpose"], row["note"], row["key"], row["back"],
        )
        for row in batch.rows
    )  # fmt: skip


def _lock(batch: CashImport, version: int | None, *states: str) -> CashImport:
    account_lock(batch.account)
    fresh = CashImport.objects.select_for_update(of=("self",)).select_related("account").get(pk=batch.pk)
    if version is not None and fresh.version != version:
        raise ConflictError("This import was changed meanwhile. Reload, then try again.")
    if fresh.state not in states:
        raise RuleError(f"The import is {fresh.get_state_display().lower()}; that cannot be done now.")
    return fresh


@transaction.atomic
def cash_import_commit(*, user: User, batch: CashImport, version: int | None = None) -> CashImport:
    """Record the rows the ledger does not hold, once.

    Raises CashFileError when the ledger moved so that they no longer fit, ConflictError at a stale version.
    """
    batch = _lock(batch, version, State.STAGED)
    gates = gates_now(batch.account)
    plan = cash_plan(batch.account, rows_of(batch), gates)
    if plan.problems:
        raise CashFileError(plan.problems)
    if not plan.new:
        raise RuleError("Every movement of this file is recorded already.")
    _record(user, batch, plan.new, gates)
    batch.state, batch.committed_at = State.COMMITTED, timezone.now()
    batch.recorded = len(plan.new)
    return _finish(user, batch, "cash.import", {"recorded": len(plan.new), "duplicates": plan.duplicates})


def _record(user: User, batch: CashImport, rows: Iterable[PlannedRow], gates: tuple[Gate, ...]) -> None:
    kept = {gate.name: {"value": gate.value, "open": gate.open} for gate in gates}
    CashEntry.objects.bulk_create(
        (
            CashEntry(
                account=batch.account, kind=one.row.kind, amount=one.signed, day=one.row.day,
                purpose=one.row.purpose, note=one.row.note, source=SOURCE, external_id=one.row.key,
                gates=kept if one.row.kind == Kind.ALLOCATE else {}, batch=batch, created_by=user,
            )
            for one in rows
        ),
        batch_size=_BATCH,
    )  # fmt: skip


def _finish(user: User, batch: CashImport, action: str, changes: dict[str, Any]) -> CashImport:
    batch.version += 1
    batch.save()
    audit_record(
        actor=user, action=action, account=batch.account, obj=batch, summary=batch.filename,
        changes={"sha256": batch.sha256, **changes},
    )  # fmt: skip
    return batch


@transaction.atomic
def cash_import_undo(*, user: User, batch: CashImport, version: int | None = None) -> CashImport:
    """Take the import's entries back; what another recorded file says as well stays recorded.

    Raises RuleError when one was corrected by hand, or when later entries used what they brought.
    """
    batch = _lock(batch, version, State.COMMITTED)
    mine = CashEntry.objects.filter(batch=batch)
    if CashEntry.objects.filter(reverses__batch=batch).exists():
        raise RuleError("An entry of this import was corrected by hand; undo would lose the correction.")
    keys, days = set(mine.values_list("external_id", flat=True)), mine.values_list("day", flat=True)
    first = min(days)
    removed = mine.count()
    mine.delete()
    kept = _promote(user, batch, keys)
    rest = movements_of(entries(batch.account))
    for pool in POOLS:
        at = overdrawn(rest, pool, first)
        if at is not None:
            raise RuleError(f"{SHORT[pool]} on {at}: later entries used what this import brought.")
    batch.state, batch.undone_at, batch.recorded = State.UNDONE, timezone.now(), 0
    return _finish(user, batch, "cash.import_undo", {"removed": removed, "kept_by_other_files": kept})


def _promote(user: User, undone: CashImport, keys: set[str]) -> int:
    """Record rows of other recorded files that were duplicates of the undone one's."""
    kept = 0
    others = CashImport.objects.filter(account=undone.account, state=State.COMMITTED).exclude(pk=undone.pk)
    for batch in others.order_by("committed_at"):
        fresh = [one for one in cash_plan(batch.account, rows_of(batch), ()).new if one.row.key in keys]
        _record(user, batch, fresh, ())
        batch.recorded += len(fresh)
        batch.save(update_fields=["recorded"])
        kept += len(fresh)
    return kept


@transaction.atomic
def cash_import_discard(*, batch: CashImport, version: int | None = None) -> None:
    """Discard a file that recorded nothing."""
    _lock(batch, version, State.STAGED, State.UNDONE).delete()


def plan_answer(plan: CashPlan, left_out: int) -> dict[str, Any]:
    """Counts and totals of a plan as plain JSON, money as text."""
    return {
        "new": len(plan.new),
        "duplicates": plan.duplicates,
        "left_out": left_out,
        "alike": plan.alike,
        "totals": [{"kind": kind, "rows": rows, "amount": str(total)} for kind, rows, total in plan.totals],
    }


def import_answer(batch: CashImport) -> dict[str, Any]:
    """An import as plain JSON; ``plan`` holds its rows against the ledger while it waits."""
    plan = cash_plan(batch.account, rows_of(batch)) if batch.state == State.STAGED else None
    return {
        "id": str(batch.pk),
        "account": str(batch.account_id),
        "state": batch.state,
        "filename": batch.filename,
        "sha256": batch.sha256,
        "version": batch.version,
        "rows": len(batch.rows),
        "recorded": batch.recorded,
        "plan": None if plan is None else plan_answer(plan, batch.left_out),
        "problems": [] if plan is None else problems_answer(plan.problems),
    }


def problems_answer(problems: Iterable[CashProblem]) -> list[dict[str, Any]]:
    """Problems as plain JSON."""
    return [{"line": one.line, "column": one.column, "message": one.message} for one in problems]
