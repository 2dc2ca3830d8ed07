"""Inserting very many plain rows: COPY on PostgreSQL, executemany on SQLite.

Django's bulk_create prepares every value through its field, which is most of the time a bootstrap of the
market history takes. Here values are adapted by their type alone, in the form Django itself would store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models

_SQLITE: dict[type, Callable[[Any], Any]] = {
    Decimal: str,
    date: date.isoformat,
    datetime: lambda moment: str(moment.astimezone(UTC).replace(tzinfo=None)),
    UUID: lambda key: key.hex,
    bool: int,
}


def rows_insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values in the order of the field ``names``; keys are made by the database.

    Values must be of the columns' exact types (Decimal, date, aware datetime, str, int, bool, UUID, None)
    and fit them; CHECK and UNIQUE constraints still hold. Runs in the caller's transaction.
    """
    meta: Any = model._meta  # noqa: SLF001 - the documented model API
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(meta.get_field(name).column)) for name in names)
    target = f"{quote(meta.db_table)} ({columns})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {target} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join("%s" for _ in names)
        insert = f"INSERT INTO {target} VALUES ({marks})"  # noqa: S608 - names come from the model
        values = [[v if (f := _SQLITE.get(type(v))) is None else f(v) for v in row] for row in rows]
        cursor.executemany(insert, values)
