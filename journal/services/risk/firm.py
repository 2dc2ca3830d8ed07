"""The firm's picture on a sheet: totals, netted and gross grid, exposure, what settles, tails, movers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hedging.engine.history.series import S
from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing.firm import FIRM_SPOT, FIRM_VIX, FirmRisk
from hedging.engine.pricing.many import Positions, contract_table, shock_positions
from hedging.engine.pricing.tail_risk import joint_moves, tail_risk
from hedging.engine.results.effects import EFFECTS
from hedging.maths.arrays import Floats
from hedging.selectors.calendar import session_date
from hedging.selectors.history import market_history
from journal.models import AttributionDay
from journal.selectors.risk.books import FirmBooks
from journal.selectors.risk.standing import Standing

#: Sessions of the historical simulation, and its levels.
WINDOW = 504
LEVELS = (0.95, 0.99)
MOVERS = 10
#: Strikes further from SPX than this say nothing about pinning.
_NEAR = 0.10
_WHY = {
    "price": ("delta", "gamma"),
    "volatility": ("vega", "vanna", "volga"),
    "time": ("theta", "rho"),
    "trades": ("trading", "fees"),
    "unexplained": ("residual",),
}


def firm_figures(
    *, books: FirmBooks, found: FirmRisk, market: MarketSnapshot, money: Sequence[Standing]
) -> dict[str, Any]:
    """Everything of the firm page as JSON; figures in dollars, unknown accounts counted beside each sum."""
    unknown = found.unmoved > 0
    return {
        "spot": market.spot,
        "vix": market.levels["VIX"].value if "VIX" in market.levels else None,
        "flags": sorted(flag.value for flag in market.flags),
        "grid_spot": FIRM_SPOT,
        "grid_vix": FIRM_VIX,
        "net": np.round(found.grid.sum(axis=0), 2).tolist(),
        "gross": np.round(np.minimum(found.grid, 0).sum(axis=0), 2).tolist(),
        "unknown_accounts": int(unknown.sum()),
        "exposure": _exposure(books, market),
        "expiries": _expiries(books),
        "tail": _tail(books, market, bool(unknown.any())),
        "movers": _movers(books, money),
    }


def _exposure(books: FirmBooks, market: MarketSnapshot) -> list[dict[str, Any]]:
    """Net contracts of SPX options by expiry and strike near the index: sold negative, and who holds any."""
    if not market.spot:
        return []
    near = [
        (spec.expiry.isoformat(), spec.strike)
        if spec.expiry
        and spec.strike
        and spec.underlying == "SPX"
        and abs(spec.strike / market.spot - 1) <= _NEAR
        else None
        for spec in books.book.contracts
    ]
    return [
        {
            "expiry": expiry, "strike": strike, "net": int(held.net), "accounts": held.accounts,
            "distance_pct": (strike / market.spot - 1) * 100,
        }
        for (expiry, strike), held in _held_by(books, near)
        if held.net
    ]  # fmt: skip


def _expiries(books: FirmBooks) -> list[dict[str, Any]]:
    """What settles when and how: contracts held and accounts, by expiry, root and settlement."""
    keys = [
        (spec.expiry.isoformat(), spec.root, spec.settlement.value) if spec.expiry else None
        for spec in books.book.contracts
    ]
    return [
        {"expiry": day, "root": root, "settles": how, "contracts": int(held.gross), "accounts": held.accounts}
        for (day, root, how), held in _held_by(books, keys)
    ]


class _Held(NamedTuple):
    net: float
    gross: float
    accounts: int


def _held_by(books: FirmBooks, keys: Sequence[Any]) -> list[tuple[Any, _Held]]:
    """Contracts of all accounts by the key of their row, in order; rows without a key are left out."""
    names = sorted({key for key in keys if key is not None})
    place = {key: i for i, key in enumerate(names)}
    of_row = np.array([-1 if key is None else place[key] for key in keys], dtype=np.int64)
    at = of_row[books.book.contract] if len(keys) else np.zeros(0, np.int64)
    mine = at >= 0
    at, quantity = at[mine], books.book.quantity[mine]
    who = np.unique(np.stack([at, books.book.leg_account[mine]]), axis=1)[0]
    count = len(names)
    net, gross = np.bincount(at, quantity, count), np.bincount(at, np.abs(quantity), count)
    accounts = np.bincount(who, minlength=count)
    return [(name, _Held(net[i], gross[i], int(accounts[i]))) for i, name in enumerate(names)]


def _tail(books: FirmBooks, market: MarketSnapshot, partial: bool) -> dict[str, Any]:
    """VaR and expected shortfall of the firm over one session; a reason where they are unknown."""
    if partial:
        return {"reason": "Some positions have no mark, so what they could lose is unknown."}
    history = market_history(simulated="simulated" in {flag.value for flag in market.flags})
    sessions = history.sessions_until(session_date(market.as_of))[-WINDOW - 1 :]
    closes = [series.exact(sessions) for name in (S.SPX, S.VIX) if (series := history.get(name))]
    moves = joint_moves(*closes) if len(closes) == 2 else []
    book = books.book
    whole = Positions(np.zeros(len(book.trade), np.int64), book.contract, book.quantity, book.entry_price)
    pnl: Floats = np.zeros(0)
    if moves and len(book.trade):
        pnl = shock_positions(contract_table(book.contracts, market), whole, 1, market, moves).pnl[0]
    found = [one for level in LEVELS if (one := tail_risk(pnl, level)) is not None]
    if not found:
        return {"reason": f"{len(moves)} sessions with SPX and VIX closes are stored; more are needed."}
    return {
        "moves": len(moves),
        "levels": [
            {
                "level": one.level, "var": one.value_at_risk, "var_error": one.value_at_risk_error,
                "es": one.expected_shortfall, "es_error": one.expected_shortfall_error,
            }
            for one in found
        ],
    }  # fmt: skip


def _movers(books: FirmBooks, money: Sequence[Standing]) -> list[dict[str, Any]]:
    """The accounts that moved most in the last session, and what moved them."""
    known = [
        (one.day_pnl, account) for one, account in zip(money, books.accounts, strict=True) if one.day_pnl
    ]
    top = sorted(known, key=lambda pair: (-abs(pair[0]), str(pair[1].pk)))[:MOVERS]
    newest = AttributionDay.objects.filter(account__in=[account for _, account in top]).order_by(
        "account", "day"
    )
    days = {row.account_id: row for row in newest}
    return [
        {
            "account": str(account.pk),
            "name": account.name,
            "pnl": float(pnl),
            **_reasons(days.get(account.pk)),
        }
        for pnl, account in top
    ]


def _reasons(day: AttributionDay | None) -> dict[str, Any]:
    if day is None:
        return {"day": None, "why": {}}
    groups = [
        day.result["groups"][name]["effects"]
        for name in ("condor", "hedge", "other")
        if name in day.result["groups"]
    ]
    cents = np.array(groups, dtype=np.float64).sum(axis=0) if groups else np.zeros(len(EFFECTS))
    why = {
        reason: float(sum(cents[EFFECTS.index(name)] for name in names) / 100)
        for reason, names in _WHY.items()
    }
    return {"day": day.day.isoformat(), "why": why}
