"""Members of an account, their roles, and the approvals a change needs."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from journal.forms.members import ApprovalForm, MemberForm
from journal.models import MANAGE_ROLES, Account, Membership, Role
from journal.selectors.signing import approval_rule
from journal.services.accounts import approvals_set, member_add, member_remove
from journal.services.errors import RuleError
from journal.services.rate_limit import too_many_of
from journal.views.common import get_owned, person, say_removed


@login_required
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show members and approvals; owners add members and set the approvals."""
    user = person(request)
    account = get_owned(Account, user, pk)
    manages = Account.objects.for_user(user, MANAGE_ROLES).filter(pk=pk).exists()
    posted = request.POST if request.method == "POST" else None
    if posted is not None:
        get_owned(Account, user, pk, MANAGE_ROLES)
    saves_rule = posted is not None and "needed" in posted
    if posted is not None and not saves_rule and too_many_of(user, "members", limit=30, seconds=3600):
        messages.error(request, "Too many names were tried; go on in an hour.")
        return redirect("journal:members", pk=pk)
    form = MemberForm(None if saves_rule else posted)
    now = {"needed": account.approvals_needed, "delay_hours": account.approval_delay_hours}
    rule_form = ApprovalForm(posted if saves_rule else None, initial=now)
    if saves_rule and rule_form.is_valid():
        approvals_set(user=user, account=account, **rule_form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("journal:members", pk=pk)
    if posted is not None and not saves_rule and form.is_valid():
        member, role = form.cleaned_data["login"], Role(form.cleaned_data["role"])
        member_add(user=user, account=account, member=member, role=role)
        messages.success(request, f"{member.get_username()} is now {role.label.lower()}.")
        return redirect("journal:members", pk=pk)
    context = {
        "account": account,
        "members": account.memberships.select_related("user").order_by("role", "pk"),
        "rule": approval_rule(account),
        "may_manage": manages,
        "form": form,
        "rule_form": rule_form,
    }
    return render(request, "journal/accounts/members.html", context)


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID, membership: int) -> HttpResponse:
    """Take a role from a member."""
    user = person(request)
    account = get_owned(Account, user, pk, MANAGE_ROLES)
    found = get_object_or_404(Membership, pk=membership, account=account)
    try:
        change = member_remove(user=user, membership=found)
    except RuleError as error:
        messages.error(request, error.message)
    else:
        text = f"{found.user.get_username()} is no longer {found.get_role_display().lower()}."
        say_removed(request, change, text)
    return redirect("journal:members", pk=pk)
