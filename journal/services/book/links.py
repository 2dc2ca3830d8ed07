"""Rolls and adjustments: confirmed or dismissed by a person, drawn by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from journal.errors import RuleError
from journal.importers.rows import IMPORTED
from journal.models import WRITE_ROLES, Account, BulkChange, Trade, TradeLink, User
from journal.selectors.book.trades import live_fills
from journal.services.audit import audit_record
from journal.services.book.ledger import account_lock
from journal.services.undo_records import removal_record

State = TradeLink.State


@transaction.atomic
def link_decide(*, user: User, link: TradeLink, confirm: bool, kind: str = "") -> BulkChange | None:
    """Confirm a link, perhaps as another kind, or say that it is none: then the record to undo that."""
    account_lock(link.account)
    link = TradeLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    if kind and kind not in TradeLink.Kind.values:
        raise RuleError("Unknown adjustment type.", "kind")
    if confirm and (link.earlier_id is None or link.later_id is None):
        raise RuleError("One of its trades is not recorded any more.")
    if confirm:
        _check_no_loop(link.account, link.earlier_id, link.later_id)
    former = link.state
    link.state = State.CONFIRMED if confirm else State.DISMISSED
    link.kind = kind or link.kind
    link.decided_by = user
    link.save(update_fields=["state", "kind", "decided_by"])
    audit_record(
        actor=user, action="link.confirm" if confirm else "link.dismiss", account=link.account, obj=link,
        summary=f"{link.get_kind_display()}: {link.earlier} → {link.later}",
    )  # fmt: skip
    if confirm or former == State.DISMISSED:
        return None
    return removal_record(
        user=user, action=BulkChange.Action.LINK, summary="Noted as no roll",
        undo=[{"link": str(link.pk), "state": former}],
    )  # fmt: skip


def link_restore(user: User, undo: Sequence[Any]) -> int:
    """Put dismissed links back as they stood, where nobody decided since; returns how many."""
    accounts = Account.objects.for_user(user, WRITE_ROLES).filter(archived_at=None)
    count = 0
    for row in undo:
        rows = TradeLink.objects.filter(pk=row["link"], account__in=accounts, state=State.DISMISSED)
        link = rows.select_related("account", "earlier", "later").first()
        if link is None:
            continue
        account_lock(link.account)
        if row["state"] == State.CONFIRMED:
            _check_no_loop(link.account, link.earlier_id, link.later_id)
        rows.update(state=row["state"], decided_by=user if row["state"] == State.CONFIRMED else None)
        audit_record(
            actor=user, action="link.restore", account=link.account, obj=link,
            summary=f"{link.get_kind_display()}: {link.earlier} → {link.later}",
        )  # fmt: skip
        count += 1
    return count


@transaction.atomic
def link_draw(*, user: User, earlier: Trade, later: Trade, kind: str) -> TradeLink:
    """Link two trades of one account by hand. Raises RuleError naming the input."""
    account_lock(earlier.account)
    if kind not in TradeLink.Kind.values:
        raise RuleError("Unknown adjustment type.", "kind")
    if earlier.account_id != later.account_id or earlier.pk == later.pk:
        raise RuleError("A link joins two trades of one account.", "later")
    if not earlier.opened_at or not later.opened_at or later.opened_at < earlier.opened_at:
        raise RuleError("The later trade was opened before the earlier one.", "later")
    _check_no_loop(earlier.account, earlier.pk, later.pk)
    link, _ = TradeLink.objects.update_or_create(
        account=earlier.account, earlier_anchor=trade_anchor(earlier), later_anchor=trade_anchor(later),
        defaults={
            "earlier": earlier, "later": later, "kind": kind, "state": State.CONFIRMED,
            "moment": later.opened_at, "decided_by": user, "reason": "Linked by hand.",
        },
    )  # fmt: skip
    audit_record(
        actor=user, action="link.draw", account=earlier.account, obj=link,
        summary=f"{link.get_kind_display()}: {earlier} → {later}",
    )  # fmt: skip
    return link


def trade_anchor(trade: Trade) -> str:
    """Identity of a trade's opening, the same after another import of its rows."""
    fills = live_fills(trade.fills.select_related("contract"))
    first = fills[0].executed_at if fills else None
    return min(
        (
            fill.external_id if fill.source in IMPORTED else f"fixed:{fill.pk}/0.0"
            for fill in fills
            if fill.executed_at == first
        ),
        default=f"trade:{trade.pk}",
    )


def _check_no_loop(account: Account, earlier: object, later: object) -> None:
    """A chain never comes back to where it began."""
    onward: dict[object, list[object]] = {}
    confirmed = TradeLink.objects.filter(Q(account=account) & Q(state=State.CONFIRMED))
    for first, second in confirmed.values_list("earlier_id", "later_id"):
        onward.setdefault(first, []).append(second)
    reach, seen = [later], {later}
    while reach:
        at = reach.pop()
        if at == earlier:
            raise RuleError("These trades are linked the other way round already.", "later")
        for step in onward.get(at, ()):
            if step not in seen:
                seen.add(step)
                reach.append(step)
