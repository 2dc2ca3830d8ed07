"""What is wrong or missing in the stored history: gaps, staleness, impossible values, jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from hedging.engine.history.publication import RULES
from hedging.engine.history.rules import SESSION_SERIES
from hedging.engine.history.series import Days, MarketHistory, S, Series, VXHistory, day64, to_date
from hedging.maths.arrays import Floats


class Severity(StrEnum):
    """How much it matters: an error makes figures wrong, a warning may, a note is to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class QualityFinding:
    """One finding about a series; ``days`` are the first ones concerned, ``count`` how many there are."""

    kind: str
    severity: Severity
    series: str
    message: str
    count: int
    days: tuple[date, ...] = ()


#: Values outside are impossible or a wrong unit: (lowest, highest).
RANGES: dict[str, tuple[float, float]] = {
    S.SPX: (10.0, 50_000.0),
    S.VIX: (5.0, 200.0),
    S.VIX9D: (3.0, 300.0),
    S.VIX3M: (5.0, 150.0),
    S.VVIX: (40.0, 300.0),
    S.SKEW: (90.0, 250.0),
    S.DTB3: (-2.0, 25.0),
    S.SOFR: (-2.0, 25.0),
    S.DFF: (-2.0, 25.0),
    S.DGS10: (-2.0, 25.0),
    S.VRO: (5.0, 200.0),
}
#: Daily moves beyond are looked at: share of the day before.
JUMPS: dict[str, float] = {S.SPX: 0.15, S.VIX: 1.3, S.VXX: 0.8, S.REIT: 0.25}
#: Daily series that every session should have.
EVERY_SESSION = SESSION_SERIES | {S.ADVANCES, S.DECLINES}
#: A daily series is stale when more sessions than this lie between its newest value and today.
LATE_SESSIONS = 3
#: What pages and signals stand on: never taken for ended, however old.
CORE = frozenset({S.SPX, S.VIX, S.VIX9D, S.VIX3M, S.VVIX, S.SKEW, S.DTB3})
#: Another series that stopped this long ago has ended; that is to know, not to mend.
ENDED_SESSIONS = 500
ENDED = "ended"
#: Monthly, by contract, derived from others or the user's own: no value is due every session.
_NOT_DAILY = {S.CNDR, S.PUT, S.PPUT, S.VRO, S.PE, S.PCF, S.CAP_BREADTH, S.SPREAD, S.FOREIGN_10Y}
#: A settlement that leaves both neighbouring days by this share and comes back is a wrong print.
SPIKE = 0.35
SHOWN_DAYS = 8
_VX_RANGE = (5.0, 150.0)


def findings(history: MarketHistory, today: date) -> list[QualityFinding]:
    """Everything found, errors first; ``today`` decides what is stale."""
    found: list[QualityFinding] = []
    for name, series in sorted(history.series.items()):
        if not len(series):
            continue
        days, values = series.upto(series.known[-1])
        found += _out_of_range(name, days, values)
        found += _jumps(name, days, values)
        found += _future(name, days, today)
        if name in EVERY_SESSION:
            found += _gaps(name, days, history.sessions)
        found += stale(series, history.sessions, today)
    found += _ended(history, today)
    found += _vx(history, today)
    order = list(Severity)
    return sorted(found, key=lambda f: (order.index(f.severity), f.kind, f.series))


def _ended(history: MarketHistory, today: date) -> list[QualityFinding]:
    """One finding for all series that have ended."""
    names = [
        name
        for name, series in sorted(history.series.items())
        if len(series) and overdue(name, to_date(series.days[-1]), history.sessions, today) == ENDED
    ]
    if not names:
        return []
    message = f"no newer value for more than {ENDED_SESSIONS} sessions: {', '.join(names)}"
    return [QualityFinding("ended", Severity.NOTE, f"{len(names)} series", message, len(names))]


def stale(series: Series, sessions: Days, today: date) -> list[QualityFinding]:
    """A finding when the newest value is older than the series' rhythm explains."""
    newest = to_date(series.days[-1])
    text = overdue(series.symbol, newest, sessions, today)
    if not text:
        return []
    if text == ENDED:  # told together, see findings
        return []
    message = f"newest value of {newest}: {text}"
    return [QualityFinding("stale", Severity.WARNING, series.symbol, message, 1, (newest,))]


def overdue(symbol: str, newest: date, sessions: Days, today: date) -> str:
    """Why the newest value is stale, empty while nothing newer is due; ENDED for a series long past."""
    at = day64(newest)
    late = _sessions_after(at, sessions, today)
    if late > ENDED_SESSIONS and symbol not in CORE:
        return ENDED
    rule = RULES.get(symbol)
    if rule is None or not rule.after_period:
        return f"{late} sessions behind" if late > LATE_SESSIONS and symbol not in _NOT_DAILY else ""
    # The period after the newest one has ended and its figure is overdue.
    due = (at.astype("datetime64[M]") + 2 * rule.after_period).astype("datetime64[D]") + rule.lag + 10
    return f"the next figure was due by {due}" if day64(today) > due else ""


def _sessions_after(newest: np.datetime64, sessions: Days, today: date) -> int:
    """Sessions after the newest value and before today."""
    ended = np.searchsorted(sessions, day64(today))
    return max(0, int(ended - np.searchsorted(sessions, newest, side="right")))


def _days(days: Days) -> tuple[date, ...]:
    return tuple(to_date(day) for day in days[:SHOWN_DAYS])


def _gaps(name: str, days: Days, sessions: Days) -> list[QualityFinding]:
    inside = sessions[(sessions >= days[0]) & (sessions <= days[-1])]
    missing = np.setdiff1d(inside, days)
    if not len(missing):
        return []
    share = len(missing) / len(inside)
    severity = Severity.WARNING if share > 0.005 else Severity.NOTE
    message = f"{len(missing)} of {len(inside)} sessions have no value ({share:.1%})"
    return [QualityFinding("gap", severity, name, message, len(missing), _days(missing))]


def _out_of_range(name: str, days: Days, values: Floats) -> list[QualityFinding]:
    if name not in RANGES:
        return []
    low, high = RANGES[name]
    bad = (values < low) | (values > high)
    if not bad.any():
        return []
    message = f"{int(bad.sum())} values outside {low:g} to {high:g}, first {values[bad][0]:g}"
    return [QualityFinding("range", Severity.ERROR, name, message, int(bad.sum()), _days(days[bad]))]


def _future(name: str, days: Days, today: date) -> list[QualityFinding]:
    late = days > day64(today)
    if not late.any():
        return []
    message = f"{int(late.sum())} values are dated after today"
    return [QualityFinding("range", Severity.ERROR, name, message, int(late.sum()), _days(days[late]))]


def _jumps(name: str, days: Days, values: Floats) -> list[QualityFinding]:
    limit = JUMPS.get(name)
    if limit is None or len(values) < 2:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = values[1:] / values[:-1] - 1
    far = np.abs(moves) > limit
    if not far.any():
        return []
    what = "splits, as the file is not adjusted" if name == S.VXX else "wrong prints or history"
    message = f"{int(far.sum())} daily moves beyond ±{limit:.0%}: {what}"
    return [QualityFinding("jump", Severity.NOTE, name, message, int(far.sum()), _days(days[1:][far]))]


def _vx(history: MarketHistory, today: date) -> list[QualityFinding]:
    vx = history.vx
    if not len(vx.days):
        return []
    found = _gaps("VX futures", vx.days, history.sessions)
    bad = (vx.settle < _VX_RANGE[0]) | (vx.settle > _VX_RANGE[1])
    if bad.any():
        rows = np.flatnonzero(bad.any(axis=1))
        found.append(
            QualityFinding("range", Severity.ERROR, "VX futures",
                    f"{int(bad.sum())} settlements outside {_VX_RANGE[0]:g} to {_VX_RANGE[1]:g}",
                    int(bad.sum()), _days(vx.days[rows]))
        )  # fmt: skip
    found += _spikes(vx)
    months = vx.months(2)
    unpriced = np.isnan(months.settle).any(axis=1) & ~np.isnat(months.expiry).any(axis=1)
    if unpriced.any():
        message = f"M1 or M2 is listed without a settlement on {int(unpriced.sum())} days"
        found.append(
            QualityFinding(
                "gap", Severity.WARNING, "VX futures", message, int(unpriced.sum()), _days(vx.days[unpriced])
            )
        )
    settled = (vx.expiries >= vx.days[0]) & (vx.expiries <= vx.days[-1])
    open_ends = settled & np.isnan(vx.final)
    if open_ends.any():
        message = f"{int(open_ends.sum())} contracts settled without a known final settlement"
        found.append(
            QualityFinding(
                "gap",
                Severity.WARNING,
                "VX futures",
                message,
                int(open_ends.sum()),
                _days(vx.expiries[open_ends]),
            )
        )
    late = _sessions_after(vx.days[-1], history.sessions, today)
    if late > LATE_SESSIONS:
        message = f"newest settlement of {vx.days[-1]}: {late} sessions behind"
        found.append(
            QualityFinding("stale", Severity.WARNING, "VX futures", message, 1, (to_date(vx.days[-1]),))
        )
    return found


def _spikes(vx: VXHistory) -> list[QualityFinding]:
    """Settlements that jump away for one day and back."""
    with np.errstate(divide="ignore", invalid="ignore"):
        before = np.abs(vx.settle[1:-1] / vx.settle[:-2] - 1)
        after = np.abs(vx.settle[1:-1] / vx.settle[2:] - 1)
    at = np.flatnonzero(((before > SPIKE) & (after > SPIKE)).any(axis=1)) + 1
    if not len(at):
        return []
    message = f"a settlement leaves both neighbouring days by more than {SPIKE:.0%}: wrong print or shock"
    return [QualityFinding("jump", Severity.WARNING, "VX futures", message, len(at), _days(vx.days[at]))]
