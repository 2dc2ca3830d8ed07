"""Snapshots and smiles as the API words them; unknown figures are null."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from hedging.engine.market import ExpirySlice
from hedging.engine.pricing.quotes import quoted_vols
from hedging.models import MarketSnapshot
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load, snapshot_summary
from journal.api.answers.valuation import parse_as_of
from journal.errors import RuleError


class NoSnapshotError(LookupError):
    """Nothing is stored by the moment, or not this expiry."""


def snapshot_answer(*, as_of: str, simulated: bool) -> dict[str, Any]:
    """What the market was at a moment: spot, levels, rates, VX curve, chains, expiries with a smile."""
    return snapshot_summary(_row(as_of, simulated))


def smile_answer(*, as_of: str, simulated: bool, expiry: str) -> dict[str, Any]:
    """One expiry: forward, bid and ask volatilities of its out-of-the-money quotes, and our fit at each."""
    row = _row(as_of, simulated)
    root, _, text = expiry.partition(":")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise RuleError("expiry is a root and a day such as SPXW:2024-02-16.", "expiry") from None
    try:
        found = snapshot_load(row).slices[root.upper(), day]
    except KeyError:
        raise NoSnapshotError(f"Nothing is known of {expiry[:40]} on {row.as_of:%Y-%m-%d}.") from None
    return {"snapshot": row.content_hash, **_slice(found)}


def _row(as_of: str, simulated: bool) -> MarketSnapshot:
    row = snapshot_for(as_of=parse_as_of(as_of), simulated=simulated)
    if row is None:
        raise NoSnapshotError("No market data are stored by then.")
    return row


def _slice(found: ExpirySlice) -> dict[str, Any]:
    quotes, smile = quoted_vols(found), found.smile
    fitted = smile.vol(quotes.strike) if len(quotes.strike) else np.empty(0)
    return {
        "root": found.root,
        "expiry": found.expiry,
        "settlement": found.settlement.value,
        "settles_at": found.settles_at,
        "years": found.t,
        "quality": found.flag.value,
        "forward": _number(found.forward),
        "forward_source": found.forward_source.value,
        "discount": _number(found.discount),
        "model": smile.model.value,
        "quotes": smile.n_quotes,
        "error_vol_points": _number(smile.rmse_vol_points),
        "inside_share": _number(smile.inside_share),
        "at_the_money": _number(float(smile.vol(found.forward))),
        "points": [
            {"strike": float(k), "bid": _number(bid), "ask": _number(ask), "fit": _number(fit)}
            for k, bid, ask, fit in zip(quotes.strike, quotes.bid, quotes.ask, fitted, strict=True)
        ],
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
