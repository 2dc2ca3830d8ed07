"""Moving trades to another account: fills, marks and reviews go along, both books change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from journal.errors import RuleError
from journal.models import Account, Attachment, Fill, Note, NoteRevision, Tagging, Trade, TradeReview, User
from journal.services.book.ledger import account_lock, account_revalue
from journal.services.review.reviews import tag_get

#: Sources of fills that no file backs; grouping an account's files again would bring others back.
_BY_HAND = ("manual", "form", "api", "demo", "reversal", Fill.SETTLEMENT)


@transaction.atomic
def trades_move(
    *, user: User, trades: Sequence[Trade], target: Account, former: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Move trades to ``target``; returns one undo row a trade (see journal.services.book.bulk_edit).

    Raises RuleError where a move would part what belongs together: a hedge and the condor it protects,
    another currency, the demo. ``former`` gives playbooks back on the way home.
    """
    if not trades:
        return []
    sources = {trade.account_id: trade.account for trade in trades}
    for account in sorted([*sources.values(), target], key=lambda a: str(a.pk)):
        account_lock(account)
    ids = [trade.pk for trade in trades]
    _check(trades, target, ids)
    reviews = {r.trade_id: r for r in TradeReview.objects.filter(trade__in=ids).select_related("playbook")}
    try:
        with transaction.atomic():
            for model in _followers():
                model._default_manager.filter(trade__in=ids).update(account=target)  # noqa: SLF001
            Trade.objects.filter(pk__in=ids).update(account=target, version=F("version") + 1)
            _reviews_move(list(reviews.values()), target, former or {})
    except IntegrityError:
        raise RuleError(f"{target.name} has the same fills already; nothing was moved.") from None
    for account in (*sources.values(), target):
        Account.objects.filter(pk=account.pk).update(book_revision=F("book_revision") + 1)
        account.refresh_from_db()
        account_revalue(account=account, requested_by=str(user.public_id))
    versions = dict(Trade.objects.filter(pk__in=ids).values_list("pk", "version"))
    return [
        {
            "trade": str(trade.pk), "from": str(trade.account_id), "to": str(target.pk),
            "version": versions[trade.pk],
            "playbook": str(reviews[trade.pk].playbook_id) if trade.pk in reviews else "None",
        }
        for trade in trades
    ]  # fmt: skip


def _followers() -> list[type[models.Model]]:
    """Every table with rows of a trade that name the account as well."""
    found = [relation.related_model for relation in Trade._meta.related_objects]  # noqa: SLF001
    return [
        model
        for model in dict.fromkeys(found)
        if isinstance(model, type)
        and model not in (Trade, TradeReview)
        and {"account", "trade"} <= {f.name for f in model._meta.get_fields()}  # noqa: SLF001
    ]


def _check(trades: Sequence[Trade], target: Account, ids: Sequence[Any]) -> None:
    for account in {trade.account for trade in trades}:
        if account.currency != target.currency or account.is_demo != target.is_demo:
            raise RuleError(f"Trades cannot move between {account.name} and {target.name}.")
    filed = Fill.objects.filter(trade__in=ids).exclude(source__in=_BY_HAND).select_related("trade").first()
    if filed is not None:
        raise RuleError(
            f"{filed.trade.label} came from a broker's file: undo that import "
            "and repeat it in the other account."
        )
    linked = Trade.protects.through.objects.filter(
        (Q(from_trade__in=ids) & ~Q(to_trade__in=ids)) | (Q(to_trade__in=ids) & ~Q(from_trade__in=ids))
    ).first()
    if linked is not None:
        apart = linked.from_trade_id if linked.from_trade_id in set(ids) else linked.to_trade_id
        label = next(trade.label for trade in trades if trade.pk == apart)
        raise RuleError(f"{label} is linked to a trade that stays: move a hedge together with its condor.")


def _reviews_move(reviews: Sequence[TradeReview], target: Account, former: Mapping[str, Any]) -> None:
    """Reviews go along; their tags become the target's tags of the same name."""
    ids = [review.pk for review in reviews]
    Note.objects.filter(review__in=ids).update(account=target)
    Attachment.objects.filter(review__in=ids).update(account=target)
    NoteRevision.objects.filter(note__review__in=ids).update(account=target)
    for tagging in Tagging.objects.filter(review__in=ids).select_related("tag"):
        tag = tag_get(target, tagging.tag.name, tagging.tag.kind)
        Tagging.objects.filter(pk=tagging.pk).update(tag=tag, account=target)
    for review in reviews:
        playbook = former.get(str(review.trade_id), {}).get("playbook", "None")
        TradeReview.objects.filter(pk=review.pk).update(
            account=target, playbook=None if playbook == "None" else playbook
        )
