"""The data page: sources, their age, upload."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.selectors.market import recent_runs, sources
from hedging.services.market_load import MarketFileError, market_file_load
from journal.services.valuation import accounts_revalue
from journal.views.common import person

MAX_UPLOAD = 64 * 1024 * 1024


@login_required
def data(request: HttpRequest) -> HttpResponse:
    """What is stored, how old it is, and the newest files."""
    return _data(request)


def _data(
    request: HttpRequest, error: MarketFileError | None = None, name: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "sources": sources(now=timezone.now()),
        "runs": recent_runs(),
        "error": error,
        "file_name": name,
    }
    return render(request, "journal/data/page.html", context, status=status)


@login_required
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Load a market file; a malformed one names line and column, and nothing of it is kept."""
    sent = request.FILES.get("file")
    if not isinstance(sent, UploadedFile) or not sent.name:
        messages.error(request, "Choose a file first.")
        return redirect("journal:data")
    try:
        run = market_file_load(
            name=sent.name,
            data=sent.read(MAX_UPLOAD + 1),  # the loader refuses what is longer
            symbol=request.POST.get("symbol", "")[:32],
            loaded_by=person(request).get_username(),
        )
    except MarketFileError as error:
        return _data(request, error, sent.name, status=400)
    if run.rows_new:
        accounts_revalue()
    messages.success(
        request,
        f"{run.name}: {run.format}, {run.rows_new} new, {run.rows_unchanged} unchanged, "
        f"{run.rows_dropped} dropped.",
    )
    return redirect("journal:data")
