"""Advice written by hand: two proposals with known stressed losses, on a snapshot of one VIX close."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from hedging.engine.policy.types import (
    Action,
    Advice,
    AdviceInputs,
    BookRisk,
    Effects,
    Ladder,
    Order,
    OrderLeg,
    Proposal,
    WaccTarget,
    advice_hash,
)
from hedging.models import DailyBar, MarketSnapshot
from hedging.selectors.calendar import closes_at, previous_session, session_on_or_before
from hedging.services.snapshots.snapshots import snapshot_for
from journal.models import Account, AdviceRun, RulesetVersion
from journal.services.governance.recommendations import advice_store
from journal.services.governance.rulesets import ruleset_ensure

CALL = "VIX   261216C00025000"


def last_session(now: datetime) -> date:
    day = session_on_or_before(now.date())
    return day if closes_at(day) <= now else previous_session(day)


def snapshot(day: date) -> MarketSnapshot:
    DailyBar.objects.get_or_create(
        source="test", symbol="VIX", date=day, defaults={"close": Decimal("18.25")}
    )
    found = snapshot_for(as_of=closes_at(day) + timedelta(minutes=1))
    assert found is not None
    found.refresh_from_db()  # moments as they are stored
    return found


def proposal(before: float = 9000.0, after: float = 6000.0, action: Action = Action.ADD_LAYER) -> Proposal:
    figures = BookRisk(before, 10_000.0, 5_000.0, -12.0)
    order = Order((OrderLeg(CALL, 4, 1.2),), 4, -1.2, -480.0, "BUY +4 VIX 100 16 DEC 26 25 CALL @1.20 LMT")
    return Proposal(
        action, "Buy 4 VIX 25 calls for layer 1", "The layer is below its target.", "premium budget", 1,
        orders=(order,), cost=480.0, risk_reducing=after < before,
        effects=Effects(figures, replace(figures, scenario_loss=after)),
    )  # fmt: skip


def advice(account: Account, row: MarketSnapshot, ruleset: RulesetVersion, *proposals: Proposal) -> Advice:
    given = Advice(
        AdviceInputs(
            str(account.pk), account.book_revision, "b" * 64, row.content_hash, "s" * 64, ruleset.name,
            ruleset.content_hash, row.as_of, row.as_of.date(),
        ),
        "calm", (), Ladder((), None, None, 1.0), proposals or (proposal(),), (), (), (),
        WaccTarget(0.07, 0.0, 0.07, False, None, None), "premium budget",
    )  # fmt: skip
    return replace(given, hash=advice_hash(given))


def stored(account: Account, *proposals: Proposal, now: datetime | None = None) -> AdviceRun:
    ruleset = ruleset_ensure(account=account)
    row = snapshot(last_session(now or timezone.now()))
    return advice_store(
        account=account, ruleset=ruleset, snapshot=row, advice=advice(account, row, ruleset, *proposals)
    )
