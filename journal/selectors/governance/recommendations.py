"""Reads of recommendations: the current ones, what keeps them from being approved, and the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from hedging.engine.codec import from_json
from hedging.engine.policy.types import Proposal
from hedging.selectors.calendar import closes_at, next_session, session_date
from journal.models import (
    Account,
    AdviceRun,
    Decision,
    Outcome,
    Recommendation,
    RulesetVersion,
    Signature,
    Trade,
    User,
)
from journal.selectors.governance.signing import (
    ApprovalRule,
    SigningProgress,
    approval_rule,
    signer_names,
    signing_progress,
)


@dataclass(frozen=True, slots=True)
class Card:
    """A recommendation as the page shows it; approval is disabled while ``stale`` is not empty."""

    row: Recommendation
    signatures: tuple[Signature, ...]
    stale: tuple[str, ...]
    signed_by_me: bool
    progress: SigningProgress

    @property
    def is_waiting(self) -> bool:
        """Whether it can be approved."""
        return self.row.state in {Recommendation.State.NEW, Recommendation.State.SNOOZED}

    @property
    def is_open(self) -> bool:
        """Whether something can be decided about it."""
        return self.is_waiting or self.row.state == Recommendation.State.APPROVED


def stale_reasons(row: Recommendation, now: datetime) -> list[str]:
    """Why the inputs no longer speak for the present; empty when they do."""
    expired = ["it expired"] if now >= row.expires_at else []
    return [*run_stale_reasons(row.run, row.account, now), *expired]


def run_stale_reasons(run: AdviceRun, account: Account, now: datetime) -> list[str]:
    """Why a run no longer speaks for the account as it is now."""
    found = []
    if run.superseded_at is not None:
        found.append("outdated: replaced by a newer recommendation")
    if run.book_revision != account.book_revision:
        found.append("the book changed since")
    if run.ruleset.status != RulesetVersion.Status.ACTIVE:
        found.append("the rules it follows are no longer active")
    if now > closes_at(next_session(session_date(run.as_of))):
        found.append("its market data are older than the last session")
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
    rule = approval_rule(account)
    names = signer_names(rule)
    return [
        Card(
            row,
            signatures := tuple(row.signatures.all()),
            tuple(stale_reasons(row, now)),
            any(signature.signer_id == user.pk for signature in signatures),
            signing_progress(rule, names, signatures),
        )
        for row in recommendations_for(user, account).filter(state__in=states).order_by("ordinal")
    ]


def newest_run(user: User, account: Account) -> AdviceRun | None:
    """The newest advice of the account."""
    rows = AdviceRun.objects.for_user(user).select_related("ruleset", "snapshot")
    return rows.filter(account=account, superseded_at__isnull=True).first()


@dataclass(frozen=True, slots=True)
class RecommendationPage:
    """One recommendation with everything beside it; ``trades`` may have carried it out."""

    card: Card
    proposal: Proposal
    decisions: tuple[Decision, ...]
    outcome: Outcome | None
    trades: tuple[Trade, ...]
    rule: ApprovalRule
    may_sign: bool
    executable: bool
    payoff: dict[str, Any] | None

    @property
    def has_record(self) -> bool:
        """Whether anybody signed or decided."""
        return bool(self.decisions or self.card.signatures)

    @property
    def payoff_summary(self) -> str:
        """What the chart of the payoff shows, in words."""
        if self.payoff and str(self.payoff["x_label"]).startswith("SPX now"):
            return (
                "Profit and loss of the whole book in dollars before and after the change, modelled now as "
                "SPX moves and VIX answers as in the stress cells."
            )
        return (
            "Profit and loss of this trade alone in dollars, held to its expiry, before and after the change."
        )


def recommendation_page(user: User, row: Recommendation, now: datetime) -> RecommendationPage:
    """Read one recommendation the user may see."""
    found: Recommendation = recommendations_for(user, row.account).get(pk=row.pk)
    signatures = tuple(found.signatures.all())
    rule = approval_rule(found.account)
    card = Card(
        found,
        signatures,
        tuple(stale_reasons(found, now)) if found.state in Recommendation.OPEN else (),
        any(signature.signer_id == user.pk for signature in signatures),
        signing_progress(rule, signer_names(rule), signatures),
    )
    proposal = from_json(Proposal, found.proposal)
    symbols = {leg.symbol for order in proposal.orders for leg in order.legs}
    trades = Trade.objects.for_user(user).filter(
        account=found.account, fills__executed_at__gte=found.run.as_of, fills__contract__symbol__in=symbols
    )
    return RecommendationPage(
        card,
        proposal,
        tuple(found.decisions.all()),
        Outcome.objects.filter(recommendation=found).select_related("snapshot").first(),
        tuple(trades.distinct()),
        rule,
        user.pk in rule.signers and found.state in {Recommendation.State.NEW, Recommendation.State.SNOOZED},
        found.state == Recommendation.State.APPROVED
        and found.executable_at is not None
        and now >= found.executable_at,
        _payoff(proposal),
    )


def _payoff(proposal: Proposal) -> dict[str, Any] | None:
    """Before and after as a line chart."""
    pair = proposal.effects.payoff if proposal.effects else None
    if pair is None:
        return None
    versions = (("after", pair.after, False), ("before", pair.before, True))
    return {
        "series": [
            {"name": name, "data": list(map(list, zip(pair.prices, pnl, strict=True))), "dashed": dashed}
            for name, pnl, dashed in versions
        ],
        "x_type": "value",
        "x_label": pair.underlying,
        "unit": "pnl",
    }
