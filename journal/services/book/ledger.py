"""The book of an account: locks, fills, and everything that follows from a change of them.

Every change runs in one transaction of its caller: fills, derived fields, versions, the account's
book revision, an audit event and the valuation job stand or fall together.
"""

from __future__ import annotations

from django.db.models import F

from hedging.jobs.engine import job_request
from hedging.jobs.scopes import account_scope
from journal.errors import ConflictError, RuleError
from journal.job_kinds import VALUE_ACCOUNT
from journal.models import Account, Fill, Trade, User
from journal.selectors.book.purpose import position_label
from journal.selectors.book.trades import (
    ZERO,
    live_fills,
    position_of,
    position_of_live,
)
from journal.services.audit import audit_record
from journal.services.book.orders import OrderInput
from journal.services.review.reviews import review_follow


def account_lock(account: Account) -> Account:
    """Lock an account for a change of its book; raises RuleError when it is archived."""
    fresh = Account.objects.select_for_update().get(pk=account.pk)
    if fresh.archived_at is not None:
        raise RuleError("The account is archived; restore it before recording trades.", "account")
    return fresh


def trade_lock(trade: Trade, version: int | None) -> Trade:
    """Lock a trade and its account, account first; raises ConflictError on a stale version."""
    account_lock(trade.account)
    fresh = Trade.objects.select_for_update(of=("self",)).select_related("account").get(pk=trade.pk)
    if version is not None and fresh.version != version:
        raise ConflictError("This trade was changed meanwhile. Reload, then try again.")
    return fresh


def token_used(account: Account, source: str, token: str) -> bool:
    """Tell whether a form with this token was recorded in the account before."""
    if not token or "\x00" in token:
        return False
    return Fill.objects.filter(account=account, source=source, external_id=f"{token}:0").exists()


def order_begin(account: Account, order: OrderInput) -> tuple[Account, Trade | None]:
    """Lock an order's account; with the trade the order's token recorded before, if any.

    Raises RuleError for an archived account.
    """
    fresh = account_lock(account)
    return fresh, trade_of_token(fresh, order)


def trade_of_token(account: Account, order: OrderInput) -> Trade | None:
    """Find the trade an order's token recorded before, if any."""
    if not order.token:
        return None
    fill = (
        Fill.objects.filter(account=account, source=order.source, external_id=f"{order.token}:0")
        .select_related("trade__account")
        .first()
    )
    return fill.trade if fill else None


#: Fields of a trade that are rebuilt from its fills.
DERIVED = (
    "net_cash", "fees_total", "opened_at", "status", "closed_at", "nearest_expiry", "underlying", "label",
    "updated_at",
)  # fmt: skip


def trade_refresh(trade: Trade) -> Trade:
    """Rebuild the derived fields from the fills; the same fills always give the same fields."""
    fills = list(Fill.objects.filter(trade=trade).select_related("contract"))
    trade_derive(trade, fills).save(update_fields=DERIVED)
    review_follow(trade, live_fills(fills))
    return trade


def trade_derive(trade: Trade, fills: list[Fill]) -> Trade:
    """Set the derived fields from all fills of the trade; nothing is stored."""
    live = live_fills(fills)
    position = position_of_live(live, sum((fill.fees for fill in fills), ZERO))
    trade.net_cash, trade.fees_total = position.cash, position.fees
    moments = [fill.executed_at for fill in (live or fills)]
    trade.opened_at = min(moments, default=None)
    trade.status = Trade.Status.OPEN if position.legs else Trade.Status.CLOSED
    trade.closed_at = None if position.legs else max(moments, default=None)
    trade.nearest_expiry = min(
        (leg.spec.expiry for leg in position.legs if leg.spec.expiry is not None), default=None
    )
    first = position_of_live(_opening(live), ZERO) if live else position_of(_opening(fills))
    if first.legs:
        trade.underlying = first.legs[0].spec.underlying
        trade.label = trade.title or position_label(Trade.Kind(trade.kind), first, trade.layer)
    return trade


def _opening(live: list[Fill]) -> list[Fill]:
    """The fills of the first session up to the first that reduces a leg: partial fills are one opening."""
    held: dict[int, int] = {}
    found: list[Fill] = []
    for fill in live:
        before = held.get(fill.contract_id, 0)
        if before * fill.quantity < 0 or fill.trade_date != live[0].trade_date:
            break
        held[fill.contract_id] = before + fill.quantity
        found.append(fill)
    return found


def book_changed(
    user: User | None, trade: Trade, action: str, reason: str = "", *, revalue: bool = True
) -> Trade:
    """Follow up a change of fills: derived fields, versions, audit event and valuation job.

    ``user`` None is the system (a settlement booked by itself). Who changes many trades at once asks for
    one valuation afterwards and passes ``revalue`` False.
    """
    trade = trade_refresh(trade)
    Trade.objects.filter(pk=trade.pk).update(version=F("version") + 1)
    Account.objects.filter(pk=trade.account_id).update(book_revision=F("book_revision") + 1)
    trade.refresh_from_db()
    trade.account.refresh_from_db()
    audit_record(
        actor=user,
        action=action,
        account=trade.account,
        obj=trade,
        summary=trade.label,
        changes={
            "net_cash": str(trade.net_cash),
            "fees": str(trade.fees_total),
            "reason": reason or trade.reason,
        },
    )
    if revalue:
        account_revalue(account=trade.account, requested_by=str(user.public_id) if user else "")
    return trade


def account_revalue(*, account: Account, requested_by: str = "", nonce: str = "") -> None:
    """Ask the workers to value the account at its present revision."""
    job_request(
        kind=VALUE_ACCOUNT,
        scope=account_scope(account.pk),
        as_of=nonce,
        input_revision=str(account.book_revision),
        requested_by=requested_by,
    )
