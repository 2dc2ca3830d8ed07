"""What every page's shell shows: accounts, market freshness, rights."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from journal.models import Account


def shell(request: HttpRequest) -> dict[str, Any]:
    """Template context of templates/base.html; lazy, so fragments cost no query."""
    from django.utils.functional import SimpleLazyObject

    from journal.selectors.alerts import unseen_count
    from journal.selectors.as_of import as_of_for
    from journal.selectors.shell import current_account, market_status, nav_accounts

    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav_accounts": (), "current_account": None, "market_status": None}

    def account() -> Account | None:
        return current_account(request)

    return {
        "nav_accounts": SimpleLazyObject(lambda: nav_accounts(user)),
        "current_account": SimpleLazyObject(account),
        "market_status": SimpleLazyObject(lambda: market_status(account())),
        "as_of": SimpleLazyObject(lambda: as_of_for(request)),
        "unseen_alerts": SimpleLazyObject(lambda: unseen_count(user, account())),
        "is_risk_admin": SimpleLazyObject(lambda: user.is_risk_admin),
    }
