"""Reading the shared option chains as plain columns, for fits and measurements."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hedging.maths.yearfrac import year_fraction

Floats = NDArray[np.float64]
NEW_YORK = ZoneInfo("America/New_York")
AM_ROOTS = ("SPX", "VIX", "VIXW")


class Expiry(NamedTuple):
    """Quotes of one expiry at one moment; strikes ascend, missing quotes are NaN."""

    day: date
    spot: float
    root: str
    expiry: date
    t: float
    strikes: Floats
    call_bid: Floats
    call_ask: Floats
    put_bid: Floats
    put_ask: Floats
    call_delta: Floats
    put_delta: Floats


def data_folder() -> Path | None:
    """Folder of the shared market data, or None."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("ALVH_DATA") or root.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def expiries(path: Path) -> Iterator[Expiry]:
    """Every expiry of every quote time of a chain file; a file with dates only speaks for the closes."""
    groups: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            key = (row.get("commit_time_utc") or row["date"], row["root"], row["expiration"])
            groups.setdefault(key, []).append(row)
    for (stamp, root, expiration), rows in groups.items():
        if "T" in stamp:
            as_of = datetime.fromisoformat(stamp.rstrip("Z")).replace(tzinfo=UTC)
        else:
            as_of = datetime.combine(date.fromisoformat(stamp), time(16), NEW_YORK)
        settles = datetime.combine(
            date.fromisoformat(expiration), time(9, 30) if root in AM_ROOTS else time(16), NEW_YORK
        )
        if settles <= as_of:
            continue
        strikes = np.unique([float(r["strike"]) for r in rows])
        columns = np.full((6, len(strikes)), np.nan)
        for r in rows:
            i = int(np.searchsorted(strikes, float(r["strike"])))
            at = 0 if r["type"][0] == "C" else 2
            bid, ask = float(r["bid"]), float(r["ask"])
            if 0 <= bid <= ask and ask > 0:
                columns[at, i], columns[at + 1, i] = bid, ask
            columns[4 + at // 2, i] = float(r["delta"] or "nan")
        yield Expiry(
            date.fromisoformat(rows[0]["date"]),
            float(rows[0].get("spot") or "nan"),
            root,
            date.fromisoformat(expiration),
            year_fraction(as_of, settles),
            strikes,
            *columns,
        )
