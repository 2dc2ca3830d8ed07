"""Writing an export into an empty login, portion by portion, and reading back what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import Error as DatabaseFailure
from django.db import models, transaction
from django.utils import timezone

from hedging.engine.instruments import parse_symbol
from hedging.models import Contract
from hedging.services.bulk import rows_insert
from hedging.services.snapshots.contracts import contracts_get_or_create
from journal.models import Account, Attachment, Membership, Role, Trade, User
from journal.services.own_data.read import MIB, Archive, TransferError, completed
from journal.services.own_data.tables import (
    KEPT,
    UUID_TEXT,
    KeptTable,
    Row,
    RowsDigest,
    add_links,
    name_own,
    own_fields,
    owned_accounts,
    owned_rows,
    plain_fields,
    plain_row,
    swapped_back,
    symbols_of,
)
from journal.services.review.attachments import safe_name, sniffed, thumbnail_of

_PORTION = 500
#: Characters of rows and bytes of files that are held before they are written.
_HELD = 2 * MIB
#: The number of a row within the id that is made for it.
_BITS = 32
_NAMED = {table.model: table.name for table in KEPT}


class RowIds:
    """Ids of the rows to be written, and their names again.

    Those of a table rise with the rows, so that equal rows keep their order; none has to be kept.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._first = {
            table.name: uuid4().int >> _BITS << _BITS
            for table in KEPT
            if isinstance(table.model._meta.pk, models.UUIDField)  # noqa: SLF001
        }
        self._tables = {first >> _BITS: name for name, first in self._first.items()}
        #: Tables whose ids are named inside texts: those that were read back so far.
        self._known: set[str] = set()

    def row(self, table: KeptTable, number: int) -> UUID | None:
        """The id of a row, numbered from 1; None where the database makes it."""
        first = self._first.get(table.name)
        return None if first is None else UUID(int=first + number - 1)

    def find(self, name: str) -> UUID | None:
        """The id of a named row, None when there is no such row."""
        table, _, number = name.partition(":")
        if table not in self._first or not number.isdecimal() or int(number) >= self._counts[table]:
            return None
        return UUID(int=self._first[table] + int(number))

    def of(self, model: type[models.Model], pk: Any) -> str:
        """The name of a row."""
        return f"{_NAMED[model]}:{pk.int % (1 << _BITS)}"

    def swapped(self, text: str) -> str:
        """The text with names for the ids of the tables that were read back."""

        def name(match: Any) -> str:
            pk = UUID(match[0]).int
            table = self._tables.get(pk >> _BITS)
            return f"@@{table}:{pk % (1 << _BITS)}@@" if table in self._known else match[0]

        return UUID_TEXT.sub(name, text)

    def know(self, table: KeptTable) -> None:
        """From here on name the table's rows inside texts."""
        self._known.add(table.name)


@dataclass(slots=True)
class _Writing:
    archive: Archive
    user: User
    ids: RowIds
    contracts: Mapping[str, int]


def archive_write(
    archive: Archive, user: User, digests: Mapping[str, str], counts: Mapping[str, int], symbols: set[str]
) -> None:
    """Write every row as it was, then read all again and compare the digests.

    ``digests`` and ``counts`` by table and the ``symbols`` of contracts are what a first reading found. Runs
    in the caller's transaction, to be rolled back on TransferError, which names table, row and column.
    """
    ids = RowIds(counts)
    writing = _Writing(archive, user, ids, _contracts(symbols))
    for table in KEPT:
        held, weight = [], 0
        for number, row, length in completed(table, archive.rows(table)):
            item = _object(writing, table, number, row)
            held.append((number, item))
            weight += length + len(getattr(item, "content", b""))
            if len(held) >= _PORTION or weight >= _HELD:
                _insert(table, user, held)
                held, weight = [], 0
        _insert(table, user, held)
        if own_fields(table) or table.model is Trade:
            _link(writing, table)
    for table in KEPT:
        if _read_back(table, user, ids) != digests[table.name]:
            raise TransferError(f"data/{table.name}.json: what was written is not what was read")


def _contracts(symbols: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    left = iter(sorted(symbols))
    while portion := list(islice(left, _PORTION)):
        made = contracts_get_or_create(specs=[parse_symbol(symbol) for symbol in portion])
        found |= {symbol: contract.pk for symbol, contract in made.items()}
    return found


def _object(writing: _Writing, table: KeptTable, number: int, row: Row) -> Any:
    """The row as an object that was checked like input, without what it says of its own table's rows."""
    place, values, own = f"data/{table.name}.json, row {number}", {}, own_fields(table)
    for f in plain_fields(table):
        try:
            values[f.attname] = None if f in own else _value(writing, f, row[f.name])
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, ValidationError) as error:
            raise TransferError(f"{place}, column {f.name}: {_said(error)}") from None
    now = timezone.now()
    for f in table.model._meta.concrete_fields:  # noqa: SLF001
        if getattr(f, "auto_now", False):
            values[f.attname] = now
    item = table.model(pk=writing.ids.row(table, number), **values)
    # An empty list or object is a value, which forms alone take for a missing one.
    unasked = (models.BinaryField, models.JSONField)
    skip = [f.name for f in plain_fields(table) if f.is_relation or isinstance(f, unasked)]
    try:
        item.clean_fields(exclude=[*skip, *table.without, "id"])
    except ValidationError as error:
        column, said = next(iter(error.message_dict.items()))
        raise TransferError(f"{place}, column {column}: {said[0]}") from None
    if isinstance(item, Attachment):
        _check_file(item, place)
    return item


def _value(writing: _Writing, f: Any, value: Any) -> Any:
    if value is None:
        return None
    if f.is_relation:
        return _related(writing, f, value)
    if isinstance(f, models.BinaryField):
        return writing.archive.content(value["file"])
    if isinstance(f, models.JSONField) or f.name == "query":
        return swapped_back(value, writing.ids.find)
    return f.to_python(value)


def _related(writing: _Writing, f: Any, value: Any) -> Any:
    if f.related_model is User:
        return writing.user.pk
    if f.related_model is Contract:
        return writing.contracts[value]
    found = writing.ids.find(value) if value.startswith(f"{_NAMED[f.related_model]}:") else None
    if found is None:
        raise KeyError(value)
    return found


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return str(error.messages[0])
    if isinstance(error, KeyError):
        return f"there is no {str(error.args[0])[:80]} in the file"
    return f"not a value of this column ({error})"


def _check_file(item: Attachment, place: str) -> None:
    """A file is what it says, has a harmless name, and gets its thumbnail from this journal."""
    content = bytes(item.content)
    if sniffed(content) != item.media_type or safe_name(item.name, item.media_type) != item.name:
        raise TransferError(f"{place}, column content: the file is not what the row says")
    if hashlib.sha256(content).hexdigest() != item.sha256 or len(content) != item.size:
        raise TransferError(f"{place}, column sha256: the file is not the one the row names")
    try:
        item.thumbnail = thumbnail_of(content, item.media_type)
    except ValueError as error:
        raise TransferError(f"{place}, column content: {error}") from None


def _insert(table: KeptTable, user: User, held: Sequence[tuple[int, Any]]) -> None:
    """Write a portion. Raises TransferError naming the row that the database refuses."""
    if not held:
        return
    try:
        with transaction.atomic():
            _rows_insert(table, [item for _, item in held])
    except DatabaseFailure:
        for number, item in held:
            try:
                with transaction.atomic():
                    _rows_insert(table, [item])
            except DatabaseFailure as error:
                said = str(error).splitlines()[0]
                raise TransferError(f"data/{table.name}.json, row {number}: {said}") from None
        raise
    if table.model is Account:
        for _, item in held:
            Membership.objects.create(account=item, user=user, role=Role.OWNER)


def _rows_insert(table: KeptTable, items: Sequence[Any]) -> None:
    fields = [
        f
        for f in table.model._meta.concrete_fields  # noqa: SLF001
        if not (f.primary_key and not isinstance(f, models.UUIDField))
    ]
    rows = ([_stored(f, getattr(item, f.attname)) for f in fields] for item in items)
    rows_insert(table.model, [f.name for f in fields], rows)


def _stored(f: Any, value: Any) -> Any:
    if isinstance(f, models.JSONField) and value is not None:
        return json.dumps(value, cls=f.encoder)
    return value


def _link(writing: _Writing, table: KeptTable) -> None:
    """Second reading of a table whose rows name each other."""
    through = Trade.protects.through
    for number, row, _ in completed(table, writing.archive.rows(table)):
        place, pk = f"data/{table.name}.json, row {number}", writing.ids.row(table, number)
        for f in own_fields(table):
            if row[f.name] is not None:
                found = _own(writing, table, row[f.name], f"{place}, column {f.name}")
                with _naming(place):
                    table.model._default_manager.filter(pk=pk).update(**{f.attname: found})  # noqa: SLF001
        if table.model is Trade and row["protects"]:
            if not isinstance(row["protects"], list):
                raise TransferError(f"{place}, column protects: not a list")
            wanted = (_own(writing, table, name, f"{place}, column protects") for name in row["protects"])
            with _naming(place):
                through.objects.bulk_create(
                    (through(from_trade_id=pk, to_trade_id=to) for to in wanted), batch_size=_PORTION
                )


def _own(writing: _Writing, table: KeptTable, name: Any, place: str) -> UUID:
    found = writing.ids.find(name) if isinstance(name, str) and name.startswith(f"{table.name}:") else None
    if found is None:
        raise TransferError(f"{place}: there is no {str(name)[:80]} in the file")
    return found


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Name the place in what the database says."""
    try:
        yield
    except DatabaseFailure as error:
        raise TransferError(f"{place}: {str(error).splitlines()[0]}") from None


def _read_back(table: KeptTable, user: User, ids: RowIds) -> str:
    """The digest of a table as it was written, read in the order of its rows."""
    accounts = list(owned_accounts(user).values_list("pk", flat=True))
    objects = owned_rows(table, user, accounts)
    symbols, found = symbols_of(table, objects), RowsDigest()
    left: Iterator[Any] = objects.order_by("pk").iterator(chunk_size=1 if table.heavy else _PORTION)
    while portion := list(islice(left, 1 if table.heavy else _PORTION)):
        rows = {item.pk: plain_row(table, item, user, ids, symbols, None) for item in portion}
        for item in portion:
            name_own(table, item, rows[item.pk], ids)
        if table.model is Trade:
            add_links(rows, ids)
        for row in rows.values():
            found.add(row)
    ids.know(table)
    return found.value()
