"""The record of decisions: what was followed, overridden or let expire, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from journal.models import Account, AuditEvent, Decision, Outcome, Recommendation, User

#: Followed is a position that changed on a signal; an override or an expiry held it.
GUARDRAIL_OVERRIDE = "guardrail.override"
MOTION, LOYALTY = "motion", "loyalty"
State = Recommendation.State
_SETTLED = (State.EXECUTED, State.OVERRIDDEN, State.EXPIRED)
_SNOOZED = Decision.Kind.SNOOZED


@dataclass(frozen=True, slots=True)
class Entry:
    """One settled recommendation. ``pnl`` is what its orders earned since, in dollars; None is unknown.

    ``effect`` is what the decision earned: the same when it was followed, the opposite when it was not.
    ``snoozes`` is how often it was put aside before.
    """

    row: Recommendation
    decision: Decision | None
    tag: str
    stance: str
    pnl: Decimal | None
    outcome: Outcome | None
    snoozes: int = 0

    @property
    def effect(self) -> Decimal | None:
        """Dollars the decision earned (+) or cost (-) against doing the other thing."""
        if self.pnl is None:
            return None
        return self.pnl if self.row.state == State.EXECUTED else -self.pnl


@dataclass(frozen=True, slots=True)
class Against:
    """An order that was recorded although guardrails refused it; ``rules`` hold their reasons."""

    event: AuditEvent
    rules: tuple[dict[str, Any], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DisciplinePage:
    """Shares and sums over all settled recommendations, and the entries, newest first.

    ``against`` are orders recorded against guardrails, newest first; ``waiting`` what is still open.
    """

    entries: tuple[Entry, ...]
    counts: dict[str, int]
    followed_share: float | None
    tags: dict[str, int]
    override_effect: Decimal | None
    followed_effect: Decimal | None
    expired_effect: Decimal | None
    unknown_outcomes: int
    against: tuple[Against, ...] = ()
    waiting: tuple[Recommendation, ...] = ()

    csv_head = (
        "decided", "recommendation", "state", "stance", "reason", "tag", "effect_usd", "valued_at",
        "decided_by", "reason_code",
    )  # fmt: skip

    @property
    def has_open_ends(self) -> bool:
        """Whether orders went against guardrails or recommendations wait."""
        return bool(self.against or self.waiting)

    def csv_rows(self) -> list[tuple[str, ...]]:
        """The entries as text."""
        rows: list[tuple[str, ...]] = [
            (
                entry.decision.at.isoformat() if entry.decision else "",
                entry.row.title,
                entry.row.state,
                entry.stance,
                entry.decision.reason if entry.decision else "",
                entry.tag,
                "" if entry.effect is None else f"{entry.effect:.2f}",
                entry.outcome.as_of.isoformat() if entry.outcome else "",
                entry.decision.actor_name if entry.decision else "",
                entry.decision.reason_code if entry.decision else "",
            )
            for entry in self.entries
        ]
        for one in self.against:
            when = one.event.at.isoformat()
            by = one.event.actor_name
            rows.append((when, one.event.summary, GUARDRAIL_OVERRIDE, "", one.reason, "", "", "", by, ""))
        return rows


def discipline_page(user: User, account: Account) -> DisciplinePage:
    """Read the record of an account."""
    rows = (
        Recommendation.objects.for_user(user)
        .filter(account=account, state__in=_SETTLED)
        .select_related("outcome")
        .prefetch_related("decisions")
    )
    entries = tuple(_entry(row) for row in rows)
    counts = Counter(entry.row.state for entry in entries)
    decided = counts[State.EXECUTED] + counts[State.OVERRIDDEN] + counts[State.EXPIRED]
    return DisciplinePage(
        entries,
        {state.value: counts[state] for state in _SETTLED},
        counts[State.EXECUTED] / decided if decided else None,
        dict(Counter(entry.tag for entry in entries if entry.tag)),
        _sum(entries, State.OVERRIDDEN),
        _sum(entries, State.EXECUTED),
        _sum(entries, State.EXPIRED),
        sum(entry.pnl is None for entry in entries),
        _against(account),
        tuple(Recommendation.objects.for_user(user).filter(account=account, state__in=Recommendation.OPEN)),
    )


def _against(account: Account) -> tuple[Against, ...]:
    rows = AuditEvent.objects.filter(account_id=str(account.pk), action=GUARDRAIL_OVERRIDE)
    return tuple(
        Against(row, tuple(row.changes.get("rules", ())), str(row.changes.get("reason", ""))) for row in rows
    )


def _entry(row: Recommendation) -> Entry:
    decision = next((d for d in reversed(row.decisions.all()) if d.kind == row.state), None)
    outcome = getattr(row, "outcome", None)
    return Entry(
        row,
        decision,
        decision.tag if decision else "",
        MOTION if row.state == State.EXECUTED else LOYALTY,
        outcome.pnl if outcome else None,
        outcome,
        sum(one.kind == _SNOOZED for one in row.decisions.all()),
    )


def _sum(entries: tuple[Entry, ...], state: str) -> Decimal | None:
    """What decisions of one state earned together; None without a known outcome."""
    known = [e.effect for e in entries if e.row.state == state and e.effect is not None]
    return sum(known, Decimal(0)) if known else None
