"""What a run took for granted, and where the data had holes: shown with every result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hedging.engine.backtest.plan import LayerSchedule
from hedging.engine.backtest.surfaces import WEEKLY_FROM, Surfaces
from hedging.engine.backtest.types import Core, Exits, Hedge, Settings


def assumptions_of(settings: Settings) -> tuple[str, ...]:
    """The assumptions of a run in full sentences."""
    costs = settings.costs
    delay = "the next session" if settings.delay else "the same session"
    found = [
        "Marks are modelled from VIX9D, VIX, VIX3M, VVIX and VX settlements; no option quotes are used.",
        f"What is known at a close is traded at the close of {delay}, at that close's strikes and prices.",
        "Condors settle on the SPX close, VIX options on the official VRO; cash settlement is free.",
        f"Fridays expire from {WEEKLY_FROM.item().year} on; before, third Fridays only.",
        "Strikes lie every 5 SPX points and every VIX point.",
        f"Each contract costs ${costs.fee:,.2f} a side.",
        (
            f"Each leg pays its half-spread: {costs.share:.1%} of its price, at least {costs.spx_floor:g} "
            f"(SPX) or {costs.vix_floor:g} (VIX) points, wider in proportion to VIX above 20."
        ),
        "Margin is the wider side's width (Cboe rule); it does not move with the market.",
        "Cash earns the 3-month bill rate known the day before; taxes are left out.",
        "Gates follow the ruleset; a signal that is unknown does not open one.",
        "The hedge ceiling is measured at expiry with the VX future doubled or SPX 12% lower.",
        (
            "Not simulated: moved wings, recentred condors, the longer calls after a collapse, hedges moved "
            "out in time, trimming, and the Second Engine."
        ),
    ]
    if settings.exits is Exits.EXPIRY:
        found.append("Condors are held to expiry, whatever the ruleset's alerts say.")
    if settings.core is Core.SPX:
        found.append("Equity outside options is held in the S&P 500 with a constant dividend yield.")
    if settings.hedge is Hedge.PERMANENT:
        found.append(
            "Permanent hedge: bought whatever the gates say, held to expiry, "
            f"{settings.collateral:.0%} of its exposure and {settings.buffer:.0%} of equity locked without "
            f"interest (the loss is in interest, not in the hedge); early exit costs {settings.penalty:.0%}."
        )
    return tuple(found)


def gaps_of(
    market: Surfaces, start: int, last: int, layers: Sequence[LayerSchedule], stale: int, unofficial: int,
    unpriced: Sequence[int],
) -> tuple[str, ...]:  # fmt: skip
    """Data gaps that touched the run, in words."""
    rows = slice(start, last + 1)
    days = market.days[rows]
    free = int(np.sum(market.rate[rows] == 0))
    missing = np.isnan(market.vvix[rows])
    curve = int(np.sum(~np.isfinite(market.vx[rows]).any(axis=1)))
    found = []
    if free:
        found.append(f"No bill or federal funds rate on {free:,} sessions: cash earned nothing.")
    if layers and missing.any():
        found.append(
            f"VVIX is unknown on {int(missing.sum()):,} sessions, the last {days[missing][-1]}: no VIX "
            "option could be bought then."
        )
    if layers and curve:
        found.append(f"The VX curve is unknown on {curve:,} sessions.")
    if stale:
        found.append(f"{stale:,} closes of open positions could not be modelled; the mark before stood in.")
    if unofficial:
        found.append(f"{unofficial:,} VIX positions settled on the last VX settlement: no VRO is stored.")
    found += [
        f"Layer {one.number} was wanted on {unpriced[one.number]:,} sessions without a package to buy."
        for one in layers
        if unpriced[one.number]
    ]
    return tuple(found)
