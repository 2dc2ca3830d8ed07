"""From a file to a batch that can be looked at: read, told apart, planned. The ledger is not touched."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from hedging.jobs.engine import job_request
from hedging.jobs.scopes import account_scope
from hedging.services.bulk import rows_insert
from journal.errors import ConflictError, RuleError
from journal.importers.read import read_file
from journal.importers.rows import BOOKED, BrokerFile, RowKind
from journal.importers.text import MAX_BYTES, FileError, is_packed
from journal.job_kinds import IMPORT_READ
from journal.models import Account, ImportBatch, ImportRow, ImportSetting, User
from journal.services.audit import audit_record
from journal.services.book.ledger import account_lock
from journal.services.imports.cash_rows import cash_summary, words_forget, words_learn
from journal.services.imports.plan import plan_summary
from journal.services.imports.rebuild import plan_account
from journal.services.imports.rows import NO_WORDS, is_understood, mended_data, stored_row
from journal.services.imports.totals import batch_lines

#: Files up to here are read while the person waits; larger ones by a worker.
INLINE_BYTES = 400 * 1024
_BATCH = 2_000
_CHUNK = 500
_REFRESHED = 10
#: What a packed file is taken to hold: it must not keep a person waiting.
_UNPACKS = 10
Status = ImportRow.Status
State = ImportBatch.State
#: Statuses that depend on what is recorded in the account.
_OPEN = frozenset({Status.NEW, Status.DUPLICATE, Status.ERROR})
#: Fields of a row that are stored as they were read.
_AS_READ = ("line", "kind", "raw", "message", "field", "word", "cash")


@dataclass(frozen=True, slots=True)
class FileReading:
    """A file read: its rows as they will be stored, or why it cannot be read."""

    parsed: BrokerFile | None
    rows: Sequence[dict[str, Any]]
    zone: str
    encoding: str
    problem: dict[str, Any] | None


@transaction.atomic
def import_upload(
    *,
    user: User,
    account: Account,
    filename: str,
    data: bytes,
    zone: str = "",
    encoding: str = "",
    broker: str = "",
    inline: bool = False,
) -> ImportBatch:
    """Stage a file of the account's broker; nothing is recorded before ``import_commit``.

    Small files are read at once, larger ones by a job unless ``inline``. An unreadable file gives a batch in
    state REFUSED that says why and what to choose. Raises RuleError for an empty or oversized file.
    """
    account = account_lock(account)
    if not data:
        raise RuleError("The file is empty.", "file")
    if len(data) > MAX_BYTES:
        raise RuleError(f"The file is larger than {MAX_BYTES // 2**20} MiB.", "file")
    name = "".join(c for c in PurePath(filename.replace("\\", "/")).name if c.isprintable())[-160:]
    batch = ImportBatch.objects.create(
        account=account, filename=name or "pasted text", sha256=hashlib.sha256(data).hexdigest(),
        size=len(data), content=zlib.compress(data, 1), zone=zone, encoding=encoding, broker=broker,
        created_by=user,
    )  # fmt: skip
    if inline or _inline(data):
        return reading_store(batch, reading_make(batch))
    batch.job_id = _ask_to_read(user, batch)
    batch.save(update_fields=["job_id"])
    return batch


@transaction.atomic
def import_reread(
    *,
    user: User,
    batch: ImportBatch,
    version: int,
    zone: str = "",
    encoding: str = "",
    broker: str = "",
    forget: Sequence[str] = (),
) -> ImportBatch:
    """Read the same file again with other choices; rows mended by hand are read anew as well.

    ``forget`` names cash movements whose answers no longer hold in the account.
    """
    batch = batch_lock(batch, version, State.STAGED, State.REFUSED)
    if forget:
        words_forget(batch.account, batch.broker, forget)
    batch.rows.all().delete()
    batch.zone, batch.encoding, batch.broker = zone, encoding, broker
    batch.state, batch.problem = State.READING, None
    batch.save(update_fields=["zone", "encoding", "broker", "state", "problem"])
    if _inline(zlib.decompress(bytes(batch.content))):
        return reading_store(batch, reading_make(batch))
    batch.job_id = _ask_to_read(user, batch)
    batch.save(update_fields=["job_id"])
    return batch


def _inline(data: bytes) -> bool:
    """Whether a file is read while the person waits."""
    return len(data) * (_UNPACKS if is_packed(data) else 1) <= INLINE_BYTES


def _ask_to_read(user: User, batch: ImportBatch) -> Any:
    job, _ = job_request(
        kind=IMPORT_READ, scope=account_scope(batch.account_id), input_revision=f"{batch.pk}:{batch.version}",
        payload={"batch": str(batch.pk), "file": batch.filename}, requested_by=str(user.public_id),
    )  # fmt: skip
    return job.pk


def batch_lock(batch: ImportBatch, version: int | None, *states: str) -> ImportBatch:
    """Lock a batch and its account; raises ConflictError when it moved on, RuleError in another state."""
    account_lock(batch.account)
    fresh = ImportBatch.objects.select_for_update(of=("self",)).select_related("account").get(pk=batch.pk)
    if version is not None and fresh.version != version:
        raise ConflictError("This import was changed meanwhile. Reload, then try again.")
    if fresh.state not in states:
        raise RuleError(f"The import is {fresh.get_state_display().lower()}; that cannot be done now.")
    return fresh


def reading_make(batch: ImportBatch, tell: Callable[[int, int], None] | None = None) -> FileReading:
    """Read the stored file. No database rows are written; the problem of a bad file is part of the answer."""
    data = zlib.decompress(bytes(batch.content))
    zone, encoding = batch.zone or batch.account.time_zone, batch.encoding
    known = {one.broker: one for one in ImportSetting.objects.filter(account=batch.account)}
    words: Mapping[str, str] = NO_WORDS
    try:
        try:
            parsed = read_file(data, zone=zone, encoding=encoding, broker=batch.broker)
        except FileError as error:
            chosen = [one for one in known.values() if one.encoding]
            if error.ask != "encoding" or encoding or len(chosen) != 1:
                raise
            encoding = chosen[0].encoding  # what was answered the last time, for this broker alone
            parsed = read_file(data, zone=zone, encoding=encoding, broker=chosen[0].broker)
        remembered = known.get(parsed.broker.value)
        if remembered and not batch.zone and remembered.zone != zone:
            zone = remembered.zone
            parsed = read_file(data, zone=zone, encoding=encoding, broker=batch.broker)
    except FileError as error:
        problem = {"message": error.message, "line": error.line, "ask": error.ask}
        return FileReading(None, [], zone, batch.encoding, problem)
    if parsed.broker.value in known:
        words = known[parsed.broker.value].movements
    now = timezone.now()
    rows = []
    for at, row in enumerate(parsed.rows):
        rows.append(stored_row(row, now, words))
        if tell and at % _BATCH == 0:
            tell(at, len(parsed.rows))
    return FileReading(replace(parsed, rows=()), rows, zone, encoding, None)


def reading_store(batch: ImportBatch, reading: FileReading) -> ImportBatch:
    """Keep what was read, tell duplicates apart, and plan. Runs in the caller's transaction."""
    batch.version += 1
    batch.zone, batch.encoding = reading.zone, reading.encoding
    if reading.parsed is None:
        batch.state, batch.problem = State.REFUSED, reading.problem
        batch.save()
        return batch
    parsed = reading.parsed
    told = [(key, row["status"], row["data"]) for key, row in zip(parsed.keys, reading.rows, strict=True)]
    rows_insert(
        ImportRow,
        ("batch", "account", "position", "key", "status", "data", "fixed", *_AS_READ),
        (
            (
                batch.pk, batch.account_id, at, key, status, json.dumps(row["data"]), False,
                *(row[name] for name in _AS_READ),
            )
            for at, (key, status, row) in enumerate(
                zip(parsed.keys, statuses_told(batch.account, told), reading.rows, strict=True)
            )
        ),
    )  # fmt: skip
    batch.state, batch.problem = State.STAGED, None
    batch.broker, batch.layout = parsed.broker.value, parsed.layout
    batch.totals = [
        {
            "name": total.name, "stated": None if total.stated is None else str(total.stated),
            "computed": str(total.computed),
            "difference": None if total.difference is None else str(total.difference),
        }
        for total in parsed.totals
    ]  # fmt: skip
    batch.remarks = list(parsed.remarks)
    ImportSetting.objects.update_or_create(
        account=batch.account, broker=batch.broker, defaults={"zone": batch.zone, "encoding": batch.encoding}
    )
    _plan(batch, parsed.stated)
    batch.save()
    return batch


def statuses_told(account: Account, rows: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[str]:
    """The status of each row, given by key, status and data: what is recorded already is a duplicate.

    So are rows that had to be mended to get there.
    """
    open_keys = [key for key, status, _ in rows if status in _OPEN]
    known = recorded_keys(account, open_keys)
    return [
        status
        if status not in _OPEN
        else Status.DUPLICATE.value
        if key in known
        else Status.NEW.value
        if is_understood(data)
        else Status.ERROR.value
        for key, status, data in rows
    ]


def recorded_keys(account: Account, keys: Sequence[str]) -> set[str]:
    """Which of the keys are recorded in the account, or were left out of a recorded file on purpose."""
    held = ImportRow.objects.filter(
        Q(status__in=(Status.RECORDED, Status.WAITING))
        | Q(fixed=True, kind=RowKind.NOTE.value, batch__state=State.COMMITTED),
        account=account,
    )
    if len(keys) > _BATCH:
        return set(held.values_list("key", flat=True)) & set(keys)
    found: set[str] = set()
    for start in range(0, len(keys), _CHUNK):
        found |= set(held.filter(key__in=keys[start : start + _CHUNK]).values_list("key", flat=True))
    return found


def _plan(batch: ImportBatch, stated: Decimal | None) -> None:
    """Counts and plan of a staged batch, from its stored rows; ``stated`` is what the statement moved."""
    plan = plan_account(batch.account, batch)
    keys = {key for key, row in plan.rows.items() if row.status == Status.NEW}
    batch.plan = {
        **plan_summary(batch.account, plan, keys),
        "cash_movements": cash_summary(batch),
        "reconciliation": batch_lines(batch, stated),
    }
    batch.counts = status_counts(batch)


def status_counts(batch: ImportBatch) -> dict[str, int]:
    """Rows of the batch by status, every status named."""
    counted = batch.rows.order_by().values("status").annotate(n=Count("pk")).values_list("status", "n")
    return {**dict.fromkeys(Status.values, 0), **dict(counted)}


def recorded_refresh(account: Account) -> None:
    """Trades and reviews of the newest recorded batches as they are now, after a merge, split or name."""
    recorded = ImportBatch.objects.filter(account=account, state=State.COMMITTED).order_by("-committed_at")
    batches = list(recorded.defer("content")[:_REFRESHED])
    if not batches:
        return
    plan = plan_account(account)
    for batch in batches:
        held = batch.rows.filter(status__in=(Status.RECORDED, Status.WAITING)).values_list("key", flat=True)
        batch.plan = {**batch.plan, **plan_summary(account, plan, set(held))}
        batch.save(update_fields=["plan"])


def batch_replan(batch: ImportBatch) -> None:
    """Tell duplicates apart again and plan anew, after a change of rows or of what is recorded."""
    rows = list(batch.rows.values_list("pk", "key", "status", "data"))
    changed: dict[str, list[int]] = {}
    told = statuses_told(batch.account, [row[1:] for row in rows])
    for (pk, _, former, _), status in zip(rows, told, strict=True):
        if status != former:
            changed.setdefault(status, []).append(pk)
    for status, pks in changed.items():
        for start in range(0, len(pks), _CHUNK):
            ImportRow.objects.filter(pk__in=pks[start : start + _CHUNK]).update(status=status)
    stated = batch.plan.get("reconciliation", {}).get("stated")
    _plan(batch, None if stated is None else Decimal(stated))
    batch.version += 1
    batch.save(update_fields=["plan", "counts", "version"])


@transaction.atomic
def row_fix(
    *, user: User, batch: ImportBatch, row_id: int, values: Mapping[str, Any], version: int | None = None
) -> ImportRow:
    """Say what a row means that was not understood, or that a cash movement is another. Raises RuleError.

    ``values`` as for import_rows.mended_data, or ``{"kind": "note"}`` to leave the row out on purpose. The
    row keeps its identity, so the same file again is a duplicate. ``remember`` gives the answer to all rows
    of the same name in this file, and in later ones of the account.
    """
    batch = batch_lock(batch, version, State.STAGED)
    row = batch.rows.filter(pk=row_id).first()
    if row is None or not row_is_mendable(row):
        raise RuleError("Only cash movements and rows that were not understood can be corrected.")
    if values["kind"] == RowKind.NOTE:
        _leave_out(row)
    else:
        kind, row.data, cash = mended_data({**values, "note": _words_of(row)}, timezone.now())
        row.kind, row.cash, row.status = kind.value, round(cash, 6), Status.NEW
        row.message = "Mended by hand."
        assert kind in BOOKED or kind is RowKind.CASH
    row.field, row.fixed = "", True
    row.save()
    answer = RowKind.NOTE.value if values["kind"] == RowKind.NOTE else str(values.get("ledger", ""))
    if values.get("remember") and row.word and values["kind"] in (RowKind.CASH, RowKind.NOTE):
        words_learn(batch.account, batch.broker, row.word, answer)
        _same_answer(batch, row.word, answer)
    batch_replan(batch)
    audit_record(
        actor=user, action="import.fix_row", account=batch.account, obj=batch,
        summary=f"{batch.filename}, line {row.line}", changes={"line": row.line, "data": row.data},
    )  # fmt: skip
    return row


def row_is_mendable(row: ImportRow) -> bool:
    """Whether a person may say what the row means: it was not understood, or is a new cash movement."""
    new_cash = row.kind == RowKind.CASH and row.status == Status.NEW
    return row.status == Status.ERROR or new_cash or (row.fixed and row.status in (Status.NEW, Status.OTHER))


def _leave_out(row: ImportRow) -> None:
    row.kind, row.data, row.status = RowKind.NOTE.value, {}, Status.OTHER
    row.message = "Left out on purpose."


def _words_of(row: ImportRow) -> str:
    """The broker's words for a movement, for the note of its entry."""
    return str(row.data.get("note") or row.word or "")


def _same_answer(batch: ImportBatch, word: str, answer: str) -> None:
    """Give an answer to the other rows of that name that wait for one; those it does not fit keep waiting."""
    now = timezone.now()
    for row in batch.rows.filter(word=word, status=Status.ERROR, kind=RowKind.CASH.value):
        if answer == RowKind.NOTE:
            _leave_out(row)
        elif row.cash is None or not row.data.get("day"):
            continue
        else:
            given = {**row.data, "kind": RowKind.CASH, "ledger": answer, "amount": row.cash}
            try:
                _, row.data, _ = mended_data({**given, "day": date.fromisoformat(row.data["day"])}, now)
            except RuleError:
                continue
            row.status, row.message = Status.NEW, "As answered for this name."
        row.field, row.fixed = "", True
        row.save()
