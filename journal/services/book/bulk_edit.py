"""Changes of many trades at once, each with a record from which it is undone.

The undo record holds what was changed and nothing else; journal.services.undo takes it back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from journal.errors import ConflictError, RuleError
from journal.models import WRITE_ROLES, Account, BulkChange, Tag, Tagging, Trade, TradeReview, User
from journal.services.audit import audit_record
from journal.services.book.moves import trades_move
from journal.services.review.reviews import MAX_RATING, reviews_of, tag_get, tag_name
from journal.services.undo_records import change_begin

MOST = 20_000
Action = BulkChange.Action


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What is to be done: ``value`` is a tag's name, a rating (empty takes it back) or an account's id.

    ``expected`` is the number of trades the person saw when pressing the button.
    """

    action: str
    value: str
    expected: int
    token: str
    kind: str = Tag.Kind.LABEL


def writable_trades(user: User, trades: QuerySet[Any]) -> QuerySet[Any]:
    """Those of the trades that the user may change."""
    accounts = Account.objects.for_user(user, WRITE_ROLES).filter(archived_at=None)
    return trades.filter(account__in=accounts)


@transaction.atomic
def bulk_apply(*, user: User, trades: QuerySet[Any], order: BulkOrder) -> BulkChange:
    """Do one thing to every trade of a queryset that the user may change.

    Raises ConflictError when their number is not the expected one: the list changed since it was
    shown. Raises RuleError for values that mean nothing. The same token is one change.
    """
    if order.action not in _ACTIONS:
        raise RuleError("Choose what to do.", "action")
    change, made = change_begin(user=user, action=order.action, token=order.token)
    if not made:
        return change
    ids = set(writable_trades(user, trades).order_by().values_list("pk", flat=True))
    chosen = list(Trade.objects.filter(pk__in=ids).select_related("account").order_by("pk")) if ids else []
    if len(chosen) != order.expected:
        raise ConflictError(
            f"The list changed: {len(chosen)} trades would be changed now, not {order.expected}. "
            "Nothing was done; look again, then repeat."
        )
    if not chosen:
        raise RuleError("Choose at least one trade.")
    if len(chosen) > MOST:
        raise RuleError(f"At most {MOST:,} trades at once.")
    change.undo, done, what = _ACTIONS[order.action](user, chosen, order)
    change.summary, change.count = what[:200], len(chosen)
    change.save(update_fields=["undo", "summary", "count"])
    told(user, chosen, f"bulk.{order.action}", what, {"change": str(change.pk), "changed": done})
    return change


_Done = tuple[list[Any], int, str]


def many(count: int) -> str:
    """A number of trades in words."""
    return f"{count:,} trade{'' if count == 1 else 's'}"


def _tag(user: User, trades: Sequence[Trade], order: BulkOrder) -> _Done:
    name = tag_name(order.value)
    tags = {t.account_id: t.account for t in trades}
    by_account = {pk: tag_get(account, name, order.kind) for pk, account in tags.items()}
    reviews = reviews_of(trades)
    have = set(
        Tagging.objects.filter(tag__in=by_account.values(), review__isnull=False).values_list(
            "review_id", flat=True
        )
    )
    new = [
        Tagging(pk=uuid4(), account_id=r.account_id, tag=by_account[r.account_id], review=r)
        for r in reviews
        if r.pk not in have
    ]
    Tagging.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    more = f"; {many(len(trades) - len(new))} had it already" if len(new) < len(trades) else ""
    return [str(t.pk) for t in new], len(new), f"“{name}” put on {many(len(trades))}{more}"


def _untag(user: User, trades: Sequence[Trade], order: BulkOrder) -> _Done:
    name = tag_name(order.value)
    rows = list(
        Tagging.objects.filter(
            tag__name__iexact=name, tag__account__in={t.account_id for t in trades},
            review__trade__in=[t.pk for t in trades],
        ).values_list("pk", "tag_id", "review_id")
    )  # fmt: skip
    Tagging.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
    more = f"; {many(len(trades) - len(rows))} did not have it" if len(rows) < len(trades) else ""
    undo = [[str(tag), str(review)] for _, tag, review in rows]
    return undo, len(rows), f"“{name}” taken off {many(len(trades))}{more}"


def _rate(user: User, trades: Sequence[Trade], order: BulkOrder) -> _Done:
    text = order.value.strip()
    rating = int(text) if text.isascii() and text.isdigit() and len(text) == 1 else None
    if (text and rating is None) or (rating is not None and not 1 <= rating <= MAX_RATING):
        raise RuleError(f"A rating is between 1 and {MAX_RATING}.", "value")
    changed = [review for review in reviews_of(trades) if review.rating != rating]
    undo = [[str(review.pk), review.rating, rating] for review in changed]
    TradeReview.objects.filter(pk__in=[review.pk for review in changed]).update(rating=rating)
    words = f"rated {rating} of {MAX_RATING}" if rating else "no longer rated"
    return undo, len(changed), f"{many(len(trades))} {words}"


def _move(user: User, trades: Sequence[Trade], order: BulkOrder) -> _Done:
    try:
        wanted = UUID(order.value)
    except ValueError:
        raise RuleError("Choose the account to move to.", "value") from None
    target = Account.objects.for_user(user, WRITE_ROLES).filter(pk=wanted, archived_at=None).first()
    if target is None:
        raise RuleError("Choose the account to move to.", "value")
    moving = [trade for trade in trades if trade.account_id != target.pk]
    undo = trades_move(user=user, trades=moving, target=target)
    more = f"; {many(len(trades) - len(moving))} stood there already" if len(moving) < len(trades) else ""
    return undo, len(moving), f"{many(len(trades))} moved to {target.name}{more}"


_ACTIONS: dict[str, Callable[[User, Sequence[Trade], BulkOrder], _Done]] = {
    Action.TAG: _tag, Action.UNTAG: _untag, Action.RATE: _rate, Action.MOVE: _move,
}  # fmt: skip


def _writes(user: User) -> QuerySet[Account]:
    return Account.objects.for_user(user, WRITE_ROLES).filter(archived_at=None)


def _undo_tag(user: User, undo: Sequence[Any]) -> int:
    mine = Tagging.objects.filter(account__in=_writes(user))
    return sum(mine.filter(pk__in=part).delete()[0] for part in _parts(undo))


def _undo_untag(user: User, undo: Sequence[Any]) -> int:
    accounts = dict(Tag.objects.filter(pk__in={tag for tag, _ in undo}).values_list("pk", "account_id"))
    allowed = set(_writes(user).values_list("pk", flat=True))
    wanted = {(UUID(tag), UUID(review)) for tag, review in undo}
    present = set(
        Tagging.objects.filter(tag__in=accounts, review__isnull=False).values_list("tag_id", "review_id")
    )
    alive = set(TradeReview.objects.filter(account__in=allowed).values_list("pk", "account_id"))
    missing = [
        Tagging(account_id=accounts[tag], tag_id=tag, review_id=review)
        for tag, review in sorted(wanted - present)
        if tag in accounts and (review, accounts[tag]) in alive
    ]
    return len(Tagging.objects.bulk_create(missing, ignore_conflicts=True, batch_size=500))


def _undo_rate(user: User, undo: Sequence[Any]) -> int:
    groups: dict[tuple[int | None, int | None], list[str]] = defaultdict(list)
    for review, before, after in undo:
        groups[before, after].append(review)
    mine = TradeReview.objects.filter(account__in=_writes(user))
    return sum(
        mine.filter(pk__in=part, rating=after).update(rating=before)
        for (before, after), ids in groups.items()
        for part in _parts(ids)
    )


def _undo_move(user: User, undo: Sequence[Any]) -> int:
    """Move trades back whose version is still the one the move left."""
    allowed = {str(pk) for pk in _writes(user).values_list("pk", flat=True)}
    back: dict[str, list[Trade]] = defaultdict(list)
    versions = {row["trade"]: row for row in undo}
    for trade in Trade.objects.filter(pk__in=list(versions)).select_related("account"):
        row = versions[str(trade.pk)]
        still = trade.version == row["version"] and str(trade.account_id) == row["to"]
        if still and row["from"] in allowed and row["to"] in allowed:
            back[row["from"]].append(trade)
    for account_id, trades in back.items():
        trades_move(user=user, trades=trades, target=Account.objects.get(pk=account_id), former=versions)
    return sum(map(len, back.values()))


#: Rows of one statement.
_PART = 5_000


def _parts(rows: Sequence[Any]) -> list[Sequence[Any]]:
    return [rows[i : i + _PART] for i in range(0, len(rows), _PART)]


UNDOS: dict[str, Callable[[User, Sequence[Any]], int]] = {
    Action.TAG: _undo_tag, Action.UNTAG: _undo_untag, Action.RATE: _undo_rate, Action.MOVE: _undo_move,
}  # fmt: skip


def told(user: User, trades: Sequence[Trade], action: str, summary: str, changes: dict[str, Any]) -> None:
    """One audit event for each account touched."""
    for account in {trade.account_id: trade.account for trade in trades}.values():
        ids = [str(trade.pk) for trade in trades if trade.account_id == account.pk]
        audit_record(
            actor=user, action=action, account=account, summary=summary, changes={**changes, "trades": ids}
        )
