"""What a job is about, as the text in its ``scope``: made and read here only.

Accounts and users are opaque ids to this app.
"""

from __future__ import annotations

from uuid import UUID

MARKET = "market"
PROBE = "probe"
_ACCOUNT, _ACCOUNTS, _USER = "account:", "accounts:", "user:"


def history_scope(*, simulated: bool) -> str:
    """The real market history, or the demo's."""
    return "simulated" if simulated else "real"


def account_scope(account_id: UUID) -> str:
    """One account."""
    return f"{_ACCOUNT}{account_id}"


def accounts_scope(first_id: UUID) -> str:
    """A part of all accounts, named after its first."""
    return f"{_ACCOUNTS}{first_id.hex}"


def user_scope(public_id: UUID) -> str:
    """One login."""
    return f"{_USER}{public_id}"


def account_id_of(scope: str) -> UUID | None:
    """The account a job is about; None when it is about something else."""
    return _id_after(_ACCOUNT, scope)


def user_id_of(scope: str) -> UUID | None:
    """The login a job is about; None when it is about something else."""
    return _id_after(_USER, scope)


def _id_after(prefix: str, scope: str) -> UUID | None:
    if not scope.startswith(prefix):
        return None
    try:
        return UUID(scope.removeprefix(prefix))
    except ValueError:
        return None
