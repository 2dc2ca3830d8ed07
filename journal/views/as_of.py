"""Looking at a past day, and back to now."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from journal.selectors.as_of import PARAMETER, SESSION_AS_OF, past_day


@login_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep a past day for this sign-in; an empty day goes back to now."""
    text = request.POST.get("day", "").strip()
    day = past_day(text)
    if day is not None:
        request.session[SESSION_AS_OF] = day.isoformat()
    else:
        request.session.pop(SESSION_AS_OF, None)
        if text:
            messages.error(request, "Choose a day in the past, from 1986 on.")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """Where the person came from, without a day in the address: the choice just made counts."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}):
        return reverse("journal:dashboard")
    parts = urlsplit(referer)
    query = [(key, value) for key, value in parse_qsl(parts.query) if key != PARAMETER]
    # Several slashes at the start would be another host to a browser.
    return "/" + parts.path.lstrip("/") + (f"?{urlencode(query)}" if query else "")
