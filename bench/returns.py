"""Money-weighted returns: 100,000 XIRR series. The product uses pyxirr, which is a runtime dependency."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyxirr

from bench.timing import Case, Rival, Target

COUNT = 100_000
_LOOP = 2_000


def series(count: int) -> list[tuple[list[date], list[float]]]:
    """Accounts with a deposit, two to ten further flows and a final value."""
    rng = np.random.default_rng(21)
    found = []
    start = date(2020, 1, 2)
    for _ in range(count):
        n = int(rng.integers(3, 12))
        days = [start + timedelta(days=int(day)) for day in np.sort(rng.integers(1, 1500, n))]
        flows = [-10_000.0, *rng.normal(0, 800, n - 1).round(2).tolist()]
        value = -sum(flows) * float(rng.uniform(0.8, 1.5))
        found.append(([start, *days], [*flows, max(value, 1.0)]))
    return found


def cases() -> Iterator[Case]:
    """The product's pyxirr against a root finder in Python."""
    everything = series(COUNT)
    part = everything[:_LOOP]
    try:
        from scipy.optimize import brentq  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        brentq = None

    def with_scipy() -> list[Any]:
        found = []
        for days, flows in part:
            years = np.array([(day - days[0]).days / 365 for day in days])
            values = np.array(flows)
            found.append(brentq(lambda r, y=years, v=values: float(np.sum(v / (1 + r) ** y)), -0.99, 10.0))
        return found

    yield Case(
        "XIRR of 100,000 series of 4 to 12 flows",
        COUNT,
        "series",
        [
            Rival("pyxirr (ours)", lambda: [pyxirr.xirr(days, flows) for days, flows in everything]),
            Rival(
                "scipy brentq", with_scipy if brentq else None, "" if brentq else "not installed", items=_LOOP
            ),
        ],
        [Target("pyxirr (ours)", "scipy brentq", 1)],
    )
