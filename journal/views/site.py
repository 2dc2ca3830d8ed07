"""The glossary; the demo, started and removed."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from journal.glossary import TERMS
from journal.rate_limit import too_many
from journal.selectors.shell import SESSION_ACCOUNT
from journal.services.demo import demo_guest, demo_remove, demo_start
from journal.views.common import person


@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    """The terms of the method, for everybody."""
    return render(request, "journal/glossary/page.html", {"terms": TERMS})


@require_POST
def start_demo(request: HttpRequest) -> HttpResponse:
    """A populated demo: for the signed-in user, or for a fresh guest signed in at once."""
    if too_many(request, "demo", limit=20, seconds=3600):
        messages.error(request, "Too many demos from this address; try again in an hour.")
        return redirect("account_login")
    if request.user.is_authenticated:
        user = person(request)
    else:
        user = demo_guest()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    account = demo_start(user=user)
    request.session[SESSION_ACCOUNT] = str(account.pk)
    messages.success(request, "The demo is ready. Its market is simulated.")
    return redirect("journal:dashboard")


@login_required
@require_POST
def remove_demo(request: HttpRequest) -> HttpResponse:
    """Remove the user's demo without a trace."""
    user = person(request)
    demo_remove(user=user)
    if user.is_demo:
        request.session.flush()
        return redirect("account_login")
    messages.success(request, "The demo was removed.")
    return redirect("journal:dashboard")
