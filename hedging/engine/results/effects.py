"""What moved a contract between two marks: Taylor terms, or a full revaluation step by step.

Taylor from the earlier state (spec: δΔF + ½ΓΔF² + νΔσ + Θδt + vanna ΔF Δσ + ½volga Δσ² + ρΔr), Greeks of
``hedging.maths.black76`` on the contract's own forward: the parity forward of its expiry for SPX, the VX
future for VIX options. Futures and shares move one for one. Whatever the terms leave of the change of the
mark is the caller's residual.

Effects are whole hundred-millionths of a point (``SCALE``): integers add without error, so a position is
explained alike whether it was filled at once or in parts, and in whatever order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hedging.maths import black76
from hedging.maths.arrays import Floats, Ints

SCALE = 10**8
MICRO = 10**6
TAYLOR = ("delta", "gamma", "vega", "theta", "vanna", "volga", "rho")
REVALUED = ("time", "forward", "volatility", "cross", "rate")
#: Every column of a leg's day, in the order in which equal remainders are rounded up.
EFFECTS = (*TAYLOR, "trading", "fees", "residual")
REVALUED_EFFECTS = (*REVALUED, "trading", "fees", "residual")


class States(NamedTuple):
    """Market state of contracts at one mark each, vectors of one length; NaN is unknown.

    ``forward`` in points, ``sigma`` a fraction per √year, ``t`` years to settlement, ``rate`` continuous.
    """

    forward: Floats
    sigma: Floats
    t: Floats
    rate: Floats


class Terms(NamedTuple):
    """The unchanging part of contracts: ``strike`` in points, ``right`` +1 call, -1 put, 0 neither."""

    strike: Floats
    right: Floats


def taylor(before: States, after: States, terms: Terms) -> Ints:
    """Taylor effects of one unit, shape (7, n) in the order of ``TAYLOR``; zeros where a state is unknown.

    At settlement (t = 0) there is no volatility to compare: it counts as unchanged.
    """
    after = _settled(before, after)
    option = terms.right != 0
    effects = np.zeros((len(TAYLOR), len(terms.right)))
    effects[0] = np.where(option, 0.0, after.forward - before.forward)
    if option.any():
        b, a = _pick(before, option), _pick(after, option)
        g = black76.greeks(
            b.forward, terms.strike[option], b.t, b.sigma, np.exp(-b.rate * b.t), terms.right[option]
        )
        d_f, d_s, d_t, d_r = a.forward - b.forward, a.sigma - b.sigma, b.t - a.t, a.rate - b.rate
        effects[:, option] = (
            g.delta * d_f,
            0.5 * g.gamma * d_f**2,
            g.vega * d_s,
            g.theta * d_t,
            g.vanna * d_f * d_s,
            0.5 * g.volga * d_s**2,
            g.rho * d_r,
        )
    return _whole(effects)


def revalue(before: States, after: States, terms: Terms) -> Ints:
    """Full revaluation of one unit, shape (5, n) in the order of ``REVALUED``.

    Time passes first; then the forward and the volatility move, each alone, and ``cross`` is what moving
    both adds to the two; the rate comes last. The five add up to the model's whole change.
    """
    after = _settled(before, after)
    option = terms.right != 0
    effects = np.zeros((len(REVALUED), len(terms.right)))
    effects[1] = np.where(option, 0.0, after.forward - before.forward)
    if option.any():
        b, a = _pick(before, option), _pick(after, option)
        strike, right = terms.strike[option], terms.right[option]

        def value(forward: Floats, sigma: Floats, t: Floats, rate: Floats) -> Floats:
            return black76.price(forward, strike, t, sigma, np.exp(-rate * t), right)

        start = value(b.forward, b.sigma, b.t, b.rate)
        later = value(b.forward, b.sigma, a.t, b.rate)
        moved = value(a.forward, b.sigma, a.t, b.rate)
        shifted = value(b.forward, a.sigma, a.t, b.rate)
        both = value(a.forward, a.sigma, a.t, b.rate)
        end = value(a.forward, a.sigma, a.t, a.rate)
        effects[:, option] = (
            later - start,
            moved - later,
            shifted - later,
            both - moved - shifted + later,
            end - both,
        )
    return _whole(effects)


def _settled(before: States, after: States) -> States:
    done = after.t == 0
    return after._replace(
        sigma=np.where(done, before.sigma, after.sigma), rate=np.where(done, before.rate, after.rate)
    )


def _pick(states: States, rows: NDArray[np.bool_]) -> States:
    return States(*(column[rows] for column in states))


def _whole(effects: Floats) -> Ints:
    """Integers; a contract with an unknown state explains nothing."""
    known = np.isfinite(effects).all(axis=0)
    whole: Ints = np.rint(np.where(known, effects, 0.0) * SCALE).astype(np.int64)
    return whole


def half_even(amount: Ints, unit: int) -> Ints:
    """``amount`` in whole ``unit``s, half to even, as ``hedging.engine.money.to_cents`` rounds."""
    floor, rest = np.divmod(amount, unit)
    up = (2 * rest > unit) | ((2 * rest == unit) & (floor % 2 == 1))
    return np.asarray(floor + up, dtype=np.int64)


def cents_of_rows(effects: Ints) -> Ints:
    """Round each column's effects to cents so that they add up to the rounded sum: largest remainder.

    ``effects`` is (k, n) in dollars × ``SCALE``; of equal remainders the earlier row goes up first.
    """
    unit = SCALE // 100
    floors, rests = np.divmod(effects, unit)
    missing = half_even(effects.sum(axis=0), unit) - floors.sum(axis=0)
    order = np.argsort(-rests, axis=0, kind="stable")
    rank = np.argsort(order, axis=0, kind="stable")
    return np.asarray(floors + (rank < missing), dtype=np.int64)
