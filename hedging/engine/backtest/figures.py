"""Figures of a finished run: returns, drawdowns, months, the hedge as an investment, the claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from hedging.engine.backtest.types import BacktestResult
from hedging.engine.history.series import Days, to_date
from hedging.engine.results import claims
from hedging.engine.results.capital import embedded_rate, flow_returns, quick_ratio
from hedging.maths.arrays import Floats

_YEAR = 252
#: What the claims are read from, told beside their verdicts.
CLAIM_NOTES = {
    "drawdown_cut": "Both paths hold the same condors on the same days; only the layers' money differs.",
    "annual_cost": "What hedging lost after its gains and its trading costs.",
    "net_credit_months": "The layers' own cash: payouts less premiums and costs, without financing legs.",
    "payouts_over_carry": "Cash received for hedges over cash paid for them with their costs.",
    "forced_unwinds": "Margin here is the fixed width of the condors, so a call needs a loss of most equity.",
    "credit_identity": "Credit collected by all condors of a year over equity.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Path:
    """One equity path. Rates are fractions; ``worst_from`` to ``worst_to`` is peak to trough, ISO days."""

    final: float
    total_return: float
    annual_return: float | None
    volatility: float
    max_drawdown: float
    worst_from: str
    worst_to: str
    worst_day: float
    positive_months: float


def path_of(days: Days, equity: Floats, capital: float) -> Path:
    """Figures of daily equity that started from ``capital`` dollars."""
    before = np.concatenate([[capital], equity[:-1]])
    returns = equity / before - 1
    falls = drawdown(equity, capital)
    low = int(np.argmin(falls))
    high = int(np.argmax(equity[: low + 1]))
    years = float((days[-1] - days[0]).astype(int)) / 365.25
    growth = float(equity[-1] / capital)
    monthly = month_returns(days, equity, capital)
    return Path(
        final=float(equity[-1]), total_return=growth - 1,
        annual_return=growth ** (1 / years) - 1 if years >= 0.5 and growth > 0 else None,
        volatility=float(np.std(returns[1:], ddof=1) * np.sqrt(_YEAR)) if len(returns) > 2 else 0.0,
        max_drawdown=float(-falls[low]), worst_from=str(days[high]), worst_to=str(days[low]),
        worst_day=float(returns.min()), positive_months=float(np.mean([r > 0 for _, r in monthly])),
    )  # fmt: skip


def drawdown(equity: Floats, capital: float) -> Floats:
    """Equity under its highest so far, 0 or negative, as a fraction."""
    peak = np.maximum(np.maximum.accumulate(equity), capital)
    return np.asarray(equity / peak - 1)


def _month_ends(days: Days) -> tuple[list[str], np.ndarray]:
    months = days.astype("datetime64[M]")
    last = np.flatnonzero(np.concatenate([months[1:] != months[:-1], [True]]))
    return [str(months[at]) for at in last], last


def month_returns(days: Days, equity: Floats, capital: float) -> list[tuple[str, float]]:
    """(``2008-10``, return) by month; the first from the start, the last to the end of the range."""
    names, last = _month_ends(days)
    ends = equity[last]
    starts = np.concatenate([[capital], ends[:-1]])
    return [(name, float(e / s - 1)) for name, e, s in zip(names, ends, starts, strict=True)]


def monthly_sums(days: Days, values: Floats) -> Floats:
    """Sums by month."""
    _, last = _month_ends(days)
    total = np.concatenate([[0.0], np.cumsum(values)[last]])
    return np.asarray(np.diff(total))


def claims_of(result: BacktestResult, *, draws: int = claims.DRAWS) -> tuple[claims.ClaimFinding, ...]:
    """The method's claims on this run; without a hedge there is nothing to find."""
    days, equity = result.days, result.equity
    before = np.concatenate([[result.settings.capital], equity[:-1]])
    bare = np.concatenate([[result.settings.capital], result.bare_equity[:-1]])
    daily = np.column_stack([result.pnl.sum(axis=1) / before, result.bare_pnl / bare])
    _, last = _month_ends(days)
    counts = np.diff(np.concatenate([[0], last + 1]))
    mean = monthly_sums(days, equity) / counts
    costs = -monthly_sums(days, result.pnl[:, 5])
    paid, got = monthly_sums(days, result.premium) + costs, monthly_sums(days, result.payout)
    months = np.column_stack(
        [
            monthly_sums(days, result.hedge_pnl), mean, got - paid, got, paid,
            monthly_sums(days, result.credit),
        ]
    )  # fmt: skip
    found = claims.findings(
        daily_returns=daily, months=months, sessions=len(days), unwinds=len(result.forced), draws=draws,
        seed=result.settings.seed,
    )  # fmt: skip
    return found if result.credit.any() else tuple(f for f in found if f.claim.key != "credit_identity")


def hedge_figures(result: BacktestResult) -> dict[str, Any]:
    """The layers as insurance and as an investment: dollars, and XIRR of premiums out and payouts in."""
    net = result.payout - result.premium + result.pnl[:, 5]
    at = np.flatnonzero(np.abs(net) > 0.005)
    flows = [(to_date(result.days[i]), float(net[i])) for i in at]
    if result.hedge_marks[-1] > 0:
        flows.append((to_date(result.days[-1]), float(result.hedge_marks[-1])))
    years = max(float((result.days[-1] - result.days[0]).astype(int)) / 365.25, 1 / 365)
    costs = -float(result.pnl[:, 5].sum())
    premium, payout = float(result.premium.sum()), float(result.payout.sum())
    returns = flow_returns(flows) if len(flows) > 1 else None
    return {
        "premium": premium,
        "payout": payout,
        "costs": costs,
        "pnl": float(result.hedge_pnl.sum()),
        "loss_ratio": payout / premium if premium else None,
        "cost_a_year": -float(result.hedge_pnl.sum()) / float(result.equity.mean()) / years,
        "xirr": returns.xirr if returns else None,
        "layers": [float(result.pnl[:, number].sum()) for number in (1, 2, 3)],
    }


def capital_figures(result: BacktestResult) -> dict[str, Any]:
    """What CMP compares: financing rate, quick ratio at its lowest, cost and time to unwind."""
    years = np.diff(result.days.astype(np.int64), prepend=result.days[0].astype(np.int64)) / 365
    used = result.margin + result.locked
    dollars = float((used * years).sum())
    idle = float((result.locked * years).sum())
    earned = float(result.pnl[:, 6].sum())
    rate = earned / float((np.maximum(result.cash - result.locked, 1.0) * years).sum())
    held = used > 0
    free = np.minimum(result.cash - result.locked, result.equity)
    worst = [quick_ratio(float(f), float(m)) for f, m in zip(free[held], result.margin[held], strict=True)]
    ratios = [one for one in worst if one is not None]
    return {
        "financing_rate": embedded_rate(
            -float(result.hedge_pnl.sum()), rate * idle, 0.0, dollars * 365
        ),
        "quick_ratio_low": min(ratios) if ratios else None,
        "margin_mean": float(np.mean(result.margin / np.maximum(result.equity, 1.0))),
        "locked_mean": float(np.mean(result.locked / np.maximum(result.equity, 1.0))),
        "unwind_cost": result.unwind_cost,
        "unwind_days": result.unwind_days,
        "forced": [day.isoformat() for day in result.forced],
    }  # fmt: skip


def report_of(result: BacktestResult, *, draws: int = claims.DRAWS) -> dict[str, Any]:
    """Everything a page, the API or a file shows, as JSON values; a run repeated gives the same report."""
    capital, hedged = result.settings.capital, bool(result.premium.any())
    condors = [trade for trade in result.trades if trade.part == 0 and trade.why != "open"]
    week = _weekly(result.days)
    return {
        "from": str(result.days[0]),
        "to": str(result.days[-1]),
        "sessions": len(result.days),
        "account": asdict(path_of(result.days, result.equity, capital)),
        "bare": asdict(path_of(result.days, result.bare_equity, capital)),
        "condors": {
            "closed": len(condors),
            "won": sum(trade.pnl > 0 for trade in condors),
            "credit": float(result.credit.sum()),
            "pnl": float(result.pnl[:, 0].sum() + result.pnl[:, 4].sum()),
            "costs": -float(result.pnl[:, 4].sum()),
        },
        "interest": float(result.pnl[:, 6].sum()),
        "index": float(result.pnl[:, 7].sum()),
        "hedge": hedge_figures(result) if hedged else None,
        "capital": capital_figures(result),
        "months": month_returns(result.days, result.equity, capital),
        "weeks": {
            "days": [str(day) for day in result.days[week]],
            "equity": [round(float(x), 2) for x in result.equity[week]],
            "bare": [round(float(x), 2) for x in result.bare_equity[week]],
            "drawdown": [round(float(x) * 100, 3) for x in drawdown(result.equity, capital)[week]],
            "bare_drawdown": [round(float(x) * 100, 3) for x in drawdown(result.bare_equity, capital)[week]],
        },
        "trades": [_trade(trade) for trade in result.trades],
        "claims": [_finding(one) for one in claims_of(result, draws=draws)] if hedged else [],
        "assumptions": list(result.assumptions),
        "gaps": list(result.gaps),
    }  # fmt: skip


def _weekly(days: Days) -> np.ndarray:
    """Rows of each week's last session and of the first day."""
    weeks = (days.astype(np.int64) + 3) // 7
    last = np.flatnonzero(np.concatenate([weeks[1:] != weeks[:-1], [True]]))
    return np.unique(np.concatenate([[0], last]))


def _trade(trade: Any) -> dict[str, Any]:
    return {
        "part": trade.part, "instrument": trade.instrument, "opened": trade.opened.isoformat(),
        "closed": trade.closed.isoformat(), "expiry": trade.expiry.isoformat(), "legs": trade.symbol,
        "contracts": trade.contracts, "in": round(trade.cash_in, 2), "out": round(trade.cash_out, 2),
        "costs": round(trade.costs, 2), "pnl": round(trade.pnl, 2), "why": trade.why,
    }  # fmt: skip


def _finding(one: claims.ClaimFinding) -> dict[str, Any]:
    interval = one.interval
    return {
        "key": one.claim.key, "text": one.claim.text, "reading": one.claim.reading, "unit": one.claim.unit,
        "value": one.value, "low": interval.low if interval else None,
        "high": interval.high if interval else None, "level": interval.level if interval else None,
        "verdict": one.verdict.value, "why": one.why, "note": CLAIM_NOTES[one.claim.key],
        "observations": one.observations,
    }  # fmt: skip


def against_benchmark(result: BacktestResult, months: Mapping[str, float]) -> dict[str, Any] | None:
    """Monthly returns beside a published index, levels by month (``2010-01``); None under 12 months.

    ``tracking`` is the standard deviation of the difference a year, ``difference`` its mean a year.
    """
    own = dict(month_returns(result.days, result.equity, result.settings.capital))
    names = sorted(months)
    pairs = [
        (own[b], months[b] / months[a] - 1)
        for a, b in pairwise(names)
        if b in own and np.datetime64(b, "M") - np.datetime64(a, "M") == np.timedelta64(1, "M")
    ]
    if len(pairs) < 12:
        return None
    ours, theirs = np.array(pairs).T
    gap = ours - theirs
    years = len(pairs) / 12
    return {
        "months": len(pairs),
        "correlation": float(np.corrcoef(ours, theirs)[0, 1]),
        "difference": float(gap.mean() * 12),
        "tracking": float(gap.std(ddof=1) * np.sqrt(12)),
        "beta": float(np.polyfit(theirs, ours, 1)[0]),
        "ours": float(np.prod(1 + ours) ** (1 / years) - 1),
        "theirs": float(np.prod(1 + theirs) ** (1 / years) - 1),
        "our_volatility": float(ours.std(ddof=1) * np.sqrt(12)),
        "their_volatility": float(theirs.std(ddof=1) * np.sqrt(12)),
    }
