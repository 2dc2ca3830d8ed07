"""The what-if page: two selections of open trades under joint SPX × VIX shocks, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing.scenarios import (
    GRID_SPOT,
    GRID_VIX,
    PATH_SPOT,
    Shock,
    ShockRules,
    beta,
    path_vix,
    shock_pnl,
)
from hedging.maths.arrays import Floats
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.models import Account, Trade
from journal.selectors.book.trades import book_build
from journal.selectors.overview import heat_step

#: Moves that happened, close to close (Cboe index history): name, SPX fraction, VIX points.
HISTORY = (
    ("5 February 2018", -0.0410, 20.01),
    ("8 August 2011", -0.0666, 16.00),
    ("15 October 2008", -0.0903, 14.12),
    ("16 March 2020", -0.1198, 24.86),
)
SHOWN = {"a": "A", "b": "B", "difference": "A less B"}
SHOWN_AT_FIRST = {"a": "A: everything", "b": "B: condors alone", "difference": "A less B: the hedge"}


@dataclass(frozen=True, slots=True)
class WhatIfTrade:
    """An open trade to pick: its name, whether A and B hold it, days to its nearest expiry."""

    trade: Trade
    in_a: bool
    in_b: bool
    days: int | None


@dataclass(frozen=True, slots=True)
class ShockCell:
    """P&L in dollars of one shock, its css step, and the key that opens it."""

    pnl: float
    css: str
    key: str


@dataclass(frozen=True, slots=True)
class ShockPreset:
    """A named shock with the P&L of both selections, in dollars."""

    name: str
    shock: Shock
    a: float
    b: float
    key: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one trade adds in the opened cell, in dollars, for A and for B (None: not in it)."""

    trade: Trade
    a: float | None
    b: float | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A cell taken apart."""

    shock: Shock
    rows: tuple[Contribution, ...]
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Everything the page shows. ``unknown`` counts legs left out because they have no price."""

    as_of: datetime
    flags: tuple[str, ...]
    vix: float | None
    spot: float | None
    columns: tuple[float, ...]
    rows: tuple[tuple[float, tuple[ShockCell, ...]], ...]
    presets: tuple[ShockPreset, ...]
    path: dict[str, Any]
    path_table: dict[str, Any]
    opened: Opened | None
    unknown: int
    front_beta: float


def what_if_trades(
    account: Account, today: date, a: Sequence[str] | None, b: Sequence[str] | None
) -> list[WhatIfTrade]:
    """Open trades of the account; by default A holds all of them and B the condors alone."""
    trades = Trade.objects.filter(account=account, status=Trade.Status.OPEN).order_by(
        "kind", "layer", "nearest_expiry", "pk"
    )
    return [
        WhatIfTrade(
            trade,
            a is None or str(trade.pk) in a,
            trade.kind == Trade.Kind.CONDOR if b is None else str(trade.pk) in b,
            (trade.nearest_expiry - today).days if trade.nearest_expiry else None,
        )
        for trade in trades
    ]


def what_if(
    account: Account, trades: Sequence[WhatIfTrade], *, days: int, show: str, opened: Shock | None = None
) -> WhatIf | None:
    """Reprice both selections ``days`` calendar days from the snapshot; None without a market."""
    row = snapshot_for(simulated=account.is_demo)
    if row is None:
        return None
    market = snapshot_load(row)
    rules = ShockRules()
    grid = [Shock(s, v) for s in GRID_SPOT for v in GRID_VIX]
    named = _named(market)
    path = [Shock(s, path_vix(s)) for s in PATH_SPOT]
    shocks = [*grid, *(shock for _, shock in named), *path, *([opened] if opened else [])]
    book = {trade.trade_id: trade for trade in book_build(account).trades}
    picked = [pick for pick in trades if (pick.in_a or pick.in_b) and str(pick.trade.pk) in book]
    pnl, unknown = shock_pnl([book[str(p.trade.pk)] for p in picked], market, shocks, rules, float(days))
    a = pnl[[p.in_a for p in picked]].sum(axis=0)
    b = pnl[[p.in_b for p in picked]].sum(axis=0)
    shown = {"a": a, "b": b}.get(show, a - b)
    first_path = len(grid) + len(named)
    of_path = slice(first_path, first_path + len(path))
    vix = market.levels.get("VIX")
    return WhatIf(
        as_of=row.as_of,
        flags=tuple(row.flags),
        vix=vix.value if vix else None,
        spot=market.spot,
        columns=GRID_VIX,
        rows=_grid_rows(shown[: len(grid)]),
        presets=tuple(
            ShockPreset(name, shock, float(a[at]), float(b[at]), cell_key(shock))
            for at, (name, shock) in enumerate(named, start=len(grid))
        ),
        path=_path_chart(a[of_path], b[of_path]),
        path_table=_path_table(a[of_path], b[of_path]),
        opened=_taken_apart(opened, picked, pnl[:, -1]) if opened else None,
        unknown=unknown,
        front_beta=float(beta(market.vx_curve[0].t, rules)) if market.vx_curve else float("nan"),
    )


def cell_key(shock: Shock) -> str:
    """The shock as the URL names it, such as ``-0.1:18``."""
    return f"{shock.spot:g}:{shock.vix:g}"


def _named(market: MarketSnapshot) -> list[tuple[str, Shock]]:
    """Shocks people ask for; the first needs a VIX level to know the way to 40."""
    vix = market.levels.get("VIX")
    found = [("SPX −10% and VIX at 40", Shock(-0.10, 40.0 - vix.value))] if vix else []
    return found + [(name, Shock(spot, points)) for name, spot, points in HISTORY]


def _grid_rows(pnl: Floats) -> tuple[tuple[float, tuple[ShockCell, ...]], ...]:
    table = pnl.reshape(len(GRID_SPOT), len(GRID_VIX))
    scale = max(float(np.abs(table).max()), 1.0)
    return tuple(
        (
            spot,
            tuple(
                ShockCell(float(value), heat_step(float(value), scale), cell_key(Shock(spot, vix)))
                for vix, value in zip(GRID_VIX, line, strict=True)
            ),
        )
        for spot, line in zip(GRID_SPOT, table, strict=True)
    )


def _path_chart(a: Floats, b: Floats) -> dict[str, Any]:
    def points(values: Floats) -> list[list[float]]:
        return [[100 * spot, float(value)] for spot, value in zip(PATH_SPOT, values, strict=True)]

    return {
        "series": [{"name": "A", "data": points(a)}, {"name": "B", "data": points(b), "dashed": True}],
        "x_type": "value",
        "x_label": "SPX, %",
        "unit": "pnl",
    }


def _path_table(a: Floats, b: Floats) -> dict[str, Any]:
    return {
        "head": ("SPX, %", "VIX, points", "A, $", "B, $", "A less B, $"),
        "numeric_first": True,
        "rows": [
            (f"{100 * s:+.0f}", f"{path_vix(s):+.1f}", f"{x:+,.0f}", f"{y:+,.0f}", f"{x - y:+,.0f}")
            for s, x, y in zip(PATH_SPOT, a, b, strict=True)
        ],
    }


def _taken_apart(shock: Shock, picked: Sequence[WhatIfTrade], pnl: Floats) -> Opened:
    rows = [
        Contribution(p.trade, float(value) if p.in_a else None, float(value) if p.in_b else None)
        for p, value in zip(picked, pnl, strict=True)
    ]
    rows.sort(key=lambda row: min(v for v in (row.a, row.b) if v is not None))
    return Opened(
        shock,
        tuple(rows),
        sum(row.a for row in rows if row.a is not None),
        sum(row.b for row in rows if row.b is not None),
    )
