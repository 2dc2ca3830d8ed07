"""Reads behind the page shell."""

from __future__ import annotations

from django.http import HttpRequest

from hedging.selectors.market import MarketStatus
from hedging.selectors.market import market_status as newest_status
from journal.models import Account, User

SESSION_ACCOUNT = "current_account"
_READ = "_current_account"


def nav_accounts(user: User) -> list[Account]:
    """The user's open accounts, by name."""
    return list(Account.objects.for_user(user).filter(archived_at__isnull=True))


def current_account(request: HttpRequest) -> Account | None:
    """The account chosen in the switcher, else the user's first, else None; read once a request."""
    chosen = request.session.get(SESSION_ACCOUNT)
    known: tuple[object, Account | None] | None = getattr(request, _READ, None)
    if known is not None and known[0] == chosen:
        return known[1]
    accounts = nav_accounts(request.user)  # type: ignore[arg-type]
    named = (account for account in accounts if str(account.pk) == chosen)
    found = next(named, accounts[0] if accounts else None)
    setattr(request, _READ, (chosen, found))
    return found


def market_status(account: Account | None) -> MarketStatus | None:
    """Freshness of the market the account lives on; None when no data is loaded."""
    return newest_status(simulated=bool(account and account.is_demo))
