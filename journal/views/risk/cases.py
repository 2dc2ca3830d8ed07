"""Breach cases: the desk's list and page, and the page on which the trader answers."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from journal.errors import RuleError
from journal.forms.risk import AcknowledgeForm
from journal.models import BreachCase
from journal.selectors.risk.cases import case_list, case_page, desk_members
from journal.services.risk.cases import case_acknowledge, case_assign, case_comment
from journal.views.common import person, uuids
from journal.views.risk.gates import officer_only, risk_only

_PAGE = 50


@risk_only
def case_index(request: HttpRequest) -> HttpResponse:
    """Open cases, worst and oldest first; ``?state=closed`` shows those that are over."""
    state = "closed" if request.GET.get("state") == "closed" else "open"
    page = Paginator(case_list(state), _PAGE).get_page(request.GET.get("page"))
    return render(request, "journal/risk/cases.html", {"page": page, "state": state})


@risk_only
def case_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One case: its figures then and now, what was said, what can be done."""
    case = get_object_or_404(BreachCase.objects.select_related("account"), pk=pk)
    return _shown(request, case)


def _shown(request: HttpRequest, case: BreachCase, form: AcknowledgeForm | None = None) -> HttpResponse:
    context = {
        "shown": case_page(case), "form": form or AcknowledgeForm(), "desk": desk_members(),
        "may_act": person(request).is_risk_officer and case.closed_at is None,
    }  # fmt: skip
    return render(request, "journal/risk/case.html", context, status=400 if form else 200)


@officer_only
@require_POST
def acknowledge(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Acknowledge a case with a reason until a day."""
    case = get_object_or_404(BreachCase.objects.select_related("account"), pk=pk)
    form = AcknowledgeForm(request.POST)
    if form.is_valid():
        try:
            case_acknowledge(
                user=person(request), case=case, reason=form.cleaned_data["reason"],
                until=form.cleaned_data["until"],
            )  # fmt: skip
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    if form.errors:
        return _shown(request, case, form)
    messages.success(request, "Acknowledged. The case asks again when the day is over or the figure worsens.")
    return redirect("journal:risk_case", case.pk)


@officer_only
@require_POST
def assign(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hand a case to somebody of the desk."""
    case = get_object_or_404(BreachCase, pk=pk)
    chosen = desk_members().filter(public_id__in=uuids([request.POST.get("assignee", "")])).first()
    try:
        case_assign(user=person(request), case=case, assignee=chosen)
    except RuleError as error:
        messages.error(request, error.message)
    return redirect("journal:risk_case", case.pk)


@risk_only
@require_POST
def comment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add the desk's comment."""
    case = get_object_or_404(BreachCase, pk=pk)
    _say(request, case, of_desk=True)
    return redirect("journal:risk_case", case.pk)


@login_required
def trader_cases(request: HttpRequest) -> HttpResponse:
    """Open cases of the accounts the user may see."""
    mine = BreachCase.objects.for_user(person(request)).filter(closed_at__isnull=True)
    return render(request, "journal/risk/own.html", {"cases": mine.select_related("account")})


@login_required
def trader_case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A member's look at a case of the own account, with an answer to the desk."""
    mine = BreachCase.objects.for_user(person(request)).select_related("account")
    case = get_object_or_404(mine, pk=pk)
    if request.method == "POST":
        _say(request, case, of_desk=False)
        return redirect("journal:breach", case.pk)
    return render(request, "journal/risk/answer.html", {"shown": case_page(case)})


def _say(request: HttpRequest, case: BreachCase, *, of_desk: bool) -> None:
    try:
        case_comment(user=person(request), case=case, text=request.POST.get("text", ""), of_desk=of_desk)
    except RuleError as error:
        messages.error(request, error.message)
