"""Signals of the VX curve. Settlements are compared as whole 1/10,000 points, so 3% is exactly 3%."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, cast

import numpy as np

from hedging.engine.history.series import Days
from hedging.engine.signals.frame import SignalColumn
from hedging.engine.signals.inputs import DatedValues, SignalInputs, above, below
from hedging.engine.signals.levels import FIRST, INDEXES, RATIO, SECOND, LevelSeries
from hedging.engine.signals.params import PROPOSED
from hedging.engine.signals.types import SignalKey as K
from hedging.maths.arrays import Bools, Floats, Ints
from hedging.maths.indicators import TRADING_DAYS, percentile_rank

_PER_POINT: Final = 10_000
_PER_ONE: Final = 1_000_000
_MONTH: Final = 365 / 12
_NO_CURVE = "No VX settlements of this session for the months it needs."
_SOURCE = "VX settlements"


def whole(settle: Floats) -> Ints:
    """Settlements as whole 1/10,000 points; 0 where unknown."""
    return np.rint(np.nan_to_num(settle) * _PER_POINT).astype(np.int64)


def excess(near: Floats, far: Floats, share: Decimal) -> tuple[Bools, Floats, Floats]:
    """Whether near/far - 1 lies strictly above an exact share, the figure, and its distance from it.

    Figure and distance are in percent and percentage points; a negative distance is beyond. Exact for
    settlements of up to four decimals and shares of up to six: 20.6 over 20.0 is 3%, not more.
    """
    scaled = share * _PER_ONE
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{share} has more than six decimals")
    known = np.isfinite(near) & np.isfinite(far) & (far > 0)
    a, b = whole(near), whole(far)
    beyond = a * _PER_ONE - b * (_PER_ONE + int(scaled))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(known, 100 * (a - b) / b, np.nan)
        distance = np.where(known, -100 * beyond / (b * _PER_ONE), np.nan)
    return known & (beyond > 0), value, distance


class VXCurve:
    """M1 to M8 on the sessions, as of their own settlements."""

    def __init__(self, inputs: SignalInputs) -> None:
        months = inputs.vx.months()
        self.settle = cast("Floats", inputs.on_sessions(months.settle))
        self.expiry = cast("Days", inputs.on_sessions(months.expiry))
        self.open_interest = cast("Floats", inputs.on_sessions(inputs.vx.open_interest))
        self.as_of = inputs.vx_as_of

    def month(self, number: int) -> Floats:
        """Settlements of M``number``."""
        return self.settle[:, number - 1]

    def days_between(self, first: int, second: int) -> Floats:
        """Calendar days between the expiries of two months; NaN where one is not listed."""
        a, b = self.expiry[:, first - 1], self.expiry[:, second - 1]
        known = ~(np.isnat(a) | np.isnat(b))
        return np.where(known, (b - a) / np.timedelta64(1, "D"), np.nan)


def backwardation(curve: VXCurve, share: Decimal) -> tuple[Bools, Floats, Floats]:
    """M1/M2 - 1 strictly above ``share``: (fires, figure in %, distance in points of %)."""
    return excess(curve.month(1), curve.month(2), share)


def shown_levels(inputs: SignalInputs, curve: VXCurve) -> dict[str, LevelSeries]:
    """Index closes, M1, M2 and their ratio, with percentiles of one year."""
    found: dict[str, LevelSeries] = {}
    limit = inputs.params.max_age_days
    for symbol in INDEXES:
        now = inputs.plain(symbol)
        place = inputs.apply(symbol, lambda x: percentile_rank(x, TRADING_DAYS))
        found[symbol] = LevelSeries(
            str(symbol), now.values, now.as_of, place.values, inputs.source(symbol), limit
        )
    first, second = curve.month(1), curve.month(2)
    for name, values in ((FIRST, first), (SECOND, second), (RATIO, first / second)):
        known = np.isfinite(values)
        percentile = np.full(len(values), np.nan)
        percentile[known] = percentile_rank(values[known], TRADING_DAYS)
        found[name] = LevelSeries(name, values, curve.as_of, percentile, "VX settlements", limit)
    return found


def curve_columns(inputs: SignalInputs, curve: VXCurve) -> list[SignalColumn]:
    """Backwardation, contango, slope, shape and roll yield."""
    p = inputs.params
    on, value, distance = backwardation(curve, p.backwardation_above)
    found = [
        inputs.column(
            K.BACKWARDATION,
            "VX backwardation, M1/M2 − 1",
            DatedValues(value, curve.as_of),
            unit="%",
            threshold=f"> {float(p.backwardation_above * 100):g}",
            source=_SOURCE,
            provenance="S4",
            why_unknown=_NO_CURVE,
            on=on,
            distance=distance,
        )
    ]
    on, value, distance = excess(curve.month(2), curve.month(1), Decimal(0))
    found.append(
        inputs.column(
            K.CONTANGO,
            "VX contango, M2/M1 − 1",
            DatedValues(value, curve.as_of),
            unit="%",
            threshold="> 0",
            source=_SOURCE,
            provenance="method 3",
            why_unknown=_NO_CURVE,
            on=on,
            distance=distance,
        )
    )
    return [*found, _slope(inputs, curve), _shape(inputs, curve), _roll_yield(inputs, curve)]


def _slope(inputs: SignalInputs, curve: VXCurve) -> SignalColumn:
    """Rise from M1 to M4 in percent of M1 for each month between their expiries."""
    months = curve.days_between(1, 4) / _MONTH
    value = 100 * (curve.month(4) / curve.month(1) - 1) / months
    on, distance = below(value, 0.0)
    return inputs.column(
        K.VX_SLOPE,
        "VX slope, M1 to M4",
        DatedValues(value, curve.as_of),
        unit="% a month",
        threshold="< 0 (falling)",
        source=_SOURCE,
        provenance=f"method 3; rule {PROPOSED}",
        why_unknown=_NO_CURVE,
        on=on,
        distance=distance,
    )


def _shape(inputs: SignalInputs, curve: VXCurve) -> SignalColumn:
    """M2 above (+) or below (-) the straight line from M1 to M3, percent; on when M1 to M3 bend both ways."""
    first, second, third = (whole(curve.month(n)) for n in (1, 2, 3))
    near, far = curve.days_between(1, 2), curve.days_between(1, 3)
    line = curve.month(1) + (curve.month(3) - curve.month(1)) * near / far
    value = 100 * (curve.month(2) / line - 1)
    bends = (second - first) * (third - second) < 0
    return inputs.column(
        K.VX_SHAPE,
        "VX shape, M2 against the line from M1 to M3",
        DatedValues(value, curve.as_of),
        unit="%",
        threshold="M1 to M3 neither rise nor fall throughout",
        source=_SOURCE,
        provenance=f"method 3; rule {PROPOSED}",
        why_unknown=_NO_CURVE,
        on=bends,
    )


def _roll_yield(inputs: SignalInputs, curve: VXCurve) -> SignalColumn:
    """What a long M2 earns on its way to M1 if the curve stays: ln(M1/M2) a year, percent."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 100 * np.log(curve.month(1) / curve.month(2)) * 365 / curve.days_between(1, 2)
    on, distance = above(value, 0.0)
    return inputs.column(
        K.ROLL_YIELD,
        "Roll yield of a long VX position",
        DatedValues(value, curve.as_of),
        unit="% a year",
        threshold="> 0 (a long hedge earns)",
        source=_SOURCE,
        provenance=f"method 3; rule {PROPOSED}",
        why_unknown=_NO_CURVE,
        on=on,
        distance=distance,
    )


def open_interest(inputs: SignalInputs, curve: VXCurve) -> SignalColumn:
    """Open contracts over all monthly VX futures."""
    p = inputs.params
    known = np.isfinite(curve.open_interest)
    total = np.where(known.any(axis=1), np.where(known, curve.open_interest, 0.0).sum(axis=1), np.nan)
    on, distance = below(total, p.open_interest_below)
    return inputs.column(
        K.VX_OPEN_INTEREST,
        "VX open interest, all months",
        DatedValues(total, curve.as_of),
        unit="contracts",
        threshold=f"< {p.open_interest_below:,.0f} (thin)",
        source=_SOURCE,
        provenance=f"S2, S3; rule {PROPOSED}",
        why_unknown="No VX open interest of this session.",
        on=on,
        distance=distance,
    )
