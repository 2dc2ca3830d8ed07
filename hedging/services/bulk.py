"""Work on very many plain rows: COPY on PostgreSQL, executemany on SQLite.

Django's bulk_create prepares every value through its field, which is most of the time a bootstrap of the
market history takes. Here values are adapted by their type alone, in the form Django itself would store.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import attrgetter
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
    """Insert rows of values in the order of the field ``names``; serial keys are made by the database.

    Values must be of the columns' exact types (Decimal, date, aware datetime, str, int, bool, UUID, None, the
    text of JSON) and fit them; CHECK and UNIQUE constraints still hold. Runs in the caller's transaction.
    """
    meta: Any = model._meta  # noqa: SLF001 - the documented model API
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(meta.get_field(name).column)) for name in names)
    target = f"{quote(meta.db_table)} ({columns})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Past Django's cursor the driver's own errors would come out.
            with connection.wrap_database_errors, cursor.copy(f"COPY {target} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join("%s" for _ in names)
        insert = f"INSERT INTO {target} VALUES ({marks})"  # noqa: S608 - names come from the model
        values = [[v if (f := _SQLITE.get(type(v))) is None else f(v) for v in row] for row in rows]
        cursor.executemany(insert, values)


def objects_insert(objects: Sequence[models.Model]) -> None:
    """Insert objects of one model that have their keys; as ``rows_insert``, so no signals and no JSON."""
    if not objects:
        return
    model = type(objects[0])
    fields: Any = model._meta.concrete_fields  # noqa: SLF001 - the documented model API
    for field in fields:
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            for one in objects:
                field.pre_save(one, add=True)
    values = attrgetter(*(field.attname for field in fields))
    rows_insert(model, [field.name for field in fields], map(values, objects))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Leave cyclic garbage alone meanwhile; also a decorator.

    For work that holds hundreds of thousands of rows, none part of a cycle: the collector would walk through
    all of them again and again, a quarter of the time of a large import. Counted references still free them.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
