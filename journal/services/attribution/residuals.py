"""Alerts of sessions whose P&L the effects leave unexplained, by each account's own limits."""

from __future__ import annotations

from datetime import date

from hedging.engine.results.attribution import from_cents
from journal.models import Account, Alert, AttributionDay
from journal.selectors.attribution import residuals_called_out
from journal.services.alerts.alerts import AlertFinding, alerts_update

_KIND = Alert.Kind.RESIDUAL


def residuals_follow(*, day: date) -> int:
    """Raise an alert for each account whose session of ``day`` is called out; clear what is over.

    Accounts that session is not attributed for yet keep what they have. Returns how many are called out.
    """
    called = residuals_called_out(day)
    for row in called:
        alerts_update(account=row.account, kinds=(_KIND,), findings=[_finding(row)])
    done = AttributionDay.objects.filter(day=day).values("account_id")
    over = Account.objects.filter(
        pk__in=Alert.objects.filter(kind=_KIND, cleared_at__isnull=True, account__in=done).values(
            "account_id"
        )
    ).exclude(pk__in=[row.account_id for row in called])
    for account in over:
        alerts_update(account=account, kinds=(_KIND,), findings=[])
    return len(called)


def _finding(row: AttributionDay) -> AlertFinding:
    account, residual = row.account, from_cents(row.result["effects"][-1])
    return AlertFinding(
        _KIND,
        f"residual:{row.day}",
        f"The effects leave ${abs(residual):,.2f} of {row.day} unexplained, {row.residual_share or 0:.0%} of "
        f"what moved (limits {account.residual_share_pct:g}% and ${account.residual_limit:,.2f})",
    )
