"""Where the money of a file went: lines that add up to what the statement says it moved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hedging.engine.money import to_cents
from journal.importers.rows import BOOKED, RowKind
from journal.models import ImportBatch, ImportRow

ZERO = Decimal(0)
_BATCH = 2_000
_BOOKED = frozenset(kind.value for kind in BOOKED)
#: Lines of the reconciliation, and their names.
LINES = {
    "trades": "Fills, expirations and settlements",
    "cash": "Cash movements",
    "outside": "Not imported: shares and other products",
    "inner": "Within the account: sweeps, daily marks of futures",
    "left_out": "Left out on purpose",
    "error": "Not understood",
}


def batch_lines(batch: ImportBatch, stated: Decimal | None) -> dict[str, Any]:
    """The reconciliation of a batch in plain values.

    ``lines`` with rows, dollars and rows that state no dollars; their ``total``; what the statement says
    (``stated``, None: nothing) and the ``difference``. It does not change when the batch is recorded.
    """
    sums: dict[str, tuple[int, Decimal, int]] = dict.fromkeys(LINES, (0, ZERO, 0))
    rows = batch.rows.order_by().values_list("kind", "status", "cash", "fixed")
    for kind, status, cash, fixed in rows.iterator(_BATCH):
        name = _line(kind, status, cash, fixed=fixed)
        if name:
            count, amount, unknown = sums[name]
            sums[name] = (count + 1, amount + (cash or ZERO), unknown + (cash is None))
    total = sum((amount for _, amount, _ in sums.values()), ZERO)
    return {
        "lines": [
            {
                "line": name,
                "name": LINES[name],
                "rows": count,
                "amount": str(to_cents(amount)),
                "unknown": unknown,
            }
            for name, (count, amount, unknown) in sums.items()
            if count
        ],
        "total": str(to_cents(total)),
        "stated": None if stated is None else str(to_cents(stated)),
        "difference": None if stated is None else str(to_cents(stated) - to_cents(total)),
    }


def _line(kind: str, status: str, cash: Decimal | None, *, fixed: bool) -> str:
    if status == ImportRow.Status.ERROR:
        return "error"
    if kind in _BOOKED:
        return "trades"
    if kind == RowKind.NOTE:
        return "" if not cash else "left_out" if fixed else "inner"
    return {RowKind.CASH.value: "cash", RowKind.OUTSIDE.value: "outside"}.get(kind, "")
