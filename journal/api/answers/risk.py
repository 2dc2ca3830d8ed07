"""The risk desk as plain values: figures with their units in the names, null where unknown."""

from __future__ import annotations

from typing import Any

from journal.models import BreachCase, RiskLimit, RiskRow

_DOLLARS = (
    "capital", "net_liq", "open_pnl", "day_pnl", "month_pnl", "margin", "portfolio_margin", "fall_loss",
    "rally_loss",
)  # fmt: skip
_PLAIN = (
    "margin_pct", "fall_pct", "rally_pct", "coverage_pct", "drawdown_pct", "expiry_share_pct",
    "strike_share_pct", "spx_delta", "spx_gamma", "spx_vega", "vx_delta", "vx_vega", "theta", "unmargined",
    "open_trades", "unknown_legs", "mark_age_days", "waiting", "overrides", "breaches", "severity",
    "worst_strike", "nothing_to_cover",
)  # fmt: skip


def row_answer(row: RiskRow) -> dict[str, Any]:
    """One account on the newest sheet; dollars as text."""
    return {
        "account": str(row.account_id),
        "name": row.account.name,
        **{name: None if getattr(row, name) is None else str(getattr(row, name)) for name in _DOLLARS},
        **{name: getattr(row, name) for name in _PLAIN},
        "worst_expiry": row.worst_expiry.isoformat() if row.worst_expiry else None,
        "last_activity": row.last_activity.isoformat() if row.last_activity else None,
    }


def case_answer(case: BreachCase) -> dict[str, Any]:
    """A breach case with its figures then and now."""
    until = case.acknowledged_until
    return {
        "id": str(case.pk), "account": str(case.account_id), "measure": case.measure,
        "severity": case.severity, "limit": case.limit, "value": case.value, "last_value": case.last_value,
        "opened_at": case.opened_at.isoformat(),
        "acknowledged_until": until.isoformat() if until else None,
        "acknowledged_reason": case.acknowledged_reason,
        "assignee": case.assignee.get_username() if case.assignee else None,
        "escalated_at": case.escalated_at.isoformat() if case.escalated_at else None,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "figures": case.figures,
    }  # fmt: skip


def limit_answer(limit: RiskLimit) -> dict[str, Any]:
    """One version of a limit; account and group null: every account of the firm."""
    return {
        "id": str(limit.pk), "measure": limit.measure, "soft": limit.soft, "hard": limit.hard,
        "account": str(limit.account_id) if limit.account_id else None,
        "group": str(limit.group_id) if limit.group_id else None,
        "state": limit.state, "reason": limit.reason,
        "made_by": limit.made_by.get_username() if limit.made_by else None,
        "approved_by": limit.approved_by.get_username() if limit.approved_by else None,
    }  # fmt: skip
