"""Who may enter the risk desk: its own groups; to everybody else it does not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

from journal.views.common import person

View = Callable[..., HttpResponse]


def risk_only(view: View) -> View:
    """Answer 404 to everybody but the desk."""
    return _only(view, "is_risk_admin")


def officer_only(view: View) -> View:
    """Answer 404 to everybody but officers of the desk, who may acknowledge and set limits."""
    return _only(view, "is_risk_officer")


def _only(view: View, right: str) -> View:
    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not getattr(person(request), right):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
