"""Technical indicators over one series of observations, oldest first.

Every result has the shape of its input and stands on the same days: entry i uses entries up to i and
nothing later. NaN where the look-back is not filled yet. Inputs must be finite: a gap is the caller's to
close or to report, because smoothing over one would hide it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from hedging.maths.arrays import Floats

TRADING_DAYS: Final = 252


def _checked(values: Floats, period: int, least: int = 1) -> Floats:
    found = np.ascontiguousarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise ValueError("an indicator reads one series at a time")
    if not np.isfinite(found).all():
        raise ValueError("an indicator reads finite values only")
    if period < least:
        raise ValueError(f"period {period} is below {least}")
    return found


def _windows(values: NDArray[Any], period: int) -> NDArray[Any]:
    return sliding_window_view(values, period)


def _placed(values: Floats, size: int) -> Floats:
    """``values`` at the end of an array of ``size``, NaN before."""
    out = np.full(size, np.nan)
    if len(values):
        out[size - len(values) :] = values
    return out


def ema(values: Floats, period: int, *, start: int = 0) -> Floats:
    """Exponential mean with weight 2/(period+1), seeded by the plain mean of its first ``period`` values.

    ``start`` is the first entry read; the first result stands at ``start + period - 1``.
    """
    data = _checked(values, period)
    out = np.full(len(data), np.nan)
    first = start + period - 1
    if first >= len(data):
        return out
    weight = 2.0 / (period + 1)
    level = float(data[start : first + 1].mean())
    smoothed = [level]
    for value in data[first + 1 :].tolist():
        level += weight * (value - level)
        smoothed.append(level)
    out[first:] = smoothed
    return out


def rsi(values: Floats, period: int = 14) -> Floats:
    """Relative Strength Index, 0 to 100 (J. W. Wilder, "New Concepts in Technical Trading Systems", 1978).

    The first result stands at entry ``period`` and uses plain means of gains and losses; later ones
    smooth with weight 1/period. NaN while nothing has moved at all: the ratio does not exist.
    """
    data = _checked(values, period, 2)
    out = np.full(len(data), np.nan)
    if len(data) <= period:
        return out
    moves = np.diff(data)
    gains, losses = np.maximum(moves, 0.0), np.maximum(-moves, 0.0)
    gain, loss = float(gains[:period].mean()), float(losses[:period].mean())
    smoothed = [(gain, loss)]
    for up, down in zip(gains[period:].tolist(), losses[period:].tolist(), strict=True):
        gain = (gain * (period - 1) + up) / period
        loss = (loss * (period - 1) + down) / period
        smoothed.append((gain, loss))
    pairs = np.array(smoothed)
    total = pairs.sum(axis=1)
    out[period:] = np.divide(100.0 * pairs[:, 0], total, out=np.full(len(pairs), np.nan), where=total > 0)
    return out


def macd(values: Floats, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Floats, Floats, Floats]:
    """MACD line, its signal line and the histogram between them, in the series' unit.

    Line = EMA(fast) - EMA(slow), both seeded to end on the same entry, ``slow - 1``; signal = EMA of the
    line; histogram = line - signal (G. Appel). The signal begins at entry ``slow + signal - 2``.
    """
    if not 0 < fast < slow:
        raise ValueError(f"fast {fast} must lie below slow {slow}")
    data = _checked(values, fast)
    line = ema(data, fast, start=slow - fast) - ema(data, slow)
    known = np.full(len(data), np.nan)
    if len(data) >= slow:
        known[slow - 1 :] = ema(line[slow - 1 :], signal)
    return line, known, line - known


def realized_vol(close: Floats, period: int) -> Floats:
    """Close-to-close volatility of the last ``period`` returns, percent a year.

    100·√(252/n·Σ r²) with log returns and no mean taken out, as variance swaps count it.
    """
    data = _checked(close, period)
    if np.any(data <= 0):
        raise ValueError("prices must be positive")
    if len(data) <= period:
        return np.full(len(data), np.nan)
    squares = np.diff(np.log(data)) ** 2
    return _placed(100 * np.sqrt(TRADING_DAYS * _windows(squares, period).mean(axis=1)), len(data))


def ohlc_is_good(open_: Floats, high: Floats, low: Floats, close: Floats) -> NDArray[np.bool_]:
    """Whether a bar can feed a range estimator.

    Positive prices, open and close inside high and low, a range, and an open of its own: many files
    repeat the previous close as the open.
    """
    with np.errstate(invalid="ignore"):
        inside = (low > 0) & (low <= np.minimum(open_, close)) & (high >= np.maximum(open_, close))
        good: NDArray[np.bool_] = inside & (high > low)
    good[1:] &= open_[1:] != close[:-1]
    return good


def yang_zhang(open_: Floats, high: Floats, low: Floats, close: Floats, period: int) -> Floats:
    """Range volatility of the last ``period`` sessions, percent a year.

    D. Yang and Q. Zhang, "Drift-independent volatility estimation based on high, low, open and close
    prices", Journal of Business 73, 2000:
    σ² = var(overnight) + k·var(open to close) + (1-k)·Rogers-Satchell, k = 0.34/(1.34+(n+1)/(n-1)).
    It takes the overnight jump in and is free of drift, which Garman-Klass and Rogers-Satchell are not
    both. NaN where any bar of the window fails ``ohlc_is_good``; NaN inputs are allowed here.
    """
    if period < 2:
        raise ValueError(f"period {period} is below 2")
    size = len(close)
    good = ohlc_is_good(open_, high, low, close)
    if size <= period:
        return np.full(size, np.nan)
    # The window's first overnight needs the close before it, whatever its own range.
    usable = _windows(good[1:], period).all(axis=1) & (close[: size - period] > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        o, h, low_, c = np.log(open_), np.log(high), np.log(low), np.log(close)
        overnight, day = o[1:] - c[:-1], (c - o)[1:]
        satchell = ((h - c) * (h - o) + (low_ - c) * (low_ - o))[1:]
    k = 0.34 / (1.34 + (period + 1) / (period - 1))
    variance = np.full(size - period, np.nan)
    nights, days, ranges = (_windows(x, period)[usable] for x in (overnight, day, satchell))
    variance[usable] = (
        nights.var(axis=1, ddof=1) + k * days.var(axis=1, ddof=1) + (1 - k) * ranges.mean(axis=1)
    )
    return _placed(100 * np.sqrt(TRADING_DAYS * variance), size)


def z_score(values: Floats, window: int) -> Floats:
    """Standard deviations (n-1) of the entry from the mean of the last ``window`` entries, itself in.

    NaN where the window does not vary.
    """
    data = _checked(values, window, 2)
    if len(data) < window:
        return np.full(len(data), np.nan)
    seen = _windows(data, window)
    spread = seen.std(axis=1, ddof=1)
    away = data[window - 1 :] - seen.mean(axis=1)
    flat = spread <= 1e-12 * np.abs(seen).max(axis=1)
    return _placed(np.divide(away, spread, out=np.full(len(away), np.nan), where=~flat), len(data))


def percentile_rank(values: Floats, window: int) -> Floats:
    """Share (0 to 1) of the last ``window`` entries at or below the entry, itself in."""
    data = _checked(values, window)
    if len(data) < window:
        return np.full(len(data), np.nan)
    return _placed((_windows(data, window) <= data[window - 1 :, None]).mean(axis=1), len(data))


def rolling_quantile(values: Floats, window: int, q: float) -> Floats:
    """The ``q`` quantile (0 to 1, linear between entries) of the last ``window`` entries."""
    data = _checked(values, window)
    if len(data) < window:
        return np.full(len(data), np.nan)
    at = q * (window - 1)
    below, above = int(np.floor(at)), int(np.ceil(at))
    parts = np.partition(_windows(data, window), sorted({below, above}), axis=1)
    return _placed(parts[:, below] + (parts[:, above] - parts[:, below]) * (at - below), len(data))


def rolling_max(values: Floats, window: int) -> Floats:
    """Largest of the last ``window`` entries."""
    data = _checked(values, window)
    if len(data) < window:
        return np.full(len(data), np.nan)
    return _placed(_windows(data, window).max(axis=1), len(data))


def sessions_since_high(values: Floats, window: int) -> Floats:
    """Entries since the newest highest of the last ``window`` entries; 0: the entry itself."""
    data = _checked(values, window)
    if len(data) < window:
        return np.full(len(data), np.nan)
    return _placed(np.argmax(_windows(data, window)[:, ::-1], axis=1).astype(np.float64), len(data))


def change(values: Floats, lag: int) -> Floats:
    """Relative change against ``lag`` entries before: 0.1 is up 10%. NaN where the base is zero."""
    data = _checked(values, lag)
    if len(data) <= lag:
        return np.full(len(data), np.nan)
    base = data[:-lag]
    return _placed(
        np.divide(data[lag:], base, out=np.full(len(base), np.nan), where=base != 0) - 1, len(data)
    )


def drawdown(values: Floats, window: int | None = None) -> Floats:
    """Fall from the highest entry so far (or of the last ``window``): 0 at a high, -0.2 is 20% below."""
    data = _checked(values, window or 1)
    top = np.maximum.accumulate(data) if window is None else rolling_max(data, window)
    return data / top - 1
