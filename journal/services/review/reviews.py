"""Reviews of trades: tags, mistakes, ratings, checklists; tags of date ranges.

A review stays when its trade goes (an import is undone) and joins the trade that comes back with the
same opening fills; ``review_follow`` is called whenever fills changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date
from typing import Any

from django.db import transaction
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import (
    WRITE_ROLES,
    Account,
    BulkChange,
    Fill,
    Playbook,
    Tag,
    Tagging,
    Trade,
    TradeReview,
    User,
)
from journal.services.audit import audit_record
from journal.services.undo_records import removal_record

_NAME_LENGTH = 40
MAX_RATING = 5


def review_anchor(live: Iterable[Fill]) -> str:
    """Hash the opening fills: the same execution recorded again has the same anchor."""
    fills = list(live)
    first = min((fill.executed_at for fill in fills), default=None)
    lines = sorted(
        f"{fill.contract.symbol}|{fill.quantity}|{fill.price.normalize():f}"
        for fill in fills
        if fill.executed_at == first
    )
    if first is None:
        return ""
    moment = first.astimezone(UTC).isoformat()
    return hashlib.sha256("\n".join([moment, *lines]).encode()).hexdigest()


def review_follow(trade: Trade, live: Sequence[Fill]) -> None:
    """Keep the anchor of the trade's review, or give back the review of a trade that was recorded before."""
    anchor = review_anchor(live)
    if not anchor:
        return
    if TradeReview.objects.filter(trade=trade).update(anchor=anchor):
        return
    orphan = TradeReview.objects.filter(account=trade.account_id, trade=None, anchor=anchor).first()
    if orphan is not None:
        TradeReview.objects.filter(pk=orphan.pk, trade=None).update(trade=trade)


def review_of(trade: Trade) -> TradeReview:
    """The trade's review, made when there is none yet."""
    found = TradeReview.objects.filter(trade=trade).first()
    return found if found is not None else reviews_of([trade])[0]


def reviews_of(trades: Sequence[Trade]) -> list[TradeReview]:
    """Reviews of many trades, in the order of the trades, made where missing: three queries."""
    wanted = [trade.pk for trade in trades]
    have = set(TradeReview.objects.filter(trade__in=wanted).values_list("trade_id", flat=True))
    missing = [trade for trade in trades if trade.pk not in have]
    if missing:
        fills: dict[object, list[Fill]] = {}
        ids = [trade.pk for trade in missing]
        for fill in Fill.objects.filter(trade__in=ids, reverses=None, reversed_by=None).select_related(
            "contract"
        ):
            fills.setdefault(fill.trade_id, []).append(fill)
        TradeReview.objects.bulk_create(
            [
                TradeReview(account_id=t.account_id, trade=t, anchor=review_anchor(fills.get(t.pk, ())))
                for t in missing
            ],
            ignore_conflicts=True,
        )
    found = {review.trade_id: review for review in TradeReview.objects.filter(trade__in=wanted)}
    return [found[pk] for pk in wanted]


def tag_name(text: str) -> str:
    """A tag's name with single spaces; raises RuleError when it is empty or long."""
    name = " ".join(text.replace("\x00", "").split())
    if not name:
        raise RuleError("A tag needs a name.", "name")
    if len(name) > _NAME_LENGTH or "," in name:
        raise RuleError(f"A tag has at most {_NAME_LENGTH} characters and no comma.", "name")
    return name


def tag_get(account: Account, text: str, kind: str = Tag.Kind.LABEL) -> Tag:
    """The account's tag of that name, made if new; names differ by more than upper and lower case."""
    name = tag_name(text)
    if kind not in Tag.Kind.values:
        raise RuleError("A tag is a label or a mistake.", "kind")
    known = Tag.objects.filter(account=account, name__iexact=name).first()
    if known is not None:
        return known
    return Tag.objects.get_or_create(account=account, name=name, defaults={"kind": kind})[0]


@transaction.atomic
def trade_tag(*, user: User, trade: Trade, name: str, kind: str = Tag.Kind.LABEL) -> Tag:
    """Tag a trade; a tag it has already stays one. Raises RuleError for a name no tag can have."""
    tag = tag_get(trade.account, name, kind)
    _, made = Tagging.objects.get_or_create(account=trade.account, tag=tag, review=review_of(trade))
    if made:
        _told(user, trade, "review.tag", tag.name)
    return tag


@transaction.atomic
def trade_untag(*, user: User, trade: Trade, tag: Tag) -> None:
    """Take a tag off a trade; one it does not have is no error."""
    gone, _ = Tagging.objects.filter(tag=tag, review__trade=trade).delete()
    if gone:
        _told(user, trade, "review.untag", tag.name)


@transaction.atomic
def trade_rate(*, user: User, trade: Trade, rating: int | None) -> None:
    """Rate how a trade was done, 1 to 5; None takes the rating back. Raises RuleError."""
    if rating is not None and not 1 <= rating <= MAX_RATING:
        raise RuleError(f"A rating is between 1 and {MAX_RATING}.", "rating")
    review = review_of(trade)
    if review.rating == rating:
        return
    TradeReview.objects.filter(pk=review.pk).update(rating=rating)
    _told(user, trade, "review.rate", "" if rating is None else f"{rating} of {MAX_RATING}")


@transaction.atomic
def checklist_store(
    *, user: User, trade: Trade, playbook: Playbook, checked: Iterable[int], at_entry: bool
) -> TradeReview:
    """Store how the playbook's checklist was answered; ``checked`` are positions in its items.

    Raises RuleError for a playbook of another account, ConflictError when answers are stored
    already: what was answered at entry is never rewritten.
    """
    if playbook.account_id != trade.account_id:
        raise RuleError("The playbook belongs to another account.", "playbook")
    review = review_of(trade)
    ticked = set(checked)
    items = [{"text": text, "checked": number in ticked} for number, text in enumerate(playbook.items)]
    stored = TradeReview.objects.filter(pk=review.pk, checklist_at=None).update(
        playbook=playbook, checklist=items, checklist_name=playbook.name, checklist_at=timezone.now(),
        checklist_at_entry=at_entry,
    )  # fmt: skip
    if not stored:
        raise ConflictError("A checklist is stored with this trade already; it is kept as answered.")
    done = sum(item["checked"] for item in items)
    _told(user, trade, "review.checklist", f"{playbook.name}: {done} of {len(items)}")
    review.refresh_from_db()
    return review


@transaction.atomic
def range_tag(
    *, user: User, account: Account, name: str, date_from: date, date_to: date, kind: str = Tag.Kind.LABEL
) -> Tagging:
    """Tag the days from ``date_from`` to ``date_to``, both included. Raises RuleError."""
    if date_to < date_from:
        raise RuleError("The range ends before it starts.", "date_to")
    tag = tag_get(account, name, kind)
    tagging, made = Tagging.objects.get_or_create(
        account=account, tag=tag, date_from=date_from, date_to=date_to, review=None
    )
    if made:
        audit_record(
            actor=user, action="review.tag_days", account=account, obj=tag,
            summary=f"{tag.name}, {date_from} to {date_to}",
        )  # fmt: skip
    return tagging


@transaction.atomic
def range_untag(*, user: User, tagging: Tagging) -> BulkChange | None:
    """Take a tag off its days; returns the record to undo it from, None when it was off already."""
    if not Tagging.objects.filter(pk=tagging.pk, review=None).delete()[0]:
        return None
    days = f"{tagging.date_from} to {tagging.date_to}"
    audit_record(
        actor=user, action="review.untag_days", account=tagging.account, obj=tagging.tag,
        summary=f"{tagging.tag.name}, {days}",
    )  # fmt: skip
    return removal_record(
        user=user, action=BulkChange.Action.DAYS, summary=f"{tagging.tag.name} taken off {days}",
        undo=[
            {"tag": str(tagging.tag_id), "from": str(tagging.date_from), "to": str(tagging.date_to)},
        ],
    )  # fmt: skip


def range_restore(user: User, undo: Sequence[Any]) -> int:
    """Put tags on their days again, in accounts the user may still write in; returns how many."""
    accounts = Account.objects.for_user(user, WRITE_ROLES).filter(archived_at=None)
    count = 0
    for row in undo:
        tag = Tag.objects.filter(pk=row["tag"], account__in=accounts).select_related("account").first()
        if tag is not None:
            first, last = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
            range_tag(
                user=user, account=tag.account, name=tag.name, date_from=first, date_to=last, kind=tag.kind
            )
            count += 1
    return count


def _told(user: User, trade: Trade, action: str, summary: str) -> None:
    audit_record(actor=user, action=action, account=trade.account, obj=trade, summary=summary)


@transaction.atomic
def tag_rename(*, user: User, tag: Tag, name: str, kind: str) -> Tag:
    """Rename a tag or change its kind. Raises RuleError for a name that is taken."""
    name = tag_name(name)
    if Tag.objects.filter(account=tag.account, name__iexact=name).exclude(pk=tag.pk).exists():
        raise RuleError("The account has a tag of this name.", "name")
    if (name, kind) != (tag.name, tag.kind):
        before = [tag.name, tag.kind]
        Tag.objects.filter(pk=tag.pk).update(name=name, kind=kind)
        audit_record(
            actor=user, action="review.tag_rename", account=tag.account, obj=tag, summary=name,
            changes={"before": before, "after": [name, kind]},
        )  # fmt: skip
    tag.refresh_from_db()
    return tag
