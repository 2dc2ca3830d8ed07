"""The firm's picture: the stored figures of all accounts, or the same summed over those chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np

from hedging.engine.pricing.firm import FIRM_SPOT, FIRM_VIX
from hedging.maths.arrays import Floats
from journal.models import Account, RiskRow, RiskSheet
from journal.selectors.overview import heat_step
from journal.selectors.risk.console import ConsoleFilters, console_rows

_SHAPE = (len(FIRM_SPOT), len(FIRM_VIX))
#: Rows of the exposure table: the most sold strikes.
_MOST_STRIKES = 40
_NEAR_PCT = 2.0
_MOST_LOSERS = 50


@dataclass(frozen=True, slots=True)
class GridCell:
    """P&L in dollars of a cell, the css step of its size, and its place in the grid."""

    pnl: float
    css: str
    spot: int
    vix: int


@dataclass(frozen=True, slots=True)
class GridRow:
    """One SPX move in percent with its cells."""

    spot: float
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True)
class Mover:
    """An account that moved, in dollars, and why: (reason, dollars), largest first."""

    account: Account
    pnl: float
    day: str | None
    why: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Strike:
    """Net contracts of one strike and expiry; ``pin`` when SPX is within 2% and few sessions are left."""

    expiry: date
    strike: float
    net: int
    accounts: int
    distance: float
    pin: bool


@dataclass(frozen=True, slots=True)
class FirmPage:
    """Everything of the page; ``narrowed`` when the grid is of chosen accounts alone."""

    vix: tuple[float, ...]
    rows: tuple[GridRow, ...]
    gross: bool
    accounts: int
    unknown: int
    narrowed: bool
    figures: dict[str, Any]
    movers: tuple[Mover, ...]
    strikes: tuple[Strike, ...]
    worst: GridCell


def firm_page(sheet: RiskSheet, filters: ConsoleFilters, *, gross: bool) -> FirmPage:
    """The page of a sheet; group, breach and text narrow the grid."""
    narrowed = bool(filters.text or filters.group or filters.breach or filters.measure)
    figures = sheet.figures
    if narrowed:
        grid, accounts, unknown = _summed(sheet, filters, gross=gross)
    else:
        grid = np.array(figures["gross" if gross else "net"], dtype=np.float64)
        accounts, unknown = sheet.accounts, figures["unknown_accounts"]
    rows = _grid_rows(grid)
    worst = min((cell for row in rows for cell in row.cells), key=lambda cell: cell.pnl)
    return FirmPage(
        FIRM_VIX, rows, gross, accounts, unknown, narrowed, figures, _movers(figures["movers"]),
        _strikes(figures["exposure"], sheet.day), worst,
    )  # fmt: skip


def _summed(sheet: RiskSheet, filters: ConsoleFilters, *, gross: bool) -> tuple[Floats, int, int]:
    total, accounts, unknown = np.zeros(_SHAPE), 0, 0
    rows = console_rows(sheet, filters).order_by().values_list("grid", "unknown_legs")
    for packed, missing in rows.iterator(1000):
        one = grid_of(packed)
        total += np.minimum(one, 0) if gross else one
        accounts, unknown = accounts + 1, unknown + bool(missing)
    return total, accounts, unknown


def grid_of(packed: bytes | memoryview) -> Floats:
    """The stored grid of a row, dollars, FIRM_SPOT × FIRM_VIX."""
    return np.frombuffer(bytes(packed), "<f4").astype(np.float64).reshape(_SHAPE)


def _grid_rows(grid: Floats) -> tuple[GridRow, ...]:
    scale = max(float(np.abs(grid).max()), 1.0)
    return tuple(
        GridRow(
            move * 100,
            tuple(GridCell(float(pnl), heat_step(float(pnl), scale), i, j) for j, pnl in enumerate(grid[i])),
        )
        for i, move in enumerate(FIRM_SPOT)
    )


def _movers(stored: list[dict[str, Any]]) -> tuple[Mover, ...]:
    accounts = Account.objects.in_bulk([UUID(one["account"]) for one in stored])
    found = []
    for one in stored:
        account = accounts.get(UUID(one["account"]))
        if account is not None:
            why = [pair for pair in one["why"].items() if abs(pair[1]) >= 0.5]
            why.sort(key=lambda pair: -abs(pair[1]))
            found.append(Mover(account, one["pnl"], one["day"], tuple(why)))
    return tuple(found)


def _strikes(stored: list[dict[str, Any]], day: date) -> tuple[Strike, ...]:
    most = sorted(stored, key=lambda one: one["net"])[:_MOST_STRIKES]
    found = []
    for one in (one for one in most if one["net"] < 0):
        expiry = date.fromisoformat(one["expiry"])
        near = abs(one["distance_pct"]) <= _NEAR_PCT and (expiry - day).days <= 5
        found.append(Strike(expiry, one["strike"], one["net"], one["accounts"], one["distance_pct"], near))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class CellRow:
    """One account in a cell of the grid, dollars."""

    row: RiskRow
    pnl: float


@dataclass(frozen=True, slots=True)
class FirmCell:
    """A cell of the grid: its shock, the sum, and the accounts that lose most."""

    spot: float
    vix: float
    total: float
    rows: tuple[CellRow, ...]
    accounts: int


def cell_of(sheet: RiskSheet, filters: ConsoleFilters, spot: int, vix: int) -> FirmCell | None:
    """Who loses what in a cell, largest loss first; None outside the grid."""
    if spot >= _SHAPE[0] or vix >= _SHAPE[1]:
        return None
    rows = list(console_rows(sheet, filters).order_by("pk").values_list("pk", "grid"))
    pnl = np.array([grid_of(packed)[spot, vix] for _, packed in rows])
    order = np.argsort(pnl, kind="stable")[:_MOST_LOSERS]
    full = RiskRow.objects.select_related("account").defer("grid").in_bulk([rows[i][0] for i in order])
    found = tuple(CellRow(full[rows[i][0]], float(pnl[i])) for i in order)
    return FirmCell(FIRM_SPOT[spot] * 100, FIRM_VIX[vix], float(pnl.sum()), found, len(rows))
