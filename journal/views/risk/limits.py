"""Limits of the desk and groups of accounts."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from journal.errors import RuleError
from journal.forms.risk import GroupForm, LimitForm
from journal.models import Account, Measure, RiskGroup, RiskLimit
from journal.selectors.risk.console import groups_with_counts
from journal.selectors.risk.limits import limit_history, limits_in_force
from journal.services.risk.groups import group_make, group_members_set, group_remove
from journal.services.risk.limits import limit_approve, limit_end, limit_refuse, limit_set
from journal.views.common import person, uuids
from journal.views.risk.gates import officer_only, risk_only


@risk_only
def limits(request: HttpRequest) -> HttpResponse:
    """Limits in force, what waits for a second person, and every version before."""
    if request.method == "POST":
        return _set(request)
    return _shown(request, LimitForm(initial={"account": request.GET.get("account")}))


def _shown(request: HttpRequest, form: LimitForm) -> HttpResponse:
    rows = RiskLimit.objects.select_related("account", "group", "made_by", "approved_by")
    context = {
        "form": form, "in_force": limits_in_force().select_related("account", "group", "made_by"),
        "proposed": rows.filter(state=RiskLimit.State.PROPOSED), "history": limit_history(),
        "may_set": person(request).is_risk_officer, "me": person(request),
    }  # fmt: skip
    return render(request, "journal/risk/limits.html", context, status=400 if form.errors else 200)


@officer_only
def _set(request: HttpRequest) -> HttpResponse:
    form = LimitForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = limit_set(
                user=person(request), measure=Measure(given["measure"]), hard=given["hard"],
                soft=given["soft"], reason=given["reason"], account=given["account"], group=given["group"],
            )  # fmt: skip
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            waits = made.state == RiskLimit.State.PROPOSED
            messages.success(
                request,
                "Proposed: a firm limit is raised by two people, so it waits for the second."
                if waits
                else "In force. The next sheet judges every account by it.",
            )
            return redirect("journal:risk_limits")
    return _shown(request, form)


@officer_only
@require_POST
def decide(request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
    """Approve or refuse a proposed limit, or end one that is in force."""
    limit = get_object_or_404(RiskLimit, pk=pk)
    user = person(request)
    try:
        if what == "approve":
            limit_approve(user=user, limit=limit)
        elif what == "refuse":
            limit_refuse(user=user, limit=limit)
        else:
            limit_end(user=user, limit=limit, reason=request.POST.get("reason", ""))
    except RuleError as error:
        messages.error(request, error.message)
    return redirect("journal:risk_limits")


@risk_only
def groups(request: HttpRequest) -> HttpResponse:
    """Groups of accounts, and making one."""
    if request.method == "POST":
        return _make(request)
    context = {
        "groups": groups_with_counts(),
        "form": GroupForm(),
        "may_set": person(request).is_risk_officer,
    }
    return render(request, "journal/risk/groups.html", context)


@officer_only
def _make(request: HttpRequest) -> HttpResponse:
    try:
        group = group_make(user=person(request), name=request.POST.get("name", ""))
    except RuleError as error:
        messages.error(request, error.message)
        return redirect("journal:risk_groups")
    return redirect("journal:risk_group", group.pk)


@risk_only
def group(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One group: its accounts, chosen from all."""
    found = get_object_or_404(RiskGroup, pk=pk)
    if request.method == "POST":
        return _choose(request, found)
    context = {
        "group": found, "members": set(found.accounts.values_list("pk", flat=True)),
        "accounts": Account.objects.filter(archived_at__isnull=True),
        "may_set": person(request).is_risk_officer,
    }  # fmt: skip
    return render(request, "journal/risk/group.html", context)


@officer_only
def _choose(request: HttpRequest, found: RiskGroup) -> HttpResponse:
    if request.POST.get("remove"):
        group_remove(user=person(request), group=found)
        return redirect("journal:risk_groups")
    group_members_set(user=person(request), group=found, accounts=uuids(request.POST.getlist("account")))
    messages.success(request, "Saved. Limits of the group hold for its accounts from the next sheet on.")
    return redirect("journal:risk_group", found.pk)
