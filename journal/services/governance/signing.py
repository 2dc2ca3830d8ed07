"""Writing signatures, bound to the content that was shown."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from journal.errors import ConflictError, RuleError
from journal.models import ApprovalChange, Recommendation, RulesetVersion, Signature, User
from journal.selectors.governance.signing import ApprovalRule
from journal.services.audit import audit_record


def signature_add(
    *,
    user: User,
    target: RulesetVersion | Recommendation | ApprovalChange,
    content_hash: str,
    rule: ApprovalRule,
) -> int:
    """Write the user's signature under a locked target and return how many valid ones it has now.

    Raises RuleError for somebody who is no signer, ConflictError when the content shown is not the stored
    one. Signing twice is signing once. Signatures of people who are no longer signers do not count.
    """
    if user.pk not in rule.signers:
        raise RuleError("Only the account's signers can sign.")
    if content_hash != target.content_hash:
        raise ConflictError("This changed since you opened it. Reload, read it, then sign.")
    names = {RulesetVersion: "ruleset", Recommendation: "recommendation", ApprovalChange: "change"}
    what: dict[str, Any] = {names[type(target)]: target}
    try:
        with transaction.atomic():
            Signature.objects.create(
                account=target.account, signer=user, signer_name=user.get_username(),
                content_hash=content_hash, **what,
            )  # fmt: skip
    except IntegrityError:
        pass  # the same signer's second click
    else:
        audit_record(
            actor=user, action=f"{next(iter(what))}.sign", account=target.account, obj=target,
            summary=str(target), changes={"content_hash": content_hash},
        )  # fmt: skip
    return Signature.objects.filter(signer_id__in=rule.signers, content_hash=content_hash, **what).count()
