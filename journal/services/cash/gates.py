"""Capital in words for the API, and the gates of the Second Engine as they stand."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from hedging.models import DailyBar, Quality
from hedging.selectors.calendar import session_date
from journal.models import Account
from journal.selectors.cash.capital import capital
from journal.services.cash.ledger import Gate, leverage_gates

_YEAR = timedelta(days=380)
UNITS = {
    "rates": "fraction a year (0.07 = 7%), ACT/365",
    "capital_days": "dollar-days",
    "quick_ratio": "(cash + T-bills) / (margin + loan + overdrawn cash); an upper bound where at_most",
    "target": "benchmark 6-8% less 75-150 bp after a volatility collapse",
    "premium_used": "equity risk premium of the CAPM (proposed)",
}


def gates_now(account: Account) -> tuple[Gate, ...]:
    """The gates of leverage: ten-day realized volatility against its median of a year, target, stress."""
    rv10, median = _realized(account)
    found = capital(account)
    return leverage_gates(
        account=account, rv10=rv10, rv_median=median, lowered=bool(found and found.collapse > 0)
    )


def _realized(account: Account) -> tuple[float | None, float | None]:
    today = session_date(timezone.now())
    bars = DailyBar.objects.filter(symbol="SPX", superseded_at__isnull=True, date__gt=today - _YEAR)
    bars = bars.filter(quality=Quality.SIMULATED) if account.is_demo else bars.exclude(
        quality=Quality.SIMULATED
    )  # fmt: skip
    closes = {day: float(close) for day, close in bars.order_by("recorded_at").values_list("date", "close")}
    values = np.array([closes[day] for day in sorted(closes)])
    if len(values) < 60:
        return None, None
    moves = np.diff(np.log(values))
    rolling = np.array([np.std(moves[i - 10 : i], ddof=1) for i in range(10, len(moves) + 1)]) * math.sqrt(
        252
    )
    return float(rolling[-1]), float(np.median(rolling))


def capital_answer(*, account: Account, until: date | None) -> dict[str, Any]:
    """Everything the capital page shows, as plain JSON; unknown figures are null."""
    found = capital(account, until)
    if found is None:
        return {"account": str(account.pk), "from": None, "to": None}
    body = _plain(asdict(found))
    daily = {name: body.pop(name) for name in ("days", "margins", "equities")}
    body["daily"] = [
        {"day": day, "equity": equity, "margin": margin}
        for day, margin, equity in zip(*daily.values(), strict=True)
    ]
    return {
        "account": str(account.pk),
        "from": body.pop("first"),
        "to": body.pop("last"),
        **body,
        "quick_ratio": _plain(found.quick_ratio),
        "several_roots": found.account_irr.several_roots,
        "units": UNITS,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, 8) if math.isfinite(value) else None
    return value
