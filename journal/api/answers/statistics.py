"""Statistics, performance and the worth of the hedge in words for the API; unknown figures are null."""

from __future__ import annotations

import math
from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np

from hedging.engine.results.statistics import breakdown, figures
from journal.models import Account
from journal.selectors.results.hedge_value import hedge_value
from journal.selectors.results.performance import account_performance
from journal.selectors.results.statistics import OutcomeFilters, outcomes

UNITS = {
    "pnl": "dollars after fees",
    "win_rate": "fraction, Wilson interval at 90%",
    "captured": "fraction of maximum profit",
    "mae_mfe": "dollars, running P&L at closes whose marks are all known",
    "returns": "fraction, time-weighted by session",
    "ratios": "a year of 252 sessions, over three-month bills",
    "drawdown": "fraction, at or below 0 under water; depth positive",
}


def statistics_answer(*, account: Account, filters: OutcomeFilters, by: str) -> dict[str, Any]:
    """Figures of all, of each group, and the outcomes; KeyError for an unknown breakdown."""
    found = outcomes(account, filters)
    return {
        "account": str(account.pk),
        "still_open": found.still_open,
        "all": _plain(figures("All", found.rows)),
        "by": by,
        "groups": [_plain(group) | {"enough": group.enough} for group in breakdown(found.rows, by)],
        "outcomes": [
            {"trade": one.key, "captured": _plain(one.captured)}
            | {key: value for key, value in _plain(one).items() if key != "key"}
            for one in found.rows
        ],
        "units": UNITS,
    }


def performance_answer(*, account: Account, date_from: date | None, date_to: date | None) -> dict[str, Any]:
    """Performance with and without the hedge; null while nothing is attributed."""
    found = account_performance(account, date_from, date_to)
    if found is None:
        return {"account": str(account.pk), "from": None, "to": None}
    columns = zip(
        found.days, found.equity, found.pnl, found.returns, found.below, found.equity_unhedged,
        found.returns_unhedged, found.below_unhedged, strict=True,
    )  # fmt: skip
    names = ("day", "equity", "pnl", "return", "drawdown", "equity_unhedged", "return_unhedged",
             "drawdown_unhedged")  # fmt: skip
    return {
        "account": str(account.pk),
        "from": found.days[0].isoformat(),
        "to": found.days[-1].isoformat(),
        "hedged": _plain(found.hedged),
        "unhedged": _plain(found.unhedged),
        "drawdown_cut": _plain(found.cut),
        "months": _plain(found.months),
        "daily": [dict(zip(names, map(_plain, row), strict=True)) for row in columns],
        "units": UNITS,
    }


def hedge_answer(*, account: Account, until: date | None) -> dict[str, Any]:
    """The worth of the hedge and the claims; null while nothing is attributed or hedged."""
    found = hedge_value(account, until)
    if found is None:
        return {"account": str(account.pk), "from": None, "to": None}
    body = _plain(found)
    body["claims_received"] = body.pop("claims")
    claims = body.pop("findings")
    return {
        "account": str(account.pk), "from": body.pop("first"), "to": body.pop("last"), **body,
        "claims": claims, "units": UNITS,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Plain JSON values; infinities and NaN are null."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(item) for key, item in asdict(value).items()}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float | np.floating):
        return round(float(value), 8) if math.isfinite(value) else None
    return value
