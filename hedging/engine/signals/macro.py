"""Signals of the calendar and of macro series, each read only from the close at which it was public."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence

import numpy as np

from hedging.engine.history.series import CalendarEvent, CalendarEventKind, Days, S, Series
from hedging.engine.signals.frame import UNKNOWN, SignalColumn, States
from hedging.engine.signals.inputs import (
    DIGITS,
    DatedValues,
    SignalInputs,
    above,
    all_of,
    below,
    lagged,
    oldest,
    states,
)
from hedging.engine.signals.params import PROPOSED
from hedging.engine.signals.types import SignalKey as K
from hedging.maths import indicators
from hedging.maths.arrays import Floats

_DAY = np.timedelta64(1, "D")
_CALENDAR_REACH = 100  # a schedule further away than this is a gap in the calendar, not an answer
_REVISED = "Figures are of a later vintage than what was printed on the day."


def macro_columns(inputs: SignalInputs) -> list[SignalColumn]:
    """FOMC, CPI, PPI, GDP, exchange rate and rate differential."""
    cpi, ppi = _Print(inputs, CalendarEventKind.CPI, S.CPI), _Print(inputs, CalendarEventKind.PPI, S.PPI)
    return [
        *_fomc(inputs),
        cpi.column(K.CPI_SURPRISE, "CPI surprise, year on year"),
        ppi.column(K.PPI_SURPRISE, "PPI surprise, year on year"),
        _stable(inputs, cpi, ppi),
        _gdp(inputs),
        *_reer(inputs),
        *_rates(inputs, cpi, ppi),
    ]


def _fomc(inputs: SignalInputs) -> list[SignalColumn]:
    p, events = inputs.params, inputs.history.events
    planned = np.array([e.day for e in events.of(CalendarEventKind.FOMC) if e.scheduled], "datetime64[D]")
    held = np.unique(
        np.concatenate([events.days(CalendarEventKind.FOMC), events.days(CalendarEventKind.FOMC_UNSCHEDULED)])
    ).astype("datetime64[D]")
    ahead = _days_ahead(inputs.days, planned)
    on, distance = below(ahead, p.fomc_soon_days + 1)
    since = _days_since(inputs.days, held)
    recent, recent_distance = below(since, p.fomc_after_days + 1)
    source, origin = "Federal Reserve calendar", f"S1, S4; rule {PROPOSED}"
    return [
        inputs.column(
            K.DAYS_TO_FOMC,
            "Days to the next scheduled FOMC decision",
            DatedValues(ahead, inputs.days),
            unit="days",
            threshold=f"≤ {p.fomc_soon_days}",
            source=source,
            provenance=origin,
            why_unknown="No FOMC decision is in the calendar for the time ahead.",
            on=on,
            distance=distance - 1,
        ),
        inputs.column(
            K.DAYS_SINCE_FOMC,
            "Days since the last FOMC decision",
            DatedValues(since, inputs.days),
            unit="days",
            threshold=f"≤ {p.fomc_after_days}",
            source=source,
            provenance=origin,
            why_unknown="No FOMC decision is in the calendar for the time before.",
            on=recent,
            distance=recent_distance - 1,
        ),
    ]


def _days_ahead(days: Days, events: Days) -> Floats:
    """Calendar days to the next event strictly after each day; NaN beyond the calendar."""
    at = np.searchsorted(events, days, side="right")
    inside = at < len(events)
    found = np.full(len(days), np.nan)
    found[inside] = (events[at[inside]] - days[inside]) / _DAY
    return np.where(found <= _CALENDAR_REACH, found, np.nan)


def _days_since(days: Days, events: Days) -> Floats:
    """Calendar days since the last event at or before each day; NaN beyond the calendar."""
    at = np.searchsorted(events, days, side="right") - 1
    inside = at >= 0
    found = np.full(len(days), np.nan)
    found[inside] = (days[inside] - events[at[inside]]) / _DAY
    return np.where(found <= _CALENDAR_REACH, found, np.nan)


class _Print:
    """Releases of a price index: surprise against consensus, else against the print before it."""

    def __init__(self, inputs: SignalInputs, kind: CalendarEventKind, symbol: str) -> None:
        self.inputs, self.kind = inputs, kind
        released = [e for e in inputs.history.events.of(kind) if e.actual is not None]
        own = _from_events(released)
        series = inputs.series(symbol, traded=False)
        indexed = _NONE if series is None else _from_index(inputs, symbol, series)
        self.figures = self._latest(own[:, 1], indexed[:, 1], own, indexed)
        self.against_previous = self._latest(own[:, 2], indexed[:, 2], own, indexed)
        self.revised = series is not None and not series.first_print

    def _latest(self, mine: Floats, other: Floats, own: Floats, indexed: Floats) -> DatedValues:
        """The newest release by the day it was known; a figured event beats the index of that day."""
        known = np.concatenate([own[:, 0], indexed[:, 0]])
        values = np.concatenate([mine, other])
        rank = np.concatenate([np.ones(len(own)), np.zeros(len(indexed))])
        keep = np.isfinite(values)
        order = np.lexsort((rank[keep], known[keep]))
        days = known[keep][order].astype("int64").astype("datetime64[D]")
        return self.inputs.figures(days, days, values[keep][order])

    def column(self, key: K, label: str) -> SignalColumn:
        """The surprise in percentage points."""
        limit = self.inputs.params.macro_stable_pp
        on, distance = above(np.abs(self.figures.values), limit)
        return self.inputs.column(
            key,
            label,
            self.figures,
            unit="pp",
            threshold=f"beyond ±{limit:g} of consensus, else of the last print",
            source=f"{self.kind.upper()} releases",
            provenance=f"method 8, {PROPOSED}",
            why_unknown=f"No {self.kind.upper()} release with figures by then.",
            on=on,
            distance=distance,
            max_age=75,
            late_days=45,
            note="Where no printed figures are stored, an index of a later vintage stands in."
            if self.revised
            else "",
        )


_NONE = np.empty((0, 3))


def _from_events(events: Sequence[CalendarEvent]) -> Floats:
    """Rows of (day known, surprise, change against the print before)."""
    rows = []
    for event in events:
        assert event.actual is not None
        against = np.nan if event.previous is None else event.actual - event.previous
        surprise = against if event.forecast is None else event.actual - event.forecast
        known = float(np.datetime64(event.known, "D").astype("int64"))
        rows.append((known, round(surprise, DIGITS), round(against, DIGITS)))
    return np.array(rows) if rows else _NONE


def _from_index(inputs: SignalInputs, symbol: str, series: Series) -> Floats:
    """The same from a monthly index: the yearly rate against the month before's, both to 0.1 as printed."""
    if not inputs.history.series[symbol].revised:
        step = _yearly_steps(series.days, series.values)
        known = series.known[13:].astype("int64").astype(np.float64)
        return np.column_stack([known, step, step]) if len(step) else _NONE
    rows, newest = [], np.datetime64("0001-01-01", "D")
    for day, days, values in inputs.vintages(symbol):
        if days[-1] > newest:  # a release; a revision of older months alone is none
            newest = days[-1]
            step = _yearly_steps(days[-14:], values[-14:])
            if len(step):
                rows.append((float(day.astype("int64")), step[-1], step[-1]))
    return np.array(rows) if rows else _NONE


def _yearly_steps(days: Days, values: Floats) -> Floats:
    """Change of the yearly rate from month to month, percentage points; none where months are missing."""
    month = days.astype("datetime64[M]").astype("int64")
    if len(days) < 14 or (np.diff(month) != 1).any():
        return np.empty(0)
    return np.round(np.diff(np.round(100 * (values[12:] / values[:-12] - 1), 1)), DIGITS)


def _stable(inputs: SignalInputs, cpi: _Print, ppi: _Print) -> SignalColumn:
    limit = inputs.params.macro_stable_pp
    parts: list[States] = []
    for release in (cpi, ppi):
        value = np.where(inputs.too_old(release.figures, 75), np.nan, release.figures.values)
        surprising, _ = above(np.abs(value), limit)
        parts.append(states(~surprising, np.isnan(value)))
    state = all_of(*parts)
    return yes_or_no(
        inputs,
        K.MACRO_STABLE,
        "CPI and PPI stable",
        state,
        np.minimum(cpi.figures.as_of, ppi.figures.as_of),
        threshold=f"both within {limit:g} pp",
        source="CPI and PPI releases",
        provenance=f"S2; method 8, {PROPOSED}",
        why_unknown="CPI or PPI is unknown and the other does not decide it.",
        max_age=75,
        late_days=45,
    )


def yes_or_no(
    inputs: SignalInputs,
    key: K,
    label: str,
    state: States,
    as_of: Days,
    *,
    threshold: str,
    source: str,
    provenance: str,
    why_unknown: str,
    max_age: int | None = None,
    late_days: int | None = None,
    late_sessions: int = 0,
) -> SignalColumn:
    """A column without a figure: on, off or unknown."""
    return SignalColumn(
        key=key,
        label=label,
        unit="",
        values=np.full(len(inputs), np.nan),
        state=state,
        as_of=np.where(state == UNKNOWN, np.datetime64("NaT"), as_of),
        threshold=threshold,
        source=source,
        provenance=provenance,
        max_age=inputs.params.max_age_days if max_age is None else max_age,
        why_unknown=why_unknown,
        late_days=late_days,
        late_sessions=late_sessions,
    )


def _gdp(inputs: SignalInputs) -> SignalColumn:
    figures = inputs.apply(
        S.GDP, lambda level: 100 * ((1 + indicators.change(level, 1)) ** 4 - 1), traded=False
    )
    on, distance = below(figures.values, 0.0)
    series = inputs.series(S.GDP, traded=False)
    return inputs.column(
        K.GDP_CHANGE,
        "Real GDP, change on the quarter, annualised",
        figures,
        unit="% a year",
        threshold="< 0",
        source=inputs.source(S.GDP),
        provenance=f"method 3; rule {PROPOSED}",
        why_unknown="No GDP figure was public by then.",
        on=on,
        distance=distance,
        max_age=310,
        late_days=220,
        note=_REVISED if series is not None and not series.first_print else "",
    )


def _reer_vol(level: Floats, window: int) -> Floats:
    """Deviation of the last ``window`` monthly log changes, percent a year."""
    out = np.full(len(level), np.nan)
    if len(level) > window:
        moves = np.lib.stride_tricks.sliding_window_view(np.diff(np.log(level)), window)
        out[window:] = 100 * np.sqrt(12) * moves.std(axis=1, ddof=1)
    return out


def _running_median(values: Floats) -> Floats:
    """Median of all finite entries so far."""
    out = np.full(len(values), np.nan)
    seen: list[float] = []
    for i, value in enumerate(values.tolist()):
        if math.isfinite(value):
            insort(seen, value)
        if seen:
            half = len(seen) // 2
            out[i] = seen[half] if len(seen) % 2 else (seen[half - 1] + seen[half]) / 2
    return out


def _reer(inputs: SignalInputs) -> list[SignalColumn]:
    p = inputs.params
    level = inputs.plain(S.REER, traded=False)
    z = inputs.apply(S.REER, lambda x: indicators.z_score(x, p.reer_window), traded=False)
    vol = inputs.apply(S.REER, lambda x: _reer_vol(x, p.reer_vol_window), traded=False)
    usual = inputs.apply(S.REER, lambda x: _running_median(_reer_vol(x, p.reer_vol_window)), traded=False)
    series = inputs.series(S.REER, traded=False)
    note = _REVISED if series is not None and not series.first_print else ""
    distance = np.round(p.reer_stress_z - np.abs(z.values), DIGITS)
    with np.errstate(invalid="ignore"):
        stressed = distance <= 0
        quiet = vol.values <= usual.values
    source = inputs.source(S.REER)
    return [
        inputs.column(
            K.REER,
            "Real effective exchange rate",
            level,
            unit="index",
            threshold="no rule; shown for context",
            source=source,
            provenance="S2",
            why_unknown="No exchange rate index was public by then.",
            max_age=130,
            late_days=85,
            note=note,
        ),
        inputs.column(
            K.REER_Z,
            f"REER against {p.reer_window} months",
            z,
            unit="sd",
            threshold=f"≥ {p.reer_stress_z:g} either way (stress)",
            source=source,
            provenance=f"S2; rule {PROPOSED}",
            why_unknown=f"Needs {p.reer_window} months of the index.",
            on=stressed,
            distance=distance,
            max_age=130,
            late_days=85,
            note=note,
        ),
        inputs.column(
            K.REER_VOL,
            f"REER volatility, {p.reer_vol_window} months",
            vol,
            unit="% a year",
            threshold="≤ its median so far {0} (low)",
            source=source,
            provenance=f"S1; rule {PROPOSED}",
            why_unknown=f"Needs {p.reer_vol_window + 1} months of the index.",
            on=quiet,
            distance=np.round(vol.values - usual.values, DIGITS),
            levels=(usual.values,),
            max_age=130,
            late_days=85,
            note=note,
        ),
    ]


def _foreign(inputs: SignalInputs) -> SignalColumn:
    """Ten-year rates here less abroad, each as newest known, against the same ``valuation_lag`` before."""
    lag = inputs.params.valuation_lag
    home, abroad = inputs.plain(S.DGS10), inputs.plain(S.FOREIGN_10Y, traded=False)
    stale_home = inputs.too_old(home, 8)
    value = np.where(stale_home, np.nan, home.values - abroad.values)
    before = lagged(value, lag)
    on, distance = below(value, before)
    return inputs.column(
        K.FOREIGN_DIFFERENTIAL,
        "Rate differential, 10 years here less abroad",
        DatedValues(value, oldest(home, abroad)),
        unit="pp",
        threshold=f"< {{0}}, its value {lag} sessions before (narrows)",
        source=f"{inputs.source(S.DGS10)}, {inputs.source(S.FOREIGN_10Y)}",
        provenance=f"S0, S1, S3; rule {PROPOSED}",
        why_unknown=f"No series {S.FOREIGN_10Y} reaches {lag} sessions back; it is supplied by the user.",
        on=on,
        distance=distance,
        levels=(before,),
        max_age=75,
        late_days=45,
    )


def bill_yield(discount: Floats) -> Floats:
    """Bond-equivalent yield of a 91-day bill from its discount rate, both percent (US Treasury)."""
    rate = discount / 100
    return 100 * 365 * rate / (360 - 91 * rate)


def _rates(inputs: SignalInputs, cpi: _Print, ppi: _Print) -> list[SignalColumn]:
    p = inputs.params
    figures = inputs.apply_joined((S.DGS10, S.DTB3), lambda ten, bill: ten - bill_yield(bill))
    on, distance = below(figures.values, 0.0)
    held = inputs.history.events.days(CalendarEventKind.FOMC)
    since = _days_since(inputs.days, held)
    # The differential known at the last close before the decision.
    before = np.searchsorted(inputs.days, inputs.days - np.nan_to_num(since).astype("int64") * _DAY) - 1
    change = np.round(figures.values - figures.values[np.maximum(before, 0)], DIGITS)
    change = np.where((before >= 0) & (since <= p.fomc_after_days), change, np.nan)
    within = states(since <= p.fomc_after_days, np.isnan(since))
    narrows = states(change < 0, np.isnan(change) & ~(since > p.fomc_after_days))
    eases = [states(r.against_previous.values <= 0, np.isnan(r.against_previous.values)) for r in (cpi, ppi)]
    state = all_of(within, narrows, *eases)
    return [
        _foreign(inputs),
        inputs.column(
            K.RATE_DIFFERENTIAL,
            "Rate differential, 10 years less 3 months",
            figures,
            unit="pp",
            threshold="< 0 (inverted)",
            source=f"{inputs.source(S.DGS10)}, {inputs.source(S.DTB3)}",
            provenance=f"S0, S3; rule {PROPOSED}",
            why_unknown="No common day of 10-year and 3-month rates.",
            on=on,
            distance=distance,
            max_age=8,
            late_sessions=1,
        ),
        SignalColumn(
            key=K.POST_FOMC_NARROWING,
            label="Differential narrows after FOMC while CPI and PPI moderate",
            unit="pp",
            values=np.where(state == UNKNOWN, np.nan, change),
            state=state,
            as_of=np.where(state == UNKNOWN, np.datetime64("NaT"), oldest(figures)),
            threshold=f"< 0 within {p.fomc_after_days} days of a decision, CPI and PPI not above the last",
            source="rates, FOMC calendar, CPI and PPI releases",
            provenance=f"S0; definition {PROPOSED}",
            max_age=8,
            why_unknown="Rates, calendar, CPI or PPI are unknown and the rest does not decide it.",
            late_sessions=1,
        ),
    ]
