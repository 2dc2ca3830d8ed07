"""The life of an account's rules: drafted, proposed with evidence, signed, active from a day, retired."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from hedging.engine.rulesets.diff import ruleset_diff
from hedging.engine.rulesets.document import ruleset_document, ruleset_from
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import RulesetError
from journal.errors import RuleError
from journal.models import Account, RulesetVersion, User
from journal.selectors.governance.rules import ruleset_active, ruleset_of, ruleset_shown
from journal.selectors.governance.signing import approval_rule
from journal.services.audit import audit_record
from journal.services.governance.signing import signature_add

Status = RulesetVersion.Status
_ET = ZoneInfo("America/New_York")


@transaction.atomic
def ruleset_ensure(*, account: Account) -> RulesetVersion:
    """The version in force; an account without one starts with the default preset."""
    Account.objects.select_for_update().get(pk=account.pk)
    found = ruleset_active(account)
    if found is not None:
        return found
    version = _store(None, account, ruleset_document(preset(DEFAULT)), None, "the default to begin with")
    version.status, version.active_from = Status.ACTIVE, timezone.now()
    version.save(update_fields=["status", "active_from"])
    return version


@transaction.atomic
def ruleset_draft(
    *,
    user: User,
    account: Account,
    document: dict[str, Any],
    parent: RulesetVersion | None = None,
    reason: str = "",
) -> RulesetVersion:
    """Store a new version as a draft; the same content in the account is the same version.

    Raises RuleError that names every place of the document which is wrong.
    """
    return _store(user, account, document, parent, reason)


@transaction.atomic
def ruleset_propose(
    *, user: User, version: RulesetVersion, evidence: dict[str, Any] | None = None
) -> RulesetVersion:
    """Put a draft before the signers. Changed thresholds need a backtest attached (GOV-4)."""
    version = _locked(version)
    if version.status != Status.DRAFT:
        raise RuleError(f"Only a draft can be proposed; this version is {version.get_status_display()}.")
    active = ruleset_active(version.account)
    attached = evidence or version.evidence
    if active is not None and not attached and ruleset_diff(ruleset_shown(active), ruleset_shown(version)):
        raise RuleError("Attach a backtest first: thresholds change only on evidence.", "evidence")
    version.evidence, version.status, version.proposed_at = attached, Status.PROPOSED, timezone.now()
    version.save(update_fields=["evidence", "status", "proposed_at"])
    _audit(user, version, "ruleset.propose")
    return version


@transaction.atomic
def ruleset_sign(*, user: User, version: RulesetVersion, content_hash: str) -> RulesetVersion:
    """Sign a proposed version; the last needed signature sets the day from which it is active.

    Raises RuleError for a person or state that cannot sign, ConflictError for another content.
    """
    version = _locked(version)
    if version.status != Status.PROPOSED:
        raise RuleError(f"This version is {version.get_status_display().lower()}; it takes no signatures.")
    rule = approval_rule(version.account)
    count = signature_add(user=user, target=version, content_hash=content_hash, rule=rule)
    if count >= rule.needed:
        now = timezone.now()
        day: date | None = ruleset_of(version).effective_from
        wanted = datetime.combine(day, time(), _ET) if day else now
        version.status, version.approved_at = Status.APPROVED, now
        version.active_from = max(now + rule.delay, wanted)
        version.save(update_fields=["status", "approved_at", "active_from"])
        _audit(user, version, "ruleset.approve")
        rulesets_activate(now=now, account=version.account)
        version.refresh_from_db()
    return version


@transaction.atomic
def ruleset_withdraw(*, user: User, version: RulesetVersion) -> RulesetVersion:
    """Take back a version that is not active yet."""
    version = _locked(version)
    if version.status not in {Status.DRAFT, Status.PROPOSED, Status.APPROVED}:
        raise RuleError(f"A version that is {version.get_status_display().lower()} cannot be withdrawn.")
    version.status = Status.WITHDRAWN
    version.save(update_fields=["status"])
    _audit(user, version, "ruleset.withdraw")
    return version


@transaction.atomic
def rulesets_activate(*, now: datetime, account: Account | None = None) -> list[RulesetVersion]:
    """Put approved versions in force whose moment has come; what was active retires. Returns them."""
    due = RulesetVersion.objects.select_for_update().filter(status=Status.APPROVED, active_from__lte=now)
    if account is not None:
        due = due.filter(account=account)
    done = []
    for version in due.order_by("active_from", "approved_at"):
        RulesetVersion.objects.filter(account=version.account_id, status=Status.ACTIVE).update(
            status=Status.RETIRED, retired_at=now
        )
        version.status = Status.ACTIVE
        version.save(update_fields=["status"])
        _audit(None, version, "ruleset.activate")
        done.append(version)
    return done


def _store(
    user: User | None,
    account: Account,
    document: dict[str, Any],
    parent: RulesetVersion | None,
    reason: str,
) -> RulesetVersion:
    try:
        ruleset = ruleset_from(
            {**document, "status": "draft", "parent": parent.content_hash if parent else None}, find=preset
        )
    except RulesetError as error:
        raise RuleError("; ".join(error.problems), "document") from None
    version, made = RulesetVersion.objects.get_or_create(
        account=account, content_hash=ruleset.hash,
        defaults={
            "name": ruleset.name, "title": ruleset.title, "document": ruleset_document(ruleset),
            "parent": parent, "reason": reason, "created_by": user,
        },
    )  # fmt: skip
    if made:
        _audit(user, version, "ruleset.draft")
    return version


def _locked(version: RulesetVersion) -> RulesetVersion:
    Account.objects.select_for_update().get(pk=version.account_id)
    return RulesetVersion.objects.select_for_update(of=("self",)).select_related("account").get(pk=version.pk)


def _audit(user: User | None, version: RulesetVersion, action: str) -> None:
    audit_record(
        actor=user, action=action, account=version.account, obj=version, summary=version.title,
        changes={"content_hash": version.content_hash, "status": version.status},
    )  # fmt: skip
