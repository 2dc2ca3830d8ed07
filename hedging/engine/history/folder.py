"""The history straight from a folder of CSV files, without a database: for tests and measurements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hedging.engine.history.build import RawSeries, RawVX, build_history
from hedging.engine.history.publication import session_from
from hedging.engine.history.rules import VX_LOWEST, VX_RESCALED_FROM, repaired, usable
from hedging.engine.history.series import CalendarEvent, CalendarEventKind, Days, MarketHistory, S, to_date
from hedging.maths.arrays import Floats

#: Files of one value or bar a date: file name → series by column.
FILES: dict[str, dict[str, str]] = {
    "spx_daily.csv": {"close": S.SPX},
    "vix_daily.csv": {"close": S.VIX},
    "vix9d_daily.csv": {"close": S.VIX9D},
    "vix3m_daily.csv": {"close": S.VIX3M},
    "vvix_daily.csv": {"vvix": S.VVIX},
    "skew_daily.csv": {"skew": S.SKEW},
    "vxx_daily_raw.csv": {"close": S.VXX},
    "rate_dtb3.csv": {"dtb3": S.DTB3},
    "rate_sofr.csv": {"sofr": S.SOFR},
    "rate_dff.csv": {"dff": S.DFF},
    "rate_dgs10.csv": {"dgs10": S.DGS10},
    "macro_cpi_sa.csv": {"Headline": S.CPI, "Core": S.CPI_CORE},
    "macro_ppiaco.csv": {"ppiaco": S.PPI},
    "macro_gdpc1.csv": {"gdpc1": S.GDP},
    "macro_reer.csv": {"rbusbis": S.REER},
    "breadth_daily.csv": {"advances": S.ADVANCES, "declines": S.DECLINES},
    "nyse_breadth_1965_2015.csv": {"advances": S.NYSE_ADVANCES, "declines": S.NYSE_DECLINES},
    "reit_vnq_daily.csv": {"adj_close": S.REIT},
    "shiller_sp500.csv": {"P": S.SP500_PRICE, "E": S.SP500_EARNINGS, "CAPE": S.CAPE},
    "cboe_benchmarks_monthly.csv": {"cndr": S.CNDR, "put": S.PUT, "pput": S.PPUT},
}


def history_from_folder(folder: Path) -> MarketHistory:
    """Every known file of ``folder``; absent files are absent series.

    Raises FileNotFoundError without ``nyse_sessions.csv``, ValueError for a malformed file.
    """
    calendar = pd.read_csv(folder / "nyse_sessions.csv", parse_dates=["date"])
    sessions = _days(calendar["date"])
    raw: dict[str, RawSeries] = {}
    for name, columns in FILES.items():
        if (folder / name).is_file():
            raw |= _series(folder / name, columns, sessions)
    return build_history(
        sessions=sessions,
        early=(calendar["early_close"] > 0).tolist(),
        raw=raw,
        vx=_vx(folder),
        events=_events(folder, sessions),
        revision="folder",
    )


def _days(column: Any) -> Any:
    return column.to_numpy().astype("datetime64[D]")


def _series(path: Path, columns: dict[str, str], sessions: Any) -> dict[str, RawSeries]:
    frame = pd.read_csv(path, dtype={"src": str, "date": str})
    # Shiller's months carry no day.
    days = np.array([text if len(text) > 7 else f"{text}-01" for text in frame["date"]], "datetime64[D]")
    found: dict[str, RawSeries] = {}
    for column, symbol in columns.items():
        close: Floats = frame[column].to_numpy(dtype=np.float64)
        keep = usable(symbol, days, close, sessions)
        if not {"open", "high", "low"} <= set(frame.columns):
            found[symbol] = RawSeries(days[keep], close[keep], source=path.name)
            continue
        opened, high, low = (frame[name].to_numpy(dtype=np.float64)[keep] for name in ("open", "high", "low"))
        opened, high, low, _ = repaired(symbol, days[keep], (opened, high, low, close[keep]))
        found[symbol] = RawSeries(days[keep], close[keep], opened, high, low, source=path.name)
    return found


def _vx(folder: Path) -> RawVX:
    path = folder / "vx_contracts_daily.csv.gz"
    names = ["date", "expiry", "settle", "volume", "open_interest"]
    if not path.is_file():
        nothing, no_days = np.empty(0), np.empty(0, dtype="datetime64[D]")
        return RawVX(no_days, no_days, nothing, nothing, nothing, {})
    frame = pd.read_csv(path, usecols=names, parse_dates=["date", "expiry"])
    frame = frame[frame["settle"] >= VX_LOWEST]
    expiries = _days(frame["expiry"])
    settle, volume, interest = (frame[name].to_numpy(dtype=np.float64) for name in names[2:])
    return RawVX(
        _days(frame["date"]),
        expiries,
        settle.round(4),
        volume,
        interest,
        _finals(folder, np.unique(expiries)),
    )


def _finals(folder: Path, expiries: Any) -> dict[date, float]:
    """Final settlements by expiry: of the last prints, and before them the official list.

    The list names months, the contracts know the days.
    """
    prints, path = folder / "vix_final_settlement_2004_2024.csv", folder / "vx_final_settlement.csv"
    found: dict[date, float] = {}
    if prints.is_file():
        found = {date.fromisoformat(row["expiry"]): float(row["vro"]) for row in _rows(prints)}
    if not path.is_file():
        return found
    by_month = {str(expiry.astype("datetime64[M]")): expiry.item() for expiry in expiries}
    frame = pd.read_csv(path, dtype={"date": str})
    for month, price in zip(frame["date"], frame["SettlementPrice"].astype(float), strict=True):
        if (expiry := by_month.get(month)) is not None:
            found[expiry] = round(price / 10, 4) if expiry < VX_RESCALED_FROM else price
    return found


def _events(folder: Path, sessions: Days) -> list[CalendarEvent]:
    figures: dict[date, dict[str, float | None]] = {}
    if (folder / "cpi_consensus.csv").is_file():
        for row in _rows(folder / "cpi_consensus.csv"):
            figures[date.fromisoformat(row["date"])] = {
                name: _percent(row[f"cpi_yoy_{name}"]) for name in ("actual", "forecast", "previous")
            }
    if not (folder / "macro_events.csv").is_file():
        return []
    rows = _rows(folder / "macro_events.csv")
    known = session_from(np.array([row["date"] for row in rows], dtype="datetime64[D]"), sessions)
    events = []
    for row, public in zip(rows, known, strict=True):
        day = date.fromisoformat(row["date"])
        given = figures.get(day, {}) if row["event"] == CalendarEventKind.CPI else {}
        events.append(
            CalendarEvent(
                kind=row["event"],
                day=day,
                known=to_date(public),
                time_et=row["time_et"],
                detail=row["detail"],
                period=row["ref_period"],
                unit="% y/y" if given else "",
                scheduled=row["event"] != CalendarEventKind.FOMC_UNSCHEDULED,
                source=row["source"],
                **given,
            )
        )
    return events


def _rows(path: Path) -> list[dict[str, str]]:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    records: Callable[..., Any] = frame.to_dict
    rows: list[dict[str, str]] = records("records")
    return rows


def _percent(text: str) -> float | None:
    return float(text.rstrip("%")) if text else None
