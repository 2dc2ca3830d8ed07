"""The implied-volatility smile of one expiry: a penalised spline through the quotes.

Total variance w(k) = σ²T over log-moneyness k = ln(K/F) is a cubic B-spline, fitted by weighted least
squares (weights from the quoted width) with a small curvature penalty, and continued as straight
lines whose slope stays below 2, the bound of R. Lee, "The moment formula for implied volatility at
extreme strikes", Math. Finance 14 (2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_KNOTS = 12
_MIN_SPLINE = 8
_LEE_SLOPE = 1.98
_PENALTY = 1e-6


class SmileModel(StrEnum):
    """How a smile was made, best first."""

    SPLINE = "spline"
    QUADRATIC = "quadratic"
    FLAT = "flat"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Smile:
    """A fitted smile. ``vol`` answers any strike; NaN throughout when ``model`` is UNKNOWN.

    ``k_nodes`` and ``w_nodes`` sample the fitted total variance densely; between them it is linear in
    k, outside it continues with ``slopes`` (per unit of k).
    """

    forward: float
    t: float
    model: SmileModel
    k_nodes: Floats
    w_nodes: Floats
    slopes: tuple[float, float]
    rmse_vol_points: float
    inside_share: float
    n_quotes: int

    def total_variance(self, k: ArrayLike) -> Floats:
        """w(k) for log-moneyness of any shape."""
        x = np.asarray(k, dtype=np.float64)
        if self.model is SmileModel.UNKNOWN:
            return np.full(x.shape, np.nan)
        low, high = self.k_nodes[0], self.k_nodes[-1]
        inner = np.interp(x, self.k_nodes, self.w_nodes)
        left = self.w_nodes[0] + self.slopes[0] * (x - low)
        right = self.w_nodes[-1] + self.slopes[1] * (x - high)
        return np.where(x < low, left, np.where(x > high, right, inner))

    def vol(self, strike: ArrayLike) -> Floats:
        """Implied volatility (0.20 = 20%) at strikes of any shape."""
        k = np.log(np.asarray(strike, dtype=np.float64) / self.forward)
        return np.sqrt(np.maximum(self.total_variance(k), 1e-12) / self.t)

    def shifted(self, forward: float) -> Smile:
        """The same smile in log-moneyness around another forward (sticky moneyness)."""
        return Smile(
            forward,
            self.t,
            self.model,
            self.k_nodes,
            self.w_nodes,
            self.slopes,
            self.rmse_vol_points,
            self.inside_share,
            self.n_quotes,
        )


def unknown_smile(forward: float, t: float) -> Smile:
    """The smile of an expiry without usable quotes."""
    empty = np.empty(0)
    return Smile(forward, t, SmileModel.UNKNOWN, empty, empty, (0.0, 0.0), float("nan"), float("nan"), 0)


def fit_smile(
    strikes: ArrayLike,
    bid_iv: ArrayLike,
    ask_iv: ArrayLike,
    mid_iv: ArrayLike,
    vega: ArrayLike,
    forward: float,
    t: float,
) -> Smile:
    """Fit one expiry from its out-of-the-money quotes (one per strike).

    Arrays share one shape; volatilities as fractions, NaN where a side has none (a zero bid has no
    bid vol and counts as unbounded below); ``vega`` per 1.00 vol weights the fit. Never raises on thin
    quotes: below eight a quadratic, below three a flat smile, none UNKNOWN.
    """
    k_all = np.log(np.asarray(strikes, dtype=np.float64) / forward)
    bid, ask, mid, weight = (np.asarray(a, dtype=np.float64) for a in (bid_iv, ask_iv, mid_iv, vega))
    use = np.isfinite(mid) & (mid > 0) & np.isfinite(k_all) & np.isfinite(weight) & (weight > 0)
    if not use.any() or not t > 0 or not forward > 0:
        return unknown_smile(forward, t)
    order = np.argsort(k_all[use])
    k, b, a, m, v = (x[use][order] for x in (k_all, bid, ask, mid, weight))
    half_width = np.where(np.isfinite(a) & np.isfinite(b), (a - b) / 2, 0.25 * m)
    half_width = np.clip(half_width, 0.0005, None)
    w = m * m * t
    sigma_w = 2 * m * t * half_width  # vol error carried into total variance
    model, nodes, values = _fit(k, w, sigma_w)
    values = np.maximum(values, 1e-8)
    slopes = _wing_slopes(nodes, values)
    fitted = np.sqrt(np.interp(k, nodes, values) / t)
    error = (fitted - m) * 100
    low = np.where(np.isfinite(b), b, 0.0)
    high = np.where(np.isfinite(a), a, np.inf)
    inside = (fitted >= low - 1e-9) & (fitted <= high + 1e-9)
    return Smile(
        forward,
        t,
        model,
        nodes,
        values,
        slopes,
        float(np.sqrt(np.average(error**2, weights=v))),
        float(inside.mean()),
        len(k),
    )


def _fit(k: Floats, w: Floats, sigma: Floats) -> tuple[SmileModel, Floats, Floats]:
    if len(k) < 3:
        level = float(np.average(w, weights=1 / sigma**2))
        nodes = np.array([k[0] - 1e-6, k[-1] + 1e-6])
        return SmileModel.FLAT, nodes, np.full(2, level)
    nodes = np.unique(np.concatenate([k, np.linspace(k[0], k[-1], 201)]))
    if len(k) < _MIN_SPLINE:
        coefficients = np.polynomial.polynomial.polyfit(k, w, min(2, len(k) - 1), w=1 / sigma)
        values = np.polynomial.polynomial.polyval(nodes, coefficients)
        return SmileModel.QUADRATIC, nodes, np.asarray(values)
    return SmileModel.SPLINE, nodes, _spline(k, w, sigma, nodes)


def _spline(k: Floats, w: Floats, sigma: Floats, nodes: Floats) -> Floats:
    """Penalised cubic B-spline with knots at quantiles of the quoted strikes, denser at the money."""
    count = min(_KNOTS, len(k) // 3)
    inner = np.unique(np.quantile(k, np.linspace(0, 1, count + 2)))
    knots = np.concatenate([[inner[0]] * 3, inner, [inner[-1]] * 3])
    basis = _basis(k, knots)
    design = basis / sigma[:, None]
    target = w / sigma
    penalty = np.diff(np.eye(basis.shape[1]), n=2, axis=0)
    strength = _PENALTY * np.sum(design**2) / basis.shape[1]
    coefficients = np.linalg.lstsq(
        np.vstack([design, np.sqrt(strength) * penalty]),
        np.concatenate([target, np.zeros(len(penalty))]),
        rcond=None,
    )[0]
    return np.asarray(_basis(nodes, knots) @ coefficients)


def _basis(x: Floats, knots: Floats) -> Floats:
    """Cubic B-spline basis by Cox and de Boor's recursion, shape (len(x), len(knots) - 4)."""
    clipped = np.clip(x, knots[0], np.nextafter(knots[-1], -np.inf))[:, None]
    b = ((knots[:-1] <= clipped) & (clipped < knots[1:])).astype(np.float64)
    for degree in range(1, 4):
        left_span = knots[degree:-1] - knots[: -degree - 1]
        right_span = knots[degree + 1 :] - knots[1:-degree]
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(left_span > 0, (clipped - knots[: -degree - 1]) / left_span, 0.0)
            right = np.where(right_span > 0, (knots[degree + 1 :] - clipped) / right_span, 0.0)
        b = left * b[:, :-1] + right * b[:, 1:]
    return b


def _wing_slopes(nodes: Floats, values: Floats) -> tuple[float, float]:
    """Slopes at the ends, from the outer tenth, kept within Lee's bound and falling inwards."""
    tenth = max(2, len(nodes) // 10)
    left = (values[tenth - 1] - values[0]) / (nodes[tenth - 1] - nodes[0])
    right = (values[-1] - values[-tenth]) / (nodes[-1] - nodes[-tenth])
    return (
        float(np.clip(left, -_LEE_SLOPE, 0.0)),
        float(np.clip(right, 0.0, _LEE_SLOPE)),
    )
