"""A read-only look into one account; every look leaves an audit row that the account's members may read."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from journal.models import Account
from journal.selectors.risk.account import account_view
from journal.services.audit import audit_record
from journal.views.common import person
from journal.views.risk.gates import risk_only


@risk_only
def account(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Positions, figures against limits, grid, decisions, imports and who looked."""
    found = get_object_or_404(Account, pk=pk)
    audit_record(
        actor=person(request), action="risk.view_account", account=found, obj=found, summary=found.name
    )
    context = {"shown": account_view(found), "may_act": person(request).is_risk_officer}
    return render(request, "journal/risk/account.html", context)
