"""Merging, splitting and naming imported trades by hand. Decisions are kept by row, so they last."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import F

from journal.errors import RuleError
from journal.importers.rows import IMPORTED
from journal.models import Account, Fill, GroupChoice, GroupLabel, ImportBatch, Trade, User
from journal.selectors.book.purpose import purpose_of
from journal.selectors.imports.openings import group_position
from journal.services.audit import audit_record
from journal.services.book.ledger import account_lock, account_revalue
from journal.services.imports.proposals import links_propose
from journal.services.imports.rebuild import Desired, group_token, plan_account, rebuild
from journal.services.imports.stage import State, batch_replan, recorded_refresh

_MAX_TITLE = 120


@transaction.atomic
def groups_merge(
    *, user: User, account: Account, anchors: Sequence[str], batch: ImportBatch | None = None
) -> None:
    """Make one trade of several groups of imported rows, named by their anchors."""
    account, found = _find(account, anchors, batch)
    if len(found) < 2:
        raise RuleError("Choose two trades or more to merge.", "anchors")
    if len({wanted.group.underlying for wanted in found}) > 1:
        raise RuleError("Trades on different underlyings cannot be merged.", "anchors")
    token = next((wanted.group.token for wanted in found if wanted.group.token), uuid.uuid4().hex)
    _choose(account, token, [key for wanted in found for key in _keys(wanted)])
    _apply(user, account, batch, "import.merge", ", ".join(anchors)[:280])


@transaction.atomic
def group_split(
    *,
    user: User,
    account: Account,
    anchor: str,
    keys: Collection[str],
    batch: ImportBatch | None = None,
) -> None:
    """Make the rows ``keys`` of one group a trade of their own; the others stay together."""
    account, found = _find(account, [anchor], batch)
    own = _keys(found[0])
    out = [key for key in own if key in set(keys)]
    rest = [key for key in own if key not in set(keys)]
    if not out or not rest:
        raise RuleError("Choose some of the trade's rows, not all of them.", "keys")
    _choose(account, uuid.uuid4().hex, out)
    _choose(account, uuid.uuid4().hex, rest)
    _apply(user, account, batch, "import.split", anchor)


@transaction.atomic
def group_label(
    *,
    user: User,
    account: Account,
    anchor: str,
    kind: str,
    layer: int | None = None,
    title: str = "",
    batch: ImportBatch | None = None,
) -> None:
    """Say what a group is: kind, hedge layer, name. It then needs no review. Raises RuleError by input."""
    account, found = _find(account, [anchor], batch)
    group = found[0].group
    if kind not in Trade.Kind.values:
        raise RuleError("Unknown trade type.", "kind")
    purpose_of(group_position(group), kind=Trade.Kind(kind), layer=layer)
    if len(title) > _MAX_TITLE or any(not letter.isprintable() for letter in title):
        raise RuleError(f"A name has at most {_MAX_TITLE} printable characters.", "title")
    GroupLabel.objects.update_or_create(
        account=account, group=group.token or group_token(group),
        defaults={"title": title.strip(), "kind": kind, "layer": layer, "reviewed": True},
    )  # fmt: skip
    _apply(user, account, batch, "import.label", f"{anchor}: {kind} {layer or ''} {title}".strip())


def trade_rows(trade: Trade) -> list[tuple[str, Fill]]:
    """Row keys and fills of an imported trade, for a split by hand."""
    fills = trade.fills.filter(source__in=IMPORTED).select_related("contract").order_by("executed_at", "pk")
    return [(fill.external_id.partition("/")[0], fill) for fill in fills]


def _find(
    account: Account, anchors: Sequence[str], batch: ImportBatch | None
) -> tuple[Account, list[Desired]]:
    account = account_lock(account)
    staged = batch if batch is not None and batch.state == State.STAGED else None
    plan = plan_account(account, staged)
    by_anchor = {wanted.group.anchor: wanted for wanted in plan.wanted}
    missing = [anchor for anchor in anchors if anchor not in by_anchor]
    if missing or not anchors:
        raise RuleError("That trade is not as it was shown; reload and try again.", "anchors")
    return account, [by_anchor[anchor] for anchor in dict.fromkeys(anchors)]


def _keys(wanted: Desired) -> list[str]:
    return list(dict.fromkeys(p.source.key for p in wanted.group.parts if not p.source.fixed))


def _choose(account: Account, token: str, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), 500):
        chunk = keys[start : start + 500]
        GroupChoice.objects.filter(account=account, key__in=chunk).delete()
        GroupChoice.objects.bulk_create(
            [GroupChoice(account=account, key=key, group=token) for key in chunk], batch_size=500
        )


def _apply(user: User, account: Account, batch: ImportBatch | None, action: str, summary: str) -> None:
    """Bring the ledger to the new decision, and the plan of a batch that is only staged."""
    plan = plan_account(account)
    outcome = rebuild(user=user, account=account, plan=plan)
    links_propose(account=account, plan=plan, trades=outcome.trades)
    if outcome.changed or outcome.trades_made:
        Account.objects.filter(pk=account.pk).update(book_revision=F("book_revision") + 1)
        account.refresh_from_db()
        account_revalue(account=account, requested_by=str(user.public_id))
    if batch is not None and batch.state == State.STAGED:
        batch_replan(ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk))
    recorded_refresh(account)
    audit_record(actor=user, action=action, account=account, obj=batch, summary=summary)
