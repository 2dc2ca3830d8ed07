"""Rows in bulk between NumPy and the database: binary COPY on PostgreSQL, plain statements on SQLite.

Columns are fixed-width (uuid, integers, booleans, dates), so a row is a record of a structured array and no
value passes through Python. Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_EPOCH = date(2000, 1, 1).toordinal()
#: Wire format of each column kind.
_WIRE = {"uuid": "V16", "int8": ">i8", "int4": ">i4", "bool": ">i1", "date": ">i4"}


class CopyColumn(NamedTuple):
    """One column: name, kind (uuid, int8, int4, bool, date as ordinals), values, and where they are null."""

    name: str
    kind: str
    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None


@contextmanager
def one_server_process() -> Iterator[None]:
    """Reads inside keep to one process of the database: job workers already use every core.

    A transaction, so keep writes that others wait for outside.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        yield


def read_rows(sql: str, parameters: Sequence[Any], kinds: Sequence[str]) -> list[NDArray[Any]]:
    """Columns of a query whose columns are never null, in the order of ``kinds`` (uuid or int8)."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(sql, list(parameters))
            rows = cursor.fetchall()
        return [
            _uuids([row[i] for row in rows])
            if kind == "uuid"
            else np.array([int(row[i]) for row in rows], np.int64)
            for i, kind in enumerate(kinds)
        ]
    dtype = _record(kinds)
    connection.ensure_connection()
    raw: Any = connection.connection
    with raw.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", parameters) as copy:
        data = b"".join(bytes(part) for part in copy)
    body = data[len(_HEADER) : -2]
    found = np.frombuffer(body, dtype)
    return [
        found[f"v{i}"].copy() if kind == "uuid" else found[f"v{i}"].astype(np.int64)
        for i, kind in enumerate(kinds)
    ]


def write_rows(table: str, columns: Sequence[CopyColumn]) -> int:
    """Append rows to a table; returns how many. Runs in the caller's transaction."""
    count = len(columns[0].values)
    if not count:
        return 0
    if connection.vendor != "postgresql":
        return _insert(table, columns, count)
    names = ", ".join(f'"{column.name}"' for column in columns)
    patterns = np.zeros(count, np.int64)
    for bit, column in enumerate(columns):
        if column.null is not None:
            patterns |= column.null.astype(np.int64) << bit
    raw: Any = connection.connection
    statement = f'COPY "{table}" ({names}) FROM STDIN (FORMAT BINARY)'
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        for pattern in np.unique(patterns):
            copy.write(_packed(columns, np.flatnonzero(patterns == pattern)))
        copy.write(b"\xff\xff")
    return count


def _record(kinds: Sequence[str | None]) -> np.dtype[np.void]:
    """One row on the wire; None is a null of which only the length (-1) is sent."""
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for i, kind in enumerate(kinds):
        fields.append((f"n{i}", ">i4"))
        if kind is not None:
            fields.append((f"v{i}", _WIRE[kind]))
    return np.dtype(fields)


def _packed(columns: Sequence[CopyColumn], at: NDArray[np.int64]) -> bytes:
    """Rows that share one pattern of nulls."""
    kinds = [None if column.null is not None and column.null[at[0]] else column.kind for column in columns]
    dtype = _record(kinds)
    rows = np.zeros(len(at), dtype)
    rows["count"] = len(columns)
    for i, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        if kind is None:
            rows[f"n{i}"] = -1
            continue
        rows[f"n{i}"] = dtype[f"v{i}"].itemsize
        values = column.values[at]
        rows[f"v{i}"] = values - _EPOCH if kind == "date" else values
    return rows.tobytes()


def _insert(table: str, columns: Sequence[CopyColumn], count: int) -> int:
    lists = [_python(column) for column in columns]
    names = ", ".join(f'"{column.name}"' for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608 - names of our own columns
            list(zip(*lists, strict=True)),
        )
    return count


def _python(column: CopyColumn) -> list[Any]:
    """Values as SQLite keeps them: uuids as hex, dates as text."""
    if column.kind == "uuid":
        values: list[Any] = [bytes(value).hex() for value in column.values]
    elif column.kind == "date":
        values = [date.fromordinal(max(int(value), 1)).isoformat() for value in column.values]
    else:
        values = column.values.tolist()
    if column.null is None:
        return values
    return [None if null else value for value, null in zip(values, column.null, strict=True)]


def _uuids(values: Sequence[Any]) -> NDArray[np.void]:
    return np.array([bytes.fromhex(str(value).replace("-", "")) for value in values], "V16")
