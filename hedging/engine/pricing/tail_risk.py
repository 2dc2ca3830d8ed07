"""Value at risk and expected shortfall by historical simulation of joint SPX and VIX moves.

Each session of the window is one joint move: today's book is repriced under all of them, in full. Figures
are losses in dollars over one session, with a bootstrap error; they stand beside the stress, which asks for
moves that a calm window does not hold. Source: J. Hull, Options, Futures, and Other Derivatives, chapter
"Value at risk and expected shortfall", historical simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hedging.engine.pricing.scenarios import Shock
from hedging.maths.arrays import Floats

#: Fewer joint moves than this say nothing about one in a hundred.
LEAST_MOVES = 250
_RESAMPLES = 400
_SEED = 20_080_915


@dataclass(frozen=True, slots=True)
class TailRisk:
    """Losses in dollars at one level (a fraction such as 0.99); errors are bootstrap standard errors.

    ``moves`` joint moves in the window. Negative: even the tail gains.
    """

    level: float
    value_at_risk: float
    value_at_risk_error: float
    expected_shortfall: float
    expected_shortfall_error: float
    moves: int


def joint_moves(spx: Sequence[float] | Floats, vix: Sequence[float] | Floats) -> list[Shock]:
    """Session by session: SPX return as a fraction, VIX change in points; NaN on either side is left out.

    ``spx`` and ``vix`` are closes of the same sessions in time order. Raises ValueError for unequal lengths.
    """
    if len(spx) != len(vix):
        raise ValueError("SPX and VIX must have the same sessions")
    s, v = np.asarray(spx, dtype=np.float64), np.asarray(vix, dtype=np.float64)
    returns, changes = s[1:] / s[:-1] - 1, np.diff(v)
    known = np.isfinite(returns) & np.isfinite(changes)
    return [Shock(float(a), float(b)) for a, b in zip(returns[known], changes[known], strict=True)]


def tail_risk(pnl: Floats, level: float) -> TailRisk | None:
    """Of the P&L under each joint move, dollars; None with fewer than LEAST_MOVES or an unknown one.

    Raises ValueError when ``level`` is not within 0.5 and 1.
    """
    if not 0.5 < level < 1:
        raise ValueError("level must lie between 0.5 and 1")
    if len(pnl) < LEAST_MOVES or not np.isfinite(pnl).all():
        return None
    rng = np.random.default_rng(_SEED)
    drawn = np.sort(pnl[rng.integers(0, len(pnl), (_RESAMPLES, len(pnl)))], axis=1)
    value, shortfall = _both(np.sort(pnl)[None], level)
    values, shortfalls = _both(drawn, level)
    return TailRisk(
        level, float(value[0]), float(values.std(ddof=1)), float(shortfall[0]), float(shortfalls.std(ddof=1)),
        len(pnl),
    )  # fmt: skip


def _both(ordered: Floats, level: float) -> tuple[Floats, Floats]:
    """Loss exceeded in 1 - level of the moves, and the mean loss of those at least as bad."""
    count = max(int(np.floor(ordered.shape[1] * (1 - level) + 1e-9)), 1)
    return -ordered[:, count - 1], -ordered[:, :count].mean(axis=1)
