"""Writing legs' days in bulk, for one account's history and for one session of many accounts alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedging.engine.results.effects import EFFECTS
from hedging.maths.arrays import Ints
from journal.bulk_rows import CopyColumn, write_rows
from journal.models import DailyMark
from journal.services.attribution.days import BookRows, market_value


def write_marks(
    book: BookRows, at: Ints, *, accounts: NDArray[np.void], contract_ids: Ints, mark_ids: Ints
) -> int:
    """Append the rows ``at`` of the book; returns how many.

    ``accounts`` are raw ids by the book's account index; ``mark_ids`` is -1 where a mark is not stored (a
    settlement somebody typed in).
    """
    rows, leg = book.taylor, book.taylor.leg[at]
    ordinals = np.array([day.toordinal() for day in book.days], np.int64)
    since = rows.since[at]
    mark, base = (_ids(mark_ids, column[at]) for column in (rows.mark, rows.base))
    columns = [
        CopyColumn("account_id", "uuid", accounts[book.legs.account[leg]]),
        CopyColumn("trade_id", "uuid", book.legs.trade[leg]),
        CopyColumn("contract_id", "int8", contract_ids[book.legs.contract[leg]]),
        CopyColumn("mark_id", "int8", mark, mark < 0),
        CopyColumn("base_id", "int8", base, base < 0),
        CopyColumn("day", "date", ordinals[rows.day[at]]),
        CopyColumn("since", "date", ordinals[np.maximum(since, 0)], since < 0),
        CopyColumn("quantity", "int4", rows.quantity[at]),
        CopyColumn("held", "int4", rows.held[at]),
        CopyColumn("known", "bool", rows.known[at]),
        CopyColumn("value", "int8", market_value(book)[at]),
        CopyColumn("pnl", "int8", rows.pnl[at]),
        *(CopyColumn(name, "int8", rows.cents[number, at]) for number, name in enumerate(EFFECTS)),
    ]
    table: Any = DailyMark._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
    return write_rows(table, columns)


def _ids(ids: Ints, rows: Ints) -> Ints:
    found = ids[np.maximum(rows, 0)] if len(ids) else np.zeros(len(rows), np.int64)
    return np.where(rows >= 0, found, -1)
