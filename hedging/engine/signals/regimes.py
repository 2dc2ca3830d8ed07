"""The regime of every session: a machine that walks forward and never looks ahead.

Six states. An expansion starts when VIX jumps against its recent median, stays isolated until it
persists, is a confirmed shift while the VX curve confirms it, and ends only after several quiet closes.
Outside an expansion the market is calm, compressed, or in a realized-vol collapse. docs/adr/0009 gives
every rule and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hedging.engine.history.series import Days
from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.types import Regime, RegimeDay
from hedging.maths.arrays import Bools, Floats

States = NDArray[np.int8]

#: The code of a regime is its place here.
ORDER: Final = tuple(Regime)
EXPANSIONS: Final = frozenset({Regime.ISOLATED_EXPANSION, Regime.PERSISTENT_EXPANSION, Regime.REGIME_SHIFT})


@dataclass(frozen=True)
class RegimeInputs:
    """What the machine reads, one entry a session; states are 1 on, 0 off, -1 unknown.

    ``jump`` and ``settled`` are VIX over the medians of ``expansion_median`` and ``exit_median`` sessions
    before the day; ``backwardated`` is M1 > M2; ``stress`` REER stress or a market-cap rotation;
    ``percentile`` VIX's share of the last year at or below it.
    """

    days: Days
    vix: Floats
    jump: Floats
    settled: Floats
    backwardated: States
    shift: States
    collapse: States
    stress: States
    macro_stable: States
    percentile: Floats
    rv_iv: Floats


@dataclass(frozen=True)
class RegimeRun:
    """A run of sessions in one regime, first and last day included."""

    regime: Regime
    first: date
    last: date
    sessions: int


@dataclass(frozen=True)
class RegimeHistory:
    """The regime of every session with its run, and what it was decided on."""

    inputs: RegimeInputs
    params: SignalParams
    codes: NDArray[np.int8]
    began: NDArray[np.int64]
    expansion_began: NDArray[np.int64]

    def regime(self, at: int) -> Regime:
        """The regime of a session."""
        return ORDER[int(self.codes[at])]

    def mask(self, *regimes: Regime) -> Bools:
        """Sessions in any of the regimes."""
        return np.isin(self.codes, [ORDER.index(regime) for regime in regimes])

    def on(self, at: int, day: date) -> RegimeDay:
        """The regime that session ``at`` gives to ``day``, with its reasons."""
        since = self.inputs.days[self.began[at]].item()
        return RegimeDay(day, self.regime(at), since, self._reasons(at))

    @staticmethod
    def unknown(day: date, reason: str) -> RegimeDay:
        """No regime, and why."""
        return RegimeDay(day, Regime.UNKNOWN, day, (reason,))

    def runs(self) -> tuple[RegimeRun, ...]:
        """The whole history as runs, oldest first."""
        size = len(self.codes)
        starts = np.flatnonzero(np.diff(self.codes, prepend=-1))
        ends = np.concatenate([starts[1:], [size]]) - 1 if size else starts
        days = self.inputs.days
        return tuple(
            RegimeRun(self.regime(int(a)), days[a].item(), days[b].item(), int(b - a + 1))
            for a, b in zip(starts, ends, strict=True)
        )

    def _reasons(self, at: int) -> tuple[str, ...]:
        regime = self.regime(at)
        if regime is Regime.UNKNOWN:
            return ("VIX is unknown, or fewer closes are stored than its medians need.",)
        x, p = self.inputs, self.params
        parts = [_vix_text(x, p, at)]
        if regime in EXPANSIONS:
            parts += self._expansion_reasons(regime, at)
        elif regime is Regime.RV_COLLAPSE:
            held = "fires" if x.collapse[at] == 1 else f"fired within {p.calm_closes} closes"
            parts.append(f"The realized-vol collapse signal {held}.")
        elif regime is Regime.COMPRESSED:
            parts.append(f"VIX is at the {x.percentile[at]:.0%} point of its year.")
            parts.append(f"RV10/IV30 is {x.rv_iv[at]:.2f}.")
        else:
            parts.append("No expansion is in force and nothing is compressed.")
        if x.backwardated[at] != -1:
            parts.append("M1 is above M2." if x.backwardated[at] == 1 else "M1 is not above M2.")
        else:
            parts.append("The VX curve is unknown.")
        return tuple(parts)

    def _expansion_reasons(self, regime: Regime, at: int) -> list[str]:
        x, p = self.inputs, self.params
        start = int(self.expansion_began[at])
        parts = [f"Expansion since {x.days[start].item()}, {at - start + 1} closes."]
        if regime is Regime.REGIME_SHIFT:
            if x.shift[at] == 1:
                run = f"M1 above M2 for {p.shift_closes} closes"
                parts.append(f"{run} and VIX above {p.shift_vix_above:g} confirm a shift.")
            else:
                parts.append(f"A shift ends after {p.shift_exit_closes} closes without M1 above M2.")
        elif regime is Regime.PERSISTENT_EXPANSION:
            parts.append(
                "REER or market-cap stress supports it."
                if x.stress[at] == 1
                else f"It follows a shift or lasts {p.long_expansion_closes} closes or more."
            )
        stable = {1: "CPI and PPI are stable.", 0: "CPI or PPI is not stable.", -1: "CPI or PPI is unknown."}
        parts.append(stable[int(x.macro_stable[at])])
        return parts


def _vix_text(x: RegimeInputs, p: SignalParams, at: int) -> str:
    return (
        f"VIX {x.vix[at]:.2f}, {x.jump[at]:.2f} times its median of {p.expansion_median} sessions and "
        f"{x.settled[at]:.2f} times that of {p.exit_median}."
    )


class _Machine:
    """The state carried from close to close."""

    def __init__(self, params: SignalParams) -> None:
        self.p = params
        self.forget()

    def forget(self) -> None:
        """Start afresh, as after a gap: nobody knows what held in it."""
        self.state = Regime.CALM
        self.expansion: int | None = None
        self.shifted = False
        self.quiet = 0  # closes in a row that speak for the end of an expansion
        self.uncurved = 0  # closes in a row without backwardation
        self.no_collapse = 0
        self.tight, self.loose = 0, 0

    def step(self, at: int, x: _Row) -> Regime:
        """The regime of the session."""
        p = self.p
        self.quiet = self.quiet + 1 if x.quiet else 0
        self.uncurved = 0 if x.backwardated else self.uncurved + 1
        self.no_collapse = 0 if x.collapse else self.no_collapse + 1
        self.tight = self.tight + 1 if x.tight else 0
        self.loose = self.loose + 1 if x.loose else 0
        if self.expansion is not None and (
            self.quiet >= p.exit_closes or (x.collapse and not x.shift and not x.jumps)
        ):
            self.expansion, self.shifted = None, False
        if self.expansion is None and (x.jumps or x.shift):
            self.expansion = at
        self.state = self._quiet_state(x) if self.expansion is None else self._expanded(at, x)
        return self.state

    def _expanded(self, at: int, x: _Row) -> Regime:
        p = self.p
        assert self.expansion is not None
        if x.shift:
            self.shifted = True
            return Regime.REGIME_SHIFT
        if self.state is Regime.REGIME_SHIFT and self.uncurved < p.shift_exit_closes:
            return Regime.REGIME_SHIFT
        closes = at - self.expansion + 1
        lasting = self.shifted or closes >= p.long_expansion_closes
        if lasting or self.state is Regime.PERSISTENT_EXPANSION:
            return Regime.PERSISTENT_EXPANSION
        if x.stress and closes >= p.persistent_closes:
            return Regime.PERSISTENT_EXPANSION
        return Regime.ISOLATED_EXPANSION

    def _quiet_state(self, x: _Row) -> Regime:
        p = self.p
        if x.collapse or (self.state is Regime.RV_COLLAPSE and self.no_collapse < p.calm_closes):
            return Regime.RV_COLLAPSE
        if self.state is Regime.COMPRESSED:
            return Regime.CALM if self.loose >= p.calm_closes else Regime.COMPRESSED
        return Regime.COMPRESSED if self.tight >= p.calm_closes else Regime.CALM


@dataclass(frozen=True, slots=True)
class _Row:
    """What one session says."""

    jumps: bool
    quiet: bool
    backwardated: bool
    shift: bool
    collapse: bool
    stress: bool
    tight: bool
    loose: bool


def regimes(x: RegimeInputs, params: SignalParams) -> RegimeHistory:
    """Walk the sessions once, oldest first. Unknown never counts as on."""
    p, size = params, len(x.days)
    with np.errstate(invalid="ignore"):
        known = np.isfinite(x.vix) & np.isfinite(x.jump)
        back = x.backwardated == 1
        jumps = (x.vix > p.expansion_vix_above) & (np.round(x.jump, 9) >= p.expansion_ratio)
        low = (x.vix <= p.expansion_vix_above) | (x.settled < p.exit_ratio)
        quiet = ~back & (x.vix < p.exit_vix_below) & low
        # An unknown curve does not block compression; a known inverted one does.
        tight = ~back & (x.percentile <= p.compressed_enter) & (x.rv_iv < 1)
        loose = back | (x.percentile > p.compressed_exit) | (x.rv_iv >= 1)
    shift, collapse, stress = x.shift == 1, x.collapse == 1, x.stress == 1
    columns = (jumps, quiet, back, shift, collapse, stress, tight, loose)
    table = np.stack(columns, axis=1).tolist()
    machine = _Machine(params)
    codes = np.full(size, ORDER.index(Regime.UNKNOWN), dtype=np.int8)
    expansion_began = np.full(size, -1, dtype=np.int64)
    for at in range(size):
        if not known[at]:
            machine.forget()
            continue
        codes[at] = ORDER.index(machine.step(at, _Row(*table[at])))
        if machine.expansion is not None:
            expansion_began[at] = machine.expansion
    index = np.arange(size)
    began = np.maximum.accumulate(np.where(np.diff(codes, prepend=-1) != 0, index, 0)) if size else index
    return RegimeHistory(x, params, codes, began, expansion_began)
