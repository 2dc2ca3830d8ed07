"""From a stored recommendation to a decision: signed, executed, overridden, snoozed or expired.

Every decision is appended with its actor; a newer answer of the rules supersedes what was still open.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from hedging.engine.canonical import content_hash
from hedging.engine.codec import from_json
from hedging.engine.policy.effects import risk_change
from hedging.engine.policy.types import Advice, Effects, Proposal
from hedging.models import MarketSnapshot
from hedging.selectors.calendar import NEW_YORK, closes_at, next_session
from journal.errors import RuleError
from journal.models import (
    WRITE_ROLES,
    Account,
    AdviceRun,
    Alert,
    Decision,
    Fill,
    Membership,
    Recommendation,
    RulesetVersion,
    Trade,
    User,
)
from journal.selectors.book.trades import chain_near, live_fills
from journal.selectors.governance.recommendations import stale_reasons
from journal.selectors.governance.signing import SIGN_ROLES, approval_rule
from journal.services.alerts.alerts import AlertFinding, alert_clear, alert_raise
from journal.services.audit import audit_record
from journal.services.governance.signing import signature_add

State = Recommendation.State
HOLD = "HOLD"
MIN_REASON = 10
_MOST_SNOOZE = timedelta(days=7)


@transaction.atomic
def advice_store(
    *, account: Account, ruleset: RulesetVersion, snapshot: MarketSnapshot, advice: Advice
) -> AdviceRun:
    """Store advice and its proposals; the same answer is stored once, an older one is superseded."""
    Account.objects.select_for_update().get(pk=account.pk)
    key = {
        "account": account, "as_of": snapshot.as_of, "ruleset_hash": ruleset.content_hash,
        "book_revision": advice.inputs.book_revision,
    }  # fmt: skip
    known = AdviceRun.objects.filter(**key, superseded_at__isnull=True, content_hash=advice.hash).first()
    if known is not None:
        return known
    _supersede(account)
    run = AdviceRun.objects.create(
        **key, ruleset=ruleset, snapshot=snapshot, content_hash=advice.hash, advice=advice.to_json()
    )
    known_trades = {str(pk) for pk in Trade.objects.filter(account=account).values_list("pk", flat=True)}
    expires = closes_at(next_session(snapshot.as_of.astimezone(NEW_YORK).date()))
    for ordinal, proposal in enumerate(advice.proposals):
        before, after = (
            (proposal.effects.before.scenario_loss, proposal.effects.after.scenario_loss)
            if proposal.effects
            else (None, None)
        )
        Recommendation.objects.create(
            run=run, account=account, ordinal=ordinal, action=proposal.action.value, layer=proposal.layer,
            trade_id=proposal.trade_id if proposal.trade_id in known_trades else None,
            title=proposal.title[:200], proposal=run.advice["proposals"][ordinal],
            content_hash=_proposal_hash(advice, proposal), risk_reducing=proposal.risk_reducing,
            loss_before=before, loss_after=after, expires_at=expires,
            state=State.HOLD if proposal.action.value == HOLD else State.NEW,
        )  # fmt: skip
    audit_record(
        actor=None, action="advice.store", account=account, obj=run,
        summary=f"{len(advice.proposals)} proposals, {advice.binding}"[:300],
        changes={"content_hash": run.content_hash, "ruleset": ruleset.content_hash},
    )  # fmt: skip
    return run


@transaction.atomic
def recommendation_sign(*, user: User, recommendation: Recommendation, content_hash: str) -> Recommendation:
    """Sign an open recommendation; the last needed signature approves it.

    Raises RuleError when the inputs are stale or the user is no signer, ConflictError when the content
    shown is not the stored one. Approval waits for the account's delay unless it lowers the stressed loss.
    """
    row = _locked(recommendation, State.NEW, State.SNOOZED)
    now = timezone.now()
    if stale := stale_reasons(row, now):
        raise RuleError("Not approved: " + "; ".join(stale) + ".")
    rule = approval_rule(row.account)
    count = signature_add(user=user, target=row, content_hash=content_hash, rule=rule)
    if count >= rule.needed:
        row.state, row.approved_at, row.snoozed_until = State.APPROVED, now, None
        row.executable_at = now if row.risk_reducing else now + rule.delay
        # at least one whole session to send the order, whatever weekend or holiday the delay ends on
        day = row.executable_at.astimezone(NEW_YORK).date()
        row.expires_at = max(row.expires_at, closes_at(next_session(day)))
        row.save(update_fields=["state", "approved_at", "snoozed_until", "executable_at", "expires_at"])
        _decide(row, Decision.Kind.APPROVED, user)
    return row


@transaction.atomic
def recommendation_override(
    *, user: User, recommendation: Recommendation, reason_code: str, reason: str
) -> Recommendation:
    """Decide against it. A reason code and at least ten characters are needed.

    The tag says what the refusal does to the stressed loss that decides (hedging.engine.policy.effects):
    following would have lowered it (promoter) or raised it (steward).
    """
    row = _locked(recommendation, *Recommendation.OPEN)
    _check_writer(user, row)
    if reason_code not in Decision.Reason.values:
        raise RuleError("Choose why.", "reason_code")
    if len(reason.strip()) < MIN_REASON:
        raise RuleError(f"Say why in at least {MIN_REASON} characters.", "reason")
    effect = None
    tag = Decision.Tag.UNKNOWN
    if row.proposal.get("effects"):
        effect = 0.0 - risk_change(from_json(Effects, row.proposal["effects"]))
        tag = (
            Decision.Tag.PROMOTER if effect > 0
            else Decision.Tag.STEWARD if effect < 0
            else Decision.Tag.NEUTRAL
        )  # fmt: skip
    row.state = State.OVERRIDDEN
    row.save(update_fields=["state"])
    _decide(
        row, Decision.Kind.OVERRIDDEN, user, reason_code=reason_code, reason=reason.strip(),
        tag=tag, scenario_effect=effect,
    )  # fmt: skip
    return row


@transaction.atomic
def recommendation_snooze(*, user: User, recommendation: Recommendation, until: datetime) -> Recommendation:
    """Put it aside until a moment within its life; it keeps its signatures."""
    row = _locked(recommendation, State.NEW, State.SNOOZED)
    _check_writer(user, row)
    now = timezone.now()
    if not now < until <= now + _MOST_SNOOZE:
        raise RuleError("Snooze for up to seven days.", "until")
    row.state, row.snoozed_until = State.SNOOZED, until
    row.save(update_fields=["state", "snoozed_until"])
    _decide(row, Decision.Kind.SNOOZED, user, reason=f"until {until.isoformat()}")
    return row


@transaction.atomic
def recommendation_execute(*, user: User, recommendation: Recommendation, trade: Trade) -> Recommendation:
    """Link the trade whose fills carried it out: every leg, on the proposed side, after it was made.

    Fills of trades it is rolled from or to count too, and those of the lot an order was made for. Raises
    RuleError before approval and delay are over, or naming the leg that does not match.
    """
    row = _locked(recommendation, State.APPROVED)
    _check_writer(user, row)
    now = timezone.now()
    if row.executable_at is None or now < row.executable_at:
        raise RuleError("The delay after the last signature has not passed.")
    if trade.account_id != row.account_id:
        raise RuleError("The trade belongs to another account.", "trade")
    chosen = {str(pk) for pk in chain_near(trade)}
    lots = {order["trade_id"] for order in row.proposal["orders"] if order.get("trade_id")}
    trades = Trade.objects.filter(account=row.account, pk__in=chosen | lots)
    fills = [
        fill
        for fill in live_fills(Fill.objects.filter(trade__in=trades).select_related("contract"))
        if fill.executed_at >= row.run.as_of
    ]
    linked: list[str] = []
    for order in row.proposal["orders"]:
        near = chosen | {order.get("trade_id")}
        for leg in order["legs"]:
            mine = [
                fill
                for fill in fills
                if str(fill.trade_id) in near
                and fill.contract.symbol == leg["symbol"]
                and (fill.quantity > 0) == (leg["quantity"] > 0)
            ]
            if not mine:
                side = "buys" if leg["quantity"] > 0 else "sells"
                raise RuleError(f"No fill of the trade {side} {leg['symbol']} since it was made.", "trade")
            linked += [str(fill.pk) for fill in mine]
    row.state = State.EXECUTED
    row.save(update_fields=["state"])
    _decide(row, Decision.Kind.EXECUTED, user, fills=sorted(set(linked)), trade=trade)
    return row


def recommendations_wake(*, now: datetime) -> int:
    """Let what was put aside wait again once its time is over, with an alert; returns how many."""
    count = 0
    due = Recommendation.objects.filter(state=State.SNOOZED, snoozed_until__lte=now, expires_at__gt=now)
    for found in due:
        with transaction.atomic():
            try:
                row = _locked(found, State.SNOOZED)
            except RuleError:
                continue  # decided since
            if row.snoozed_until is None or row.snoozed_until > now:
                continue  # put aside once more
            row.state, row.snoozed_until = State.NEW, None
            row.save(update_fields=["state", "snoozed_until"])
            alert_raise(account=row.account, finding=waiting_finding(row))
            count += 1
    return count


@transaction.atomic
def recommendations_expire(*, now: datetime) -> int:
    """Expire what nobody decided in time; returns how many."""
    rows = Recommendation.objects.select_for_update().filter(
        state__in=Recommendation.OPEN, expires_at__lte=now
    )
    count = 0
    for row in rows:
        row.state = State.EXPIRED
        row.save(update_fields=["state"])
        _decide(row, Decision.Kind.EXPIRED, None)
        count += 1
    return count


def _supersede(account: Account) -> None:
    """What an older run left open is superseded; approved ones stay until executed or expired."""
    now = timezone.now()
    for row in Recommendation.objects.select_for_update().filter(
        account=account, state__in=(State.NEW, State.SNOOZED, State.HOLD)
    ):
        row.state = State.SUPERSEDED
        row.save(update_fields=["state"])
        if row.action != HOLD:
            _decide(row, Decision.Kind.SUPERSEDED, None)
    AdviceRun.objects.filter(account=account, superseded_at__isnull=True).update(superseded_at=now)


def _locked(recommendation: Recommendation, *states: Recommendation.State) -> Recommendation:
    Account.objects.select_for_update().get(pk=recommendation.account_id)
    row = (
        Recommendation.objects.select_for_update(of=("self",))
        .select_related("account", "run")
        .get(pk=recommendation.pk)
    )
    if row.state not in states:
        raise RuleError(f"This recommendation is already {row.get_state_display().lower()}.")
    return row


def _check_writer(user: User, row: Recommendation) -> None:
    roles = (*WRITE_ROLES, *SIGN_ROLES)
    if not Membership.objects.filter(account_id=row.account_id, user=user, role__in=roles).exists():
        raise RuleError("Your role can view this account, not decide in it.")


def waiting_finding(row: Recommendation) -> AlertFinding:
    """What the alert of a waiting recommendation says; its key stays the same from one answer to the next."""
    key = f"waits:{row.action}:{row.layer or row.trade_id}"
    return AlertFinding(Alert.Kind.RECOMMENDATION, key, row.title)


def _decide(row: Recommendation, kind: Decision.Kind, user: User | None, **values: object) -> Decision:
    decision = Decision.objects.create(
        account=row.account, recommendation=row, kind=kind, actor=user,
        actor_name=user.get_username() if user else "system", **values,
    )  # fmt: skip
    if kind != Decision.Kind.SUPERSEDED:  # the newer answer says itself what waits
        alert_clear(account=row.account, key=waiting_finding(row).key)
    if user is not None:
        audit_record(
            actor=user, action=f"recommendation.{kind.value}", account=row.account, obj=row,
            summary=row.title, changes={"reason_code": decision.reason_code, "reason": decision.reason,
            "tag": decision.tag, "content_hash": row.content_hash},
        )  # fmt: skip
    return decision


def _proposal_hash(advice: Advice, proposal: Proposal) -> str:
    """Hash of the proposal and what it was computed from."""
    return content_hash({"inputs": advice.inputs, "proposal": proposal})
