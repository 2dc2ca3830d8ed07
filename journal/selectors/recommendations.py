"""Reads of recommendations: the current ones, what keeps them from being approved, and the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from hedging.selectors.calendar import closes_at, next_session, session_date
from journal.models import (
    Account,
    AdviceRun,
    Decision,
    Recommendation,
    RulesetVersion,
    Signature,
    User,
)


@dataclass(frozen=True, slots=True)
class Card:
    """A recommendation as the page shows it; approval is disabled while ``stale`` is not empty."""

    row: Recommendation
    signatures: tuple[Signature, ...]
    stale: tuple[str, ...]
    signed_by_me: bool


def stale_reasons(row: Recommendation, now: datetime) -> list[str]:
    """Why the inputs no longer speak for the present; empty when they do."""
    run, account = row.run, row.account
    found = []
    if run.superseded_at is not None:
        found.append("a newer answer of the rules exists")
    if run.book_revision != account.book_revision:
        found.append("the book changed since")
    if run.ruleset.status != RulesetVersion.Status.ACTIVE:
        found.append("the rules it follows are no longer active")
    if now > closes_at(next_session(session_date(run.as_of))):
        found.append("its market data are older than the last session")
    if now >= row.expires_at:
        found.append("it expired")
    return found


def recommendations_for(user: User, account: Account) -> QuerySet[Any]:
    """The account's recommendations with signatures and decisions, newest first."""
    return (
        Recommendation.objects.for_user(user)
        .filter(account=account)
        .select_related("run__ruleset", "account", "trade")
        .prefetch_related(
            Prefetch("signatures", queryset=Signature.objects.select_related("signer")),
            Prefetch("decisions", queryset=Decision.objects.select_related("actor")),
        )
    )


def cards(user: User, account: Account, now: datetime) -> list[Card]:
    """What waits for a decision or its execution, and the hold of the newest run."""
    states = (*Recommendation.OPEN, Recommendation.State.HOLD)
    return [
        Card(
            row,
            signatures := tuple(row.signatures.all()),
            tuple(stale_reasons(row, now)),
            any(signature.signer_id == user.pk for signature in signatures),
        )
        for row in recommendations_for(user, account).filter(state__in=states).order_by("ordinal")
    ]


def newest_run(user: User, account: Account) -> AdviceRun | None:
    """The newest advice of the account."""
    return AdviceRun.objects.for_user(user).filter(account=account, superseded_at__isnull=True).first()
