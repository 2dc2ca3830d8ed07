"""Reading an export back into an empty login: whole or not at all, proven by its digest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import transaction

from hedging.engine.instruments import UnknownSymbolError, parse_symbol
from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import user_scope
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import DATA_IMPORT
from journal.models import DataTransfer, SavedView, User
from journal.selectors.jobs import user_of_job
from journal.services.audit import audit_record
from journal.services.book.ledger import account_revalue
from journal.services.own_data.read import MIB, Archive, TransferError, completed, spooled
from journal.services.own_data.tables import (
    KEPT,
    KeptTable,
    Row,
    RowsDigest,
    canonical,
    digest_of,
    own_fields,
    owned_accounts,
)
from journal.services.own_data.write import archive_write

MAX_UPLOAD = 200 * MIB


@transaction.atomic
def import_request(*, user: User, name: str, content: bytes) -> Job:
    """Ask for a file to be read in; it replaces one that waited before. Raises RuleError.

    The login must own no account and no saved view: nothing is ever mixed or overwritten.
    """
    if len(content) > MAX_UPLOAD:
        raise RuleError(f"The file is larger than {MAX_UPLOAD // MIB} MiB.", "file")
    _check_empty(user)
    try:
        Archive(io.BytesIO(content))
    except TransferError as error:
        raise RuleError(str(error), "file") from None
    digest = hashlib.sha256(content).hexdigest()
    DataTransfer.objects.filter(user=user, kind=DataTransfer.Kind.IMPORT).delete()  # earlier attempts
    row = DataTransfer.objects.create(
        user=user, kind=DataTransfer.Kind.IMPORT, filename=name[-120:], content=content, size=len(content),
        sha256=digest,
    )  # fmt: skip
    job, made = job_request(
        kind=DATA_IMPORT, scope=user_scope(user.public_id), as_of=str(row.pk), input_revision=digest,
        requested_by=str(user.public_id), payload={"transfer": str(row.pk)}, max_attempts=1,
    )  # fmt: skip
    if made:
        audit_record(actor=user, action="data.import", obj=user, summary=name[:80])
    return job


def _check_empty(user: User) -> None:
    if owned_accounts(user).exists() or SavedView.objects.for_user(user).exists():
        raise RuleError(
            "Data are read into an empty login only: one without accounts and saved views.", "file"
        )


@job_handler(DATA_IMPORT)
def data_import(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Check the file, then write all of it in the transaction that ends the job."""
    user = user_of_job(context.job)
    row = DataTransfer.objects.defer("content").filter(pk=context.job.payload["transfer"], user=user).first()
    if row is None:
        raise JobError("The file was deleted.")
    file = spooled(row)
    try:
        _check_empty(user)
        archive = Archive(file)
        found = _survey(archive, context)
    except (TransferError, RuleError) as error:
        raise JobError(str(error)) from None
    context.progress(len(KEPT) + 2, len(KEPT) + 2, "writing")

    def write() -> dict[str, Any]:
        try:
            with file, transaction.atomic():
                archive_write(archive, user, found.digests, found.counts, found.symbols)
                _finish(user)
        except (TransferError, DatabaseFailure) as error:
            raise JobError(f"Nothing was read in: {error}") from None
        DataTransfer.objects.filter(pk=row.pk).update(**found.told, content=b"")
        return found.told

    return write


def _finish(user: User) -> None:
    for account in owned_accounts(user):
        audit_record(actor=user, action="data.import", account=account, obj=account, summary=account.name)
        account_revalue(account=account, requested_by=str(user.public_id))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a first reading of an export found: digests and counts of its tables, symbols of its contracts."""

    digests: dict[str, str]
    counts: dict[str, int]
    symbols: set[str]

    @property
    def told(self) -> dict[str, Any]:
        return {"digest": digest_of(dict(sorted(self.digests.items()))), "counts": self.counts}


def _survey(archive: Archive, context: JobContext) -> _Found:
    """Read everything once and compare every digest. Raises TransferError naming the damaged part.

    An export of an older version lacks later tables and columns: they get what the journal itself gave to
    rows of that time.
    """
    found = _Found({}, {}, set())
    for at, table in enumerate(KEPT, start=1):
        context.progress(at, len(KEPT) + 2, f"reading {table.name.replace('_', ' ')}")
        as_sent, as_kept, last = RowsDigest(), RowsDigest(), ""
        for number, row, _ in completed(table, _hashed(table, archive.rows(table), as_sent)):
            context.check()
            as_kept.add(row)
            last = _in_order(table, number, row, last)
            _symbols(table, number, row, found.symbols)
        if archive.has(table) and archive.digests.get(table.name) != as_sent.value():
            raise TransferError(f"data/{table.name}.json is not as it was exported.")
        found.digests[table.name], found.counts[table.name] = as_kept.value(), as_kept.count
    context.progress(len(KEPT) + 1, len(KEPT) + 2, "reading files")
    archive.check_files()
    return found


def _hashed(
    table: KeptTable, rows: Iterable[tuple[Row, int]], digest: RowsDigest
) -> Iterator[tuple[Row, int]]:
    for row, length in rows:
        try:
            digest.add(row)
        except UnicodeEncodeError:
            place = f"data/{table.name}.json, row {digest.count + 1}"
            raise TransferError(f"{place} holds text that is no Unicode.") from None
        yield row, length


def _in_order(table: KeptTable, number: int, row: Row, last: str) -> str:
    """The text by which rows are sorted, checked against that of the row before: names depend on it."""
    apart = {f.name: None for f in own_fields(table)}
    text = canonical({name: value for name, value in (row | apart).items() if name != "protects"})
    if text < last:
        raise TransferError(f"data/{table.name}.json, row {number} is not in the order of an export.")
    return text


def _symbols(table: KeptTable, number: int, row: Row, known: set[str]) -> None:
    symbol = row.get("contract")
    if isinstance(symbol, str) and symbol not in known:
        try:
            parse_symbol(symbol)
        except UnknownSymbolError as error:
            raise TransferError(f"data/{table.name}.json, row {number}, column contract: {error}") from None
        known.add(symbol)
