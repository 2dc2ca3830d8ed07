"""A change of who signs, stuck because a signer can no longer sign: an operator waives that signature.

Nobody does this alone and nobody does it quietly. Somebody who signs for the account asks for the change and
signs it; everybody who can sign still has to. The operator, who has no part in the account, waives only the
signatures of logins that have been silent. Then every signer is told by e-mail and on the page, and for
``WAIT`` any of them, the one thought lost included, may withdraw it. It fails by itself when one of those
logins shows up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from hedging.jobs.context import JobContext, JobRetryError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from journal.errors import RuleError
from journal.job_kinds import NOTIFY_SIGNER
from journal.models import Account, Alert, ApprovalChange, AuditEvent, Membership, Signature, User
from journal.selectors.governance.signing import approval_rule
from journal.services.alerts.alerts import AlertFinding, alerts_update
from journal.services.audit import audit_record

#: How long a released change waits, and how long a login must have been silent to be called lost.
WAIT, SILENT = timedelta(days=14), timedelta(days=14)
_MIN_REASON = 20
_ATTEMPTS = 6


@transaction.atomic
def change_release(
    *, operator: User, change: ApprovalChange, lost: Sequence[User], reason: str
) -> ApprovalChange:
    """Approve a proposed change although the ``lost`` signers did not sign; it waits ``WAIT`` at least.

    Raises RuleError for an operator with a part in the account, a signer who signed or was seen lately, and
    while signatures of others are missing.
    """
    Account.objects.select_for_update().get(pk=change.account_id)
    row = ApprovalChange.objects.select_for_update(of=("self",)).select_related("account").get(pk=change.pk)
    if row.status != ApprovalChange.Status.PROPOSED:
        raise RuleError(f"It is {row.get_status_display().lower()}; there is nothing to release.")
    if not (operator.is_staff and operator.is_active):
        raise RuleError("Only a staff login releases a change.", "operator")
    if Membership.objects.filter(account=row.account, user=operator).exists():
        raise RuleError("The operator must not be a member of the account.", "operator")
    if len(reason.strip()) < _MIN_REASON:
        raise RuleError(f"Say in at least {_MIN_REASON} characters how you know.", "reason")
    now, rule = timezone.now(), approval_rule(row.account)
    signed = set(row.signatures.filter(signer_id__in=rule.signers).values_list("signer_id", flat=True))
    gone = {user.pk: user for user in lost}
    if not gone or not gone.keys() <= rule.signers:
        raise RuleError("Name signers of the account.", "lost")
    for user in gone.values():
        if user.pk in signed:
            raise RuleError(f"{user.get_username()} signed it.", "lost")
        seen = last_seen(user)
        if seen is not None and now - seen < SILENT:
            raise RuleError(
                f"{user.get_username()} was here on {seen:%Y-%m-%d} and may still sign; "
                f"{SILENT.days} silent days are needed.",
                "lost",
            )
    missing = rule.needed - len(signed) - len(gone)
    if not signed or missing > 0:
        raise RuleError(f"{max(missing, 1)} more of those who can sign must sign it first.")
    row.status, row.approved_at = ApprovalChange.Status.APPROVED, now
    row.effective_at = now + max(WAIT, rule.delay)
    row.release = {
        "operator": operator.get_username(), "reason": reason.strip(),
        "lost": [{"id": str(u.public_id), "login": u.get_username()} for u in gone.values()],
    }  # fmt: skip
    row.save(update_fields=["status", "approved_at", "effective_at", "release"])
    audit_record(
        actor=operator, action="approvals.release", account=row.account, obj=row, summary=row.summary,
        changes={
            **row.release, "content_hash": row.content_hash, "effective_at": row.effective_at.isoformat(),
        },
    )  # fmt: skip
    _tell(row, rule.signers)
    return row


def last_seen(user: User) -> datetime | None:
    """When the login last signed in, signed or did anything that is recorded."""
    did = AuditEvent.objects.filter(actor_id=str(user.public_id)).order_by("-at").first()
    wrote = Signature.objects.filter(signer=user).order_by("-at").first()
    moments = (user.last_login, did.at if did else None, wrote.at if wrote else None)
    return max((moment for moment in moments if moment is not None), default=None)


def release_check(change: ApprovalChange) -> None:
    """Raise RuleError when somebody thought lost was seen after the release."""
    if change.release is None or change.approved_at is None:
        return
    ids = [one["id"] for one in change.release["lost"]]
    for user in User.objects.filter(public_id__in=ids):
        seen = last_seen(user)
        if seen is not None and seen > change.approved_at:
            raise RuleError(f"{user.get_username()} was here on {seen:%Y-%m-%d} and can sign.")


def release_over(change: ApprovalChange) -> None:
    """Clear the alert of a released change that came into force or was withdrawn."""
    if change.release is not None:
        alerts_update(account=change.account, kinds=[Alert.Kind.SIGNERS], findings=[])


def _tell(row: ApprovalChange, signers: Iterable[int]) -> None:
    """Alert on the page and its channels, and an e-mail to every signer, asked for in this transaction."""
    assert row.effective_at is not None
    text = f"{row.summary}: released by the operator, in force {row.effective_at:%Y-%m-%d} unless withdrawn"
    finding = AlertFinding(Alert.Kind.SIGNERS, f"signers:{row.pk}", text)
    alerts_update(account=row.account, kinds=[Alert.Kind.SIGNERS], findings=[finding])
    for pk in sorted(signers):
        job_request(
            kind=NOTIFY_SIGNER, scope=account_scope(row.account_id), input_revision=f"{row.pk}:{pk}",
            payload={"change": str(row.pk), "user": pk}, max_attempts=_ATTEMPTS,
        )  # fmt: skip


@job_handler(NOTIFY_SIGNER)
def tell_signer(context: JobContext) -> Callable[[], Any] | None:
    """E-mail one signer about a released change that still waits; tried again when it fails."""
    row = ApprovalChange.objects.filter(pk=context.job.payload["change"]).select_related("account").first()
    user = User.objects.filter(pk=context.job.payload["user"]).first()
    if row is None or row.status not in ApprovalChange.OPEN or row.release is None or user is None:
        return None
    if not user.email:
        return None
    lost = ", ".join(one["login"] for one in row.release["lost"])
    try:
        send_mail(
            f"[{row.account.name}] {row.summary}"[:160].replace("\n", " "),
            f"{row.summary}.\n\nThe operator {row.release['operator']} released this change without the "
            f"signature of {lost}, because: {row.release['reason']}\n\nIt comes into force "
            f"{row.effective_at:%Y-%m-%d %H:%M} UTC. Whoever signs for the account can withdraw it until "
            f"then, and it ends by itself when {lost} signs in:\n"
            f"{settings.PUBLIC_URL}/books/{row.account_id}/members/\n",
            None, [user.email],
        )  # fmt: skip
    except OSError as error:
        raise JobRetryError((str(error) or type(error).__name__)[:300]) from None
    return None
