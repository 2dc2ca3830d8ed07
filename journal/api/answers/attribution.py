"""Attribution as the API and the command word it: dollars as text with two decimals, unknown as null."""

from __future__ import annotations

from datetime import date
from typing import Any

from journal.errors import RuleError
from journal.models import Account, Trade
from journal.selectors.attribution import (
    Explained,
    ExplainedDay,
    account_attribution,
    trade_attribution,
)

UNITS = {
    "effects": "dollars; they and rounding add up to pnl to the cent",
    "full_revaluation": "dollars; time, forward, volatility, cross, rate in that order",
    "interaction": "dollars of the hedge's P&L from the condors' own drivers",
    "residual_share": "fraction of the absolute effects",
}


def parse_day(text: str, field: str) -> date | None:
    """A date of the query, None when absent; raises RuleError."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleError("A day is written 2026-01-31.", field) from None


def account_answer(*, account: Account, date_from: date | None, date_to: date | None) -> dict[str, Any]:
    """The account's stored attribution in a period."""
    found = account_attribution(account, date_from, date_to)
    return {
        "account": str(account.pk),
        "from": _text(found.first),
        "to": _text(found.last),
        "current": found.is_current,
        **_explained(found.total),
        "full_revaluation": _explained(found.full),
        "split": {
            "condor": str(found.condor),
            "hedge": str(found.hedge_own),
            "interaction": str(found.interaction),
            "other": str(found.other),
        },
        "groups": [_explained(group) for group in found.groups],
        "alerts": [str(day.day) for day in found.alerts],
        "days": [_day(day) for day in found.days],
        "units": UNITS,
    }


def trade_answer(*, trade: Trade, date_from: date | None, date_to: date | None) -> dict[str, Any]:
    """A trade's stored attribution in a period."""
    found = trade_attribution(trade, date_from, date_to)
    return {
        "trade": str(trade.pk),
        "from": _text(found.first),
        "to": _text(found.last),
        **_explained(found.total),
        "full_revaluation": _explained(found.full),
        "legs": [_explained(leg) for leg in found.legs],
        "days": [_day(day) for day in found.days],
        "units": UNITS,
    }


def _explained(found: Explained) -> dict[str, Any]:
    return {
        "name": found.name,
        "pnl": str(found.pnl),
        "effects": {name: str(value) for name, value in found.effects.items()},
        "rounding": str(found.rounding),
        "residual_share": None if found.residual_share is None else round(found.residual_share, 6),
    }


def _day(day: ExplainedDay) -> dict[str, Any]:
    return {
        "day": str(day.day),
        "since": _text(day.since),
        "unknown_legs": day.unknown_legs,
        "modelled_legs": day.modelled_legs,
        "alert": day.alert,
        **_explained(day.total),
    }


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)
