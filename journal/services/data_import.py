"""Reading an export back into an empty login: whole or not at all, proven by its digest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import Error as DatabaseFailure
from django.db import models, transaction
from django.utils import timezone

from hedging.engine.instruments import UnknownSymbolError, parse_symbol
from hedging.models import Contract, Job
from hedging.services.contracts import contracts_get_or_create
from hedging.services.jobs import JobContext, JobError, job_handler, job_request
from journal.models import Account, Attachment, DataTransfer, Membership, Role, SavedView, Trade, User
from journal.services.attachments import safe_name, sniffed, thumbnail_of
from journal.services.audit import audit_record
from journal.services.data_export import user_of_scope, user_scope
from journal.services.errors import RuleError
from journal.services.ledger import account_revalue
from journal.services.portable import (
    KEPT,
    VERSION,
    Portable,
    Table,
    collect,
    owned_accounts,
    plain_default,
    plain_fields,
    swapped_back,
)

IMPORT = "journal.data_import"
_MIB = 1024 * 1024
MAX_UPLOAD = 200 * _MIB
#: Most bytes that are read, unpacked, by the start of their names: rows grow several times over when read.
MAX_UNPACKED = {"manifest.json": _MIB, "data/": 96 * _MIB, "files/": 200 * _MIB}


class TransferError(ValueError):
    """The file cannot be read; the message names the place."""


@transaction.atomic
def import_request(*, user: User, name: str, content: bytes) -> Job:
    """Ask for a file to be read in; it replaces one that waited before. Raises RuleError.

    The login must own no account and no saved view: nothing is ever mixed or overwritten.
    """
    if len(content) > MAX_UPLOAD:
        raise RuleError(f"The file is larger than {MAX_UPLOAD // _MIB} MiB.", "file")
    _check_empty(user)
    try:
        _manifest(content)
    except TransferError as error:
        raise RuleError(str(error), "file") from None
    digest = hashlib.sha256(content).hexdigest()
    DataTransfer.objects.filter(user=user, kind=DataTransfer.Kind.IMPORT).delete()  # earlier attempts
    row = DataTransfer.objects.create(
        user=user, kind=DataTransfer.Kind.IMPORT, filename=name[-120:], content=content, size=len(content),
        sha256=digest,
    )  # fmt: skip
    job, made = job_request(
        kind=IMPORT, scope=user_scope(user), as_of=str(row.pk), input_revision=digest,
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


@job_handler(IMPORT, lease_seconds=60)
def data_import(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Check the file, then write all of it in the transaction that ends the job."""
    user = user_of_scope(context.job.scope)
    row = DataTransfer.objects.filter(pk=context.job.payload["transfer"], user=user).first()
    if row is None:
        raise JobError("The file is gone.")
    try:
        _check_empty(user)
        context.progress(1, 4, "reading the file")
        found = read_zip(bytes(row.content))
        digests, told = found.digests(), {"digest": found.digest(), "counts": found.counts()}
        context.progress(2, 4, "checking the rows")
        plan = _plan(found, user)
    except (TransferError, RuleError) as error:
        raise JobError(str(error)) from None
    context.progress(3, 4, "writing")

    def write() -> dict[str, Any]:
        try:
            with transaction.atomic():
                _write(plan, user, digests)
        except (TransferError, ValidationError, DatabaseFailure) as error:
            raise JobError(f"Nothing was read in: {error}") from None
        DataTransfer.objects.filter(pk=row.pk).update(**told, content=b"", size=row.size)
        return told

    return write


def _archive(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, OSError, ValueError):
        raise TransferError("The file is not a zip archive.") from None
    for start, most in MAX_UNPACKED.items():
        if sum(entry.file_size for entry in archive.infolist() if entry.filename.startswith(start)) > most:
            raise TransferError(f"{start} of the archive unpacks to more than {most // _MIB} MiB.")
    return archive


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        raise TransferError(f"{name} is missing.") from None
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        raise TransferError(f"{name} is damaged.") from None


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    content = _read(archive, name)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise TransferError(f"{name} is not JSON.") from None


def _manifest(content: bytes) -> dict[str, Any]:
    with _archive(content) as archive:
        manifest = _json(archive, "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("product") != "ALVH Journal":
        raise TransferError("The archive is no export of ALVH Journal.")
    if manifest.get("version") != VERSION:
        raise TransferError(
            f"The export has version {manifest.get('version')}; this journal reads {VERSION}."
        )
    return manifest


def read_zip(content: bytes) -> Portable:
    """Read an export and compare every digest. Raises TransferError naming the damaged part.

    An export of an older version lacks later tables and columns: they get what the journal itself gave to
    rows of that time.
    """
    manifest, found = _manifest(content), Portable()
    with _archive(content) as archive:
        named = manifest.get("digests", {})
        for table in KEPT:
            if table.name not in named and f"data/{table.name}.json" not in archive.namelist():
                continue  # the table came later
            rows = _json(archive, f"data/{table.name}.json")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise TransferError(f"data/{table.name}.json is no list of rows.")
            found.rows[table.name] = rows
        for name in archive.namelist():
            digest = name.removeprefix("files/")
            if name.startswith("files/") and digest:
                found.files[digest] = _read(archive, name)
                if hashlib.sha256(found.files[digest]).hexdigest() != digest:
                    raise TransferError(f"{name} does not have the content its name says.")
    for name, digest in found.digests().items():
        if named.get(name) != digest:
            raise TransferError(f"data/{name}.json is not as it was exported.")
    for table in KEPT:
        _complete(table, found.rows.setdefault(table.name, []))
    return found


def _complete(table: Table, rows: list[dict[str, Any]]) -> None:
    """Give later columns their defaults. Raises TransferError for a column that has none or is unknown.

    The same value in every row leaves their order, and with it the names of rows, as they were.
    """
    fields = {f.name: f for f in plain_fields(table)}
    known = fields.keys() | ({"protects"} if table.model is Trade else set())
    for number, row in enumerate(rows):
        place = f"data/{table.name}.json, row {number + 1}"
        for name in sorted(row.keys() - known):
            raise TransferError(f"{place}: this journal has no column {name}; a newer one wrote the export.")
        for name in sorted(known - row.keys()):
            f = fields.get(name)
            if f is None or not (f.has_default() or f.null):
                raise TransferError(f"{place}: the column {name} is missing.")
            row[name] = plain_default(f)


#: Tables in order with their objects and, of trades, the names of what each protects; and objects by name.
Plan = tuple[list[tuple[Table, list[tuple[Any, list[str]]]]], Mapping[str, Any]]


def _plan(found: Portable, user: User) -> Plan:
    """Make every object without writing; raises TransferError naming table and row.

    The rows of ``found`` are let go as their objects are made: both of a long history would be too much.
    """
    ids = {
        f"{table.name}:{number}": uuid4() if isinstance(table.model._meta.pk, models.UUIDField) else None  # noqa: SLF001
        for table in KEPT
        for number in range(len(found.rows[table.name]))
    }
    contracts = _contracts(found)
    plan: list[tuple[Table, list[tuple[Any, list[str]]]]] = []
    for table in KEPT:
        made = []
        for number, row in enumerate(found.rows.pop(table.name)):
            try:
                item = _object(table, row, ids[f"{table.name}:{number}"], ids, contracts, user, found.files)
            except (KeyError, TypeError, ValueError, ValidationError) as error:
                raise TransferError(f"data/{table.name}.json, row {number + 1}: {error}") from None
            made.append((item, row.get("protects", [])))
        plan.append((table, made))
    return plan, ids


def _contracts(found: Portable) -> dict[str, Contract]:
    symbols = {
        row["contract"]
        for rows in found.rows.values()
        for row in rows
        if isinstance(row.get("contract"), str)
    }
    try:
        return contracts_get_or_create(specs=[parse_symbol(symbol) for symbol in sorted(symbols)])
    except UnknownSymbolError as error:
        raise TransferError(str(error)) from None


def _object(
    table: Table, row: Mapping[str, Any], pk: UUID | None, ids: Mapping[str, Any],
    contracts: Mapping[str, Contract], user: User, files: Mapping[str, bytes],
) -> Any:  # fmt: skip
    values: dict[str, Any] = {}
    for f in plain_fields(table):
        value = row[f.name]
        if value is None:
            values[f.attname] = None
        elif f.is_relation:
            values[f.attname] = _related(f, value, ids, contracts, user)
        elif isinstance(f, models.BinaryField):
            values[f.attname] = files[value["file"]]
        elif isinstance(f, models.JSONField) or f.name == "query":
            values[f.attname] = swapped_back(value, ids)
        else:
            values[f.attname] = f.to_python(value)
    now = timezone.now()
    for f in table.model._meta.concrete_fields:  # noqa: SLF001
        if getattr(f, "auto_now", False):
            values[f.attname] = now
    item = table.model(pk=pk, **values)
    # An empty list or object is a value, which forms alone take for a missing one.
    unasked = (models.BinaryField, models.JSONField)
    skip = [f.name for f in plain_fields(table) if f.is_relation or isinstance(f, unasked)]
    item.clean_fields(exclude=[*skip, *table.without, "id"])
    if isinstance(item, Attachment):
        _check_file(item)
    return item


def _related(
    f: Any, value: str, ids: Mapping[str, Any], contracts: Mapping[str, Contract], user: User
) -> Any:
    if f.related_model is User:
        return user.pk
    if f.related_model is Contract:
        return contracts[value].pk
    return ids[value]


def _check_file(item: Attachment) -> None:
    """A file is what it says, has a harmless name, and gets its thumbnail from this journal."""
    content = bytes(item.content)
    if sniffed(content) != item.media_type or safe_name(item.name, item.media_type) != item.name:
        raise ValueError("the file is not what the row says")
    if hashlib.sha256(content).hexdigest() != item.sha256 or len(content) != item.size:
        raise ValueError("the file is not the one the row names")
    item.thumbnail = thumbnail_of(content, item.media_type)


def _write(plan: Plan, user: User, digests: Mapping[str, str]) -> None:
    """Write every row as it was; then read it all again and compare the digests."""
    tables, ids = plan
    while tables:
        table, made = tables.pop(0)
        later = [f for f in plain_fields(table) if f.is_relation and f.related_model is table.model]
        waiting = {
            item.pk: {f.attname: getattr(item, f.attname) for f in later if getattr(item, f.attname)}
            for item, _ in made
        }
        for item, _ in made:
            for f in later:
                setattr(item, f.attname, None)
            item.save_base(raw=True, force_insert=True)
        for pk, values in waiting.items():
            if values:
                table.model._default_manager.filter(pk=pk).update(**values)  # noqa: SLF001
        if table.model is Account:
            for item, _ in made:
                Membership.objects.create(account=item, user=user, role=Role.OWNER)
        if table.model is Trade:
            through = Trade.protects.through
            through.objects.bulk_create(
                through(from_trade_id=item.pk, to_trade_id=ids[name])
                for item, protected in made
                for name in protected
            )
    for account in owned_accounts(user):
        audit_record(actor=user, action="data.import", account=account, obj=account, summary=account.name)
        account_revalue(account=account, requested_by=str(user.public_id))
    if collect(user).digests() != digests:
        raise TransferError("what was written is not what was read")
