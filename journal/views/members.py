"""Members of an account, their roles, and the approvals a change needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.forms.members import ApprovalForm, MemberForm
from journal.models import MANAGE_ROLES, Account, ApprovalChange, Membership, Role, User
from journal.rate_limit import too_many_of
from journal.selectors.governance.signing import (
    SIGN_ROLES,
    ApprovalRule,
    approval_rule,
    ask_roles,
    signer_names,
    signing_progress,
)
from journal.services.accounts import member_remove, needs_signatures
from journal.services.governance.approvals import (
    change_sign,
    change_withdraw,
    role_give,
    role_take,
    rule_change,
)
from journal.services.governance.recovery import WAIT
from journal.views.common import follow_account, get_owned, person, say_removed


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member of the list; ``is_asked`` where others have to agree to the removal."""

    membership: Membership
    may_remove: bool
    is_asked: bool


@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show members and approvals; owners add members, and who signs asks for changes of who signs."""
    user = person(request)
    account = get_owned(Account, user, pk)
    follow_account(request, account)
    manages, asks = (
        Account.objects.for_user(user, roles).filter(pk=pk).exists() for roles in (MANAGE_ROLES, SIGN_ROLES)
    )
    posted = request.POST if request.method == "POST" else None
    saves_rule = posted is not None and "needed" in posted
    if posted is not None:
        get_owned(Account, user, pk, ask_roles(None if saves_rule else posted.get("role", "")))
    if posted is not None and not saves_rule and too_many_of(user, "members", limit=30, seconds=3600):
        messages.error(request, "Too many names were tried; go on in an hour.")
        return redirect("journal:members", pk=pk)
    form = MemberForm(None if saves_rule else posted, roles=tuple(Role) if manages else SIGN_ROLES)
    rule = approval_rule(account)
    now = {"needed": account.approvals_needed, "delay_hours": account.approval_delay_hours}
    rule_form = ApprovalForm(posted if saves_rule else None, initial=now, signers=rule.signers)
    if saves_rule and rule_form.is_valid():
        return _told(request, pk, lambda: rule_change(user=user, account=account, **rule_form.cleaned_data))
    if posted is not None and not saves_rule and form.is_valid():
        member, role = form.cleaned_data["login"], Role(form.cleaned_data["role"])
        return _told(request, pk, lambda: role_give(user=user, account=account, member=member, role=role))
    context = {
        "account": account,
        "members": [
            ListedMember(
                member,
                may_remove=manages or (asks and member.role in SIGN_ROLES),
                is_asked=len(rule.signers) > 1 and member.role in SIGN_ROLES,
            )
            for member in account.memberships.select_related("user__deletion_request").order_by("role", "pk")
        ],
        "rule": rule,
        "may_manage": manages,
        "may_ask": asks,
        "sign_roles": SIGN_ROLES,
        "wait_days": WAIT.days,
        "form": form,
        "rule_form": rule_form,
        "several": len(rule.signers) > 1,
        **_changes(user, account, rule, asks=asks),
    }
    return render(request, "journal/accounts/members.html", context)


def _changes(user: User, account: Account, rule: ApprovalRule, *, asks: bool) -> dict[str, Any]:
    """The change under way with its signatures, and what the user may do about it; the former ones."""
    rows = list(
        ApprovalChange.objects.for_user(user).filter(account=account).prefetch_related("signatures")[:20]
    )
    pending = next((row for row in rows if row.status in ApprovalChange.OPEN), None)
    signs = user.pk in rule.signers
    signed = pending.signatures.all() if pending else ()
    mine = pending is not None and any(s.signer_id == user.pk for s in signed)
    return {
        "pending": pending,
        "must_wait": asks and pending is not None,
        "progress": signing_progress(rule, signer_names(rule), signed),
        "may_sign": signs and pending is not None and pending.status == ApprovalChange.Status.PROPOSED,
        "may_withdraw": signs,
        "signed_by_me": mine,
        "former": [row for row in rows if row != pending],
    }


@login_required
@require_POST
def decide(request: HttpRequest, pk: UUID, action: str) -> HttpResponse:
    """Sign or withdraw a change of who signs."""
    user = person(request)
    change = get_owned(ApprovalChange, user, pk, SIGN_ROLES)
    content = request.POST.get("content_hash", "")
    if action == "sign":
        return _told(
            request, change.account_id, lambda: change_sign(user=user, change=change, content_hash=content)
        )
    return _told(request, change.account_id, lambda: change_withdraw(user=user, change=change))


def _told(request: HttpRequest, pk: UUID, act: Callable[[], ApprovalChange]) -> HttpResponse:
    try:
        change = act()
    except (RuleError, ConflictError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{change.summary}: {change.get_status_display().lower()}.")
    return redirect("journal:members", pk=pk)


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID, membership: int) -> HttpResponse:
    """Take a role from a member."""
    user = person(request)
    account = get_owned(Account, user, pk)
    found = get_object_or_404(Membership, pk=membership, account=account)
    get_owned(Account, user, pk, ask_roles(found.role))
    if needs_signatures(account, found.role):
        return _told(request, pk, lambda: role_take(user=user, membership=found))
    try:
        change = member_remove(user=user, membership=found)
    except RuleError as error:
        messages.error(request, error.message)
    else:
        text = f"{found.user.get_username()} is no longer {found.get_role_display().lower()}."
        say_removed(request, change, text)
    return redirect("journal:members", pk=pk)
