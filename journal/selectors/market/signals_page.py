"""The signal side of the market page: tiles, the signal table, regimes over the price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from django.http import QueryDict

from hedging.engine.history.series import day64
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.levels import LevelDay
from hedging.engine.signals.regimes import RegimeRun
from hedging.engine.signals.types import Regime, Signal, SignalDay, SignalKey, SignalState

K = SignalKey
GROUPS: Final[dict[str, tuple[SignalKey, ...]]] = {
    "Momentum": (K.RSI_VIX, K.RSI_SPX, K.MACD_SPX, K.MACD_VIX, K.MACD_DIVERGENCE),
    "Volatility": (
        K.VIX, K.IV30, K.RV5, K.RV10, K.RV20, K.RV_RANGE, K.RV_IV, K.RV_IV_CHANGE_10,
        K.VIX_VIX3M, K.VIX9D_VIX, K.VVIX, K.SKEW,
    ),
    "VX curve": (K.BACKWARDATION, K.CONTANGO, K.VX_SLOPE, K.VX_SHAPE, K.ROLL_YIELD),
    "Breadth and value": (
        K.AD_LINE, K.AD_DIVERGENCE, K.CAP_BREADTH, K.PE_DIVERGENCE, K.PCF_DIVERGENCE, K.REIT_STRESS,
    ),
    "Macro": (
        K.DAYS_TO_FOMC, K.DAYS_SINCE_FOMC, K.CPI_SURPRISE, K.PPI_SURPRISE, K.MACRO_STABLE, K.GDP_CHANGE,
        K.REER, K.REER_Z, K.REER_VOL, K.RATE_DIFFERENTIAL, K.FOREIGN_DIFFERENTIAL,
        K.POST_FOMC_NARROWING,
    ),
    "Liquidity": (K.VX_OPEN_INTEREST, K.SPX_SPREAD, K.QUICK_RATIO),
    "Decisions": (K.DAYS_TO_MAJOR_EXPIRY, K.RV_COLLAPSE, K.REGIME_SHIFT),
}  # fmt: skip
REGIME_NAMES: Final[dict[Regime, str]] = {
    Regime.CALM: "Calm",
    Regime.COMPRESSED: "Compressed (cash press)",
    Regime.RV_COLLAPSE: "Realized-vol collapse",
    Regime.ISOLATED_EXPANSION: "Isolated expansion",
    Regime.PERSISTENT_EXPANSION: "Persistent expansion",
    Regime.REGIME_SHIFT: "Confirmed regime shift",
    Regime.UNKNOWN: "Unknown",
}
SPANS: Final = {"1y": ("1 year", 252), "3y": ("3 years", 756), "10y": ("10 years", 2520), "all": ("All", 0)}
#: A close older than this in calendar days is shown as stale: no weekend with a holiday is longer.
OLD_DAYS: Final = 4
_LOG_SPANS: Final = ("10y", "all")
_MOST_POINTS: Final = 1300
_DIGITS: Final = {"ratio": 3, "sd": 2, "pp": 2, "days": 0, "sessions": 0, "closes": 0, "contracts": 0}


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One row of the signal table."""

    group: str
    signal: Signal
    digits: int


@dataclass(frozen=True, slots=True)
class SignalFilter:
    """What the table shows: words anywhere in a row, one state, one group."""

    words: str = ""
    state: str = ""
    group: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> SignalFilter:
        """From the address; what is not offered is ignored."""
        state, group = query.get("state", ""), query.get("group", "")
        return cls(
            words=query.get("q", "").replace("\0", "")[:80].strip(),
            state=state if state in set(SignalState) else "",
            group=group if group in GROUPS else "",
        )

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return bool(self.words or self.state or self.group)

    def passes(self, line: SignalLine) -> bool:
        """Whether the row is shown."""
        one = line.signal
        text = f"{one.key} {one.label} {one.threshold} {one.source} {one.reason} {one.provenance}".lower()
        return (
            (not self.state or one.state == self.state)
            and (not self.group or line.group == self.group)
            and all(word in text for word in self.words.lower().split())
        )


def signal_line(signal: Signal, group: str = "") -> SignalLine:
    """The signal with as many digits as its unit deserves."""
    return SignalLine(group, signal, _DIGITS.get(signal.unit, 2))


def signal_lines(seen: SignalDay, chosen: SignalFilter) -> list[SignalLine]:
    """The rows of a day that pass the filter, by group."""
    lines = (signal_line(seen.signals[key], group) for group, keys in GROUPS.items() for key in keys)
    return [line for line in lines if chosen.passes(line)]


def signal_counts(seen: SignalDay) -> dict[str, int]:
    """How many signals are on, off and unknown."""
    return {state.value: sum(one.state is state for one in seen.signals.values()) for state in SignalState}


@dataclass(frozen=True, slots=True)
class LevelTile:
    """One level: its figure, its place in the year, and how old it is."""

    name: str
    level: LevelDay
    unit: str
    quality: str
    note: str

    @property
    def percent_of_year(self) -> int | None:
        """The percentile in whole percent."""
        return None if self.level.percentile is None else round(100 * self.level.percentile)


def level_tiles(levels: Iterable[LevelDay], *, simulated: bool, today: date | None = None) -> list[LevelTile]:
    """Tiles in the order of the levels; a stale one says so, with its age.

    ``today`` is given where the present is looked at: what is old then is stale, whatever the newest close.
    """
    tiles = []
    for level in levels:
        age = level.age_days if today is None or level.as_of is None else (today - level.as_of).days
        quality = "simulated" if simulated else "eod"
        if level.value is None:
            quality = "unknown"
        elif level.stale or (today is not None and age is not None and age > OLD_DAYS):
            quality = "stale"
        note = f"{age} d old" if age else ""
        tiles.append(LevelTile(level.name, level, "ratio" if "/" in level.name else "points", quality, note))
    return tiles


def regime_name(regime: Regime) -> str:
    """The regime in words."""
    return REGIME_NAMES[regime]


def regime_chart(frame: SignalFrame, day: date, span: str) -> dict[str, Any] | None:
    """SPX closes up to ``day`` with the regimes behind them; None without closes."""
    last = frame.index(day)
    if last is None:
        return None
    count = SPANS[span][1]
    first = max(0, last + 1 - count) if count else 0
    size = last - first + 1
    step = -(-size // _MOST_POINTS)
    at = np.arange(last, first - 1, -step)[::-1]
    closes = frame.levels["SPX"].values
    days = [str(d) for d in frame.days[at]]
    values = [None if np.isnan(v) else round(float(v), 2) for v in closes[at]]
    if not any(v is not None for v in values):
        return None
    return {
        "days": days,
        "closes": values,
        "codes": [int(code) for code in frame.regimes.codes[at]],
        "names": [REGIME_NAMES[regime] for regime in Regime],
        "regimes": [regime.value for regime in Regime],
        "step": step,
        "log": span in _LOG_SPANS,
        "y_label": "SPX close, log scale" if span in _LOG_SPANS else "SPX close",
    }


def regime_runs(frame: SignalFrame, day: date, span: str) -> list[RegimeRun]:
    """The runs of the chart, newest first; the last one ends at ``day``."""
    last = frame.index(day)
    if last is None:
        return []
    count = SPANS[span][1]
    first = frame.days[max(0, last + 1 - count) if count else 0].item()
    end = frame.days[last].item()
    found = []
    for run in frame.regimes.runs():
        if run.first > end or run.last < first:
            continue
        if run.last > end:
            inside = int(np.searchsorted(frame.days, day64(end), side="right"))
            begin = int(np.searchsorted(frame.days, day64(run.first)))
            run = RegimeRun(run.regime, run.first, end, inside - begin)  # noqa: PLW2901 cut at the day
        found.append(run)
    return found[::-1]


def regime_summary(runs: list[RegimeRun], span: str) -> str:
    """The chart in a sentence."""
    if not runs:
        return "No regimes are known."
    sessions: dict[Regime, int] = {}
    for run in runs:
        sessions[run.regime] = sessions.get(run.regime, 0) + run.sessions
    total = sum(sessions.values())
    parts = [f"{REGIME_NAMES[r]} {n / total:.0%}" for r, n in sorted(sessions.items(), key=lambda x: -x[1])]
    now = runs[0]
    period = "All stored sessions" if span == "all" else f"The last {SPANS[span][0]}"
    return (
        f"{period} in {len(runs)} runs: {', '.join(parts)}. "
        f"The newest is {REGIME_NAMES[now.regime].lower()} since {now.first:%d %b %Y}."
    )
