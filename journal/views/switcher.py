"""The account switcher of the page shell."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from journal.models import Account
from journal.selectors.shell import SESSION_ACCOUNT
from journal.views.common import get_owned, local_address, person


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Choose the account the pages speak about."""
    try:
        chosen = UUID(request.POST.get("account", ""))
    except ValueError:
        raise Http404 from None
    account = get_owned(Account, person(request), chosen)
    request.session[SESSION_ACCOUNT] = str(account.pk)
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return redirect(local_address(request, request.headers.get("Referer", "")) or "journal:dashboard")
