"""Rolls an import proposes."""

from __future__ import annotations

from journal.importers.shapes import find_rolls
from journal.models import Account, Trade, TradeLink
from journal.services.imports.rebuild import Plan

State = TradeLink.State


def links_propose(*, account: Account, plan: Plan, trades: dict[int, Trade]) -> int:
    """Store the rolls of a plan as proposals; known links find their trades again. Returns the new ones."""
    anchors = {wanted.group.number: wanted.group.anchor for wanted in plan.wanted}
    by_anchor = {anchor: trades[number] for number, anchor in anchors.items()}
    links = {
        (link.earlier_anchor, link.later_anchor): link for link in TradeLink.objects.filter(account=account)
    }
    seen, made = set(), []
    imported = {
        wanted.group.number
        for wanted in plan.wanted
        if any(not part.source.fixed for part in wanted.group.parts)
    }
    for roll in find_rolls([wanted.group for wanted in plan.wanted]):
        if not {roll.earlier, roll.later} & imported:
            continue
        pair = (anchors[roll.earlier], anchors[roll.later])
        seen.add(pair)
        if pair not in links:
            made.append(
                TradeLink(
                    account=account, earlier=trades[roll.earlier], later=trades[roll.later],
                    earlier_anchor=pair[0], later_anchor=pair[1], kind=roll.kind.value,
                    reason=roll.reason[:200], moment=roll.moment,
                )
            )  # fmt: skip
    TradeLink.objects.bulk_create(made, batch_size=1_000)
    stale, moved = [], []
    for pair, link in links.items():
        if link.state == State.PROPOSED and pair not in seen:
            stale.append(link.pk)
            continue
        earlier, later = by_anchor.get(pair[0], link.earlier), by_anchor.get(pair[1], link.later)
        if (earlier, later) != (link.earlier, link.later):
            link.earlier, link.later = earlier, later
            moved.append(link)
    TradeLink.objects.filter(pk__in=stale).delete()
    TradeLink.objects.bulk_update(moved, ["earlier", "later"], batch_size=500)
    return len(made)
