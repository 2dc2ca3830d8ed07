"""The implied-volatility smile of one expiry, free of butterfly arbitrage by construction.

From eight quotes on, a non-negative mixture of lognormals is fitted to bid and ask
(``hedging.maths.density``); three to seven quotes carry an SSVI slice (level, tilt, curvature), fewer a flat
smile. Each is a true density, so call prices are convex at every strike. The smile keeps total variance
w(k) = σ²T over log-moneyness k = ln(K/F) on dense nodes (cubic spline) and goes on in straight lines beyond
them, never steeper than R. Lee, "The moment formula for implied volatility at extreme strikes",
Math. Finance 14 (2004) allows. docs/adr/0006 says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedging.maths import black76
from hedging.maths.arrays import Floats
from hedging.maths.density import SPACING, fit_mixture, stretched_grid
from hedging.maths.implied_vol import implied_vol
from hedging.maths.ssvi import largest_phi, slice_variance

_MIN_MIXTURE = 8
_MIN_SSVI = 3
_LEE_SLOPE = 1.98
_PRICE_FLOOR = 1e-11  # of the forward: below it double precision holds no volatility


class SmileModel(StrEnum):
    """How a smile was made, best first.

    INTERPOLATED lies between quoted expiries, LEVELS follows from index levels without any option quote.
    """

    MIXTURE = "mixture"
    SSVI = "SSVI"
    FLAT = "flat"
    INTERPOLATED = "interpolated"
    LEVELS = "from index levels"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Smile:
    """A fitted smile. ``vol`` answers any strike; NaN throughout when ``model`` is UNKNOWN.

    ``k_nodes`` and ``w_nodes`` sample the total variance, ``bend`` is its second derivative there (straight
    lines between the nodes when empty); outside it continues with ``slopes`` per unit of k.
    ``rmse_vol_points`` is vega-weighted against the mids, ``inside_share`` the share of quotes whose
    fitted volatility lies within bid and ask. Where one of ``floors`` (smiles of earlier expiries) has
    more total variance, that holds instead: see ``hedging.maths.surface``.
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
    bend: Floats | None = None
    floors: tuple[Smile, ...] = ()

    def total_variance(self, k: ArrayLike) -> Floats:
        """w(k) for log-moneyness of any shape."""
        x = np.asarray(k, dtype=np.float64)
        if self.model is SmileModel.UNKNOWN:
            return np.full(x.shape, np.nan)
        found = self.own_variance(x)
        for floor in self.floors:
            found = np.maximum(found, floor.own_variance(x))
        return found

    def own_variance(self, x: Floats) -> Floats:
        """w(k) of this expiry's fit alone, without its floors."""
        nodes, w = self.k_nodes, self.w_nodes
        inner = np.clip(x, nodes[0], nodes[-1])
        left = np.clip(np.searchsorted(nodes, inner, side="right") - 1, 0, len(nodes) - 2)
        gap = nodes[left + 1] - nodes[left]
        b = (inner - nodes[left]) / gap
        a = 1.0 - b
        value = a * w[left] + b * w[left + 1]
        if self.bend is not None:
            value += ((a**3 - a) * self.bend[left] + (b**3 - b) * self.bend[left + 1]) * gap * gap / 6.0
        return np.asarray(
            value
            + self.slopes[0] * np.minimum(x - nodes[0], 0)
            + self.slopes[1] * np.maximum(x - nodes[-1], 0)
        )

    def vol(self, strike: ArrayLike) -> Floats:
        """Implied volatility (0.20 = 20%) at strikes of any shape."""
        k = np.log(np.asarray(strike, dtype=np.float64) / self.forward)
        return np.sqrt(np.maximum(self.total_variance(k), 1e-12) / self.t)

    def shifted(self, forward: float) -> Smile:
        """The same smile in log-moneyness around another forward (sticky moneyness)."""
        return replace(self, forward=forward)


def smile_from_variance(
    forward: float,
    t: float,
    model: SmileModel,
    k: Floats,
    w: Floats,
    *,
    spline: Floats | None = None,
    **quality: float,
) -> Smile:
    """A smile through total variance ``w`` at ascending ``k``, with spline and wings worked out.

    ``spline`` is ``spline_matrix(k)`` where it is known already.
    """
    w = np.maximum(w, 1e-10)
    bend = None
    if len(k) > 3:
        bend = cubic_spline(k, w) if spline is None else spline @ w
    slopes = _end_slopes(k, w, bend)
    return Smile(
        forward,
        t,
        model,
        k,
        w,
        (float(np.clip(slopes[0], -_LEE_SLOPE, 0.0)), float(np.clip(slopes[1], 0.0, _LEE_SLOPE))),
        quality.get("rmse_vol_points", float("nan")),
        quality.get("inside_share", float("nan")),
        int(quality.get("n_quotes", 0)),
        bend,
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
    bid vol and counts as unbounded below); ``vega`` per 1.00 vol weights the quality figures. Never raises
    on thin quotes: below eight an SSVI slice, below three a flat smile, none UNKNOWN.
    """
    k_all = np.log(np.asarray(strikes, dtype=np.float64) / forward)
    bid, ask, mid, weight = (np.asarray(a, dtype=np.float64) for a in (bid_iv, ask_iv, mid_iv, vega))
    use = _usable(k_all, mid, weight)
    if not use.any() or not t > 0 or not forward > 0:
        return unknown_smile(forward, t)
    order = np.argsort(k_all[use])
    k, b, a, m, v = (x[use][order] for x in (k_all, bid, ask, mid, weight))
    model, nodes, values = _fit(k, b, a, m, t)
    return smile_with_quality(smile_from_variance(forward, t, model, nodes, values), k, b, a, m, v)


def smile_with_quality(
    smile: Smile, k: Floats, bid_iv: Floats, ask_iv: Floats, mid_iv: Floats, vega: Floats
) -> Smile:
    """The smile with its figures against quotes at log-moneyness ``k``; unusable ones are left out."""
    use = _usable(k, mid_iv, vega)
    if not use.any():
        return smile
    k, bid_iv, ask_iv, mid_iv, vega = (x[use] for x in (k, bid_iv, ask_iv, mid_iv, vega))
    fitted = np.sqrt(smile.total_variance(k) / smile.t)
    inside = (fitted >= np.where(np.isfinite(bid_iv), bid_iv, 0.0) - 1e-9) & (
        fitted <= np.where(np.isfinite(ask_iv), ask_iv, np.inf) + 1e-9
    )
    return replace(
        smile,
        rmse_vol_points=float(np.sqrt(np.average(((fitted - mid_iv) * 100) ** 2, weights=vega))),
        inside_share=float(inside.mean()),
        n_quotes=len(k),
    )


def _usable(k: Floats, mid: Floats, vega: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(mid) & (mid > 0) & np.isfinite(k) & np.isfinite(vega) & (vega > 0))


def _fit(k: Floats, bid: Floats, ask: Floats, mid: Floats, t: float) -> tuple[SmileModel, Floats, Floats]:
    """Model, nodes and total variance there, from sorted quotes."""
    side = np.where(k >= 0, 1.0, -1.0)
    strike = np.exp(k)
    price = black76.price(1.0, strike, t, mid, 1.0, side)
    low = np.where(np.isfinite(bid), black76.price(1.0, strike, t, bid, 1.0, side), 0.0)
    high = np.where(np.isfinite(ask), black76.price(1.0, strike, t, ask, 1.0, side), 2.0 * price - low)
    half_spread = np.maximum(0.5 * (high - low), 1e-3 * price + 1e-7)
    level = float(np.interp(0.0, k, mid))
    deviation = level * np.sqrt(t)
    if len(k) < _MIN_SSVI:
        weights = 1.0 / half_spread**2
        flat = float(np.average(mid * mid * t, weights=weights))
        return SmileModel.FLAT, np.array([k[0] - 1e-6, k[-1] + 1e-6]), np.full(2, flat)
    z = k / deviation
    nodes = (
        stretched_grid(min(1.3 * z[0] - 1.0, -4.0), max(1.3 * z[-1] + 1.0, 4.0), SPACING / 3.0) * deviation
    )
    if len(k) < _MIN_MIXTURE:
        vega = black76.greeks(1.0, strike, t, mid, 1.0, side).vega
        return SmileModel.SSVI, nodes, _ssvi(k, mid, half_spread / np.maximum(vega, 1e-6), t, nodes)
    values = fit_mixture(k, price, half_spread, deviation).out_of_the_money(nodes)
    node_side = np.where(nodes >= 0, 1.0, -1.0)
    w = implied_vol(values, 1.0, np.exp(nodes), 1.0, 1.0, node_side) ** 2
    sound = np.isfinite(w) & (values > _PRICE_FLOOR)
    return SmileModel.MIXTURE, nodes[sound], w[sound]


def _ssvi(k: Floats, mid: Floats, half: Floats, t: float, nodes: Floats) -> Floats:
    """Total variance at the nodes of the SSVI slice closest to the mids; ``half`` spreads in vol.

    The best of a grid of tilts ρ and curvatures φ√θ, each with the level that fits it. A weak pull to a
    moderate curvature decides what few quotes leave open.
    """
    rho = np.linspace(-0.95, 0.95, 39)[:, None, None]
    bend = np.linspace(0.1, 1.0, 10)[None, :, None]  # of the largest curvature without arbitrage
    weight = 1.0 / half**2
    theta = np.full((39, 10, 1), float(np.interp(0.0, k, mid)) ** 2 * t)
    for _ in range(4):
        w = slice_variance(k, theta, rho, bend * largest_phi(rho, theta))
        vol = np.sqrt(w / t)
        scale = np.sum(weight * mid * vol, axis=-1, keepdims=True) / np.sum(
            weight * vol**2, axis=-1, keepdims=True
        )
        theta = theta * scale**2
    w = slice_variance(k, theta, rho, bend * largest_phi(rho, theta))
    cost = np.sum(weight * (np.sqrt(w / t) - mid) ** 2, axis=-1) + 0.02 * ((bend - 0.5) ** 2)[..., 0]
    i, j = np.unravel_index(int(np.argmin(cost)), cost.shape)
    tilt, level = float(rho[i, 0, 0]), theta[i, j]
    return slice_variance(nodes, level, tilt, float(bend[0, j, 0]) * largest_phi(tilt, level))


def cubic_spline(x: Floats, y: Floats) -> Floats:
    """Second derivatives at the nodes of the cubic spline through (x, y), constant over both end gaps."""
    left, right = _spline_equations(x)
    return np.asarray(np.linalg.solve(left, right @ y))


def spline_matrix(x: Floats) -> Floats:
    """The matrix that takes y to ``cubic_spline(x, y)``; that of c·x is this one over c²."""
    return np.asarray(np.linalg.solve(*_spline_equations(x)))


def _spline_equations(x: Floats) -> tuple[Floats, Floats]:
    """A and B of A·bend = B·y: slopes agree at inner nodes, and the outermost two second derivatives."""
    h = np.diff(x)
    n = len(x)
    left, right = np.zeros((n, n)), np.zeros((n, n))
    inner = np.arange(1, n - 1)
    left[0, :2] = left[-1, :-3:-1] = 1.0, -1.0
    left[inner, inner - 1] = h[:-1]
    left[inner, inner] = 2.0 * (h[:-1] + h[1:])
    left[inner, inner + 1] = h[1:]
    right[inner, inner - 1] = 6.0 / h[:-1]
    right[inner, inner] = -6.0 / h[:-1] - 6.0 / h[1:]
    right[inner, inner + 1] = 6.0 / h[1:]
    return left, right


def _end_slopes(k: Floats, w: Floats, bend: Floats | None) -> tuple[float, float]:
    left, right = (w[1] - w[0]) / (k[1] - k[0]), (w[-1] - w[-2]) / (k[-1] - k[-2])
    if bend is None:
        return float(left), float(right)
    return float(left - bend[0] * (k[1] - k[0]) / 2.0), float(right + bend[-1] * (k[-1] - k[-2]) / 2.0)
