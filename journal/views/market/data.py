"""The data page: what is stored and how old, what is fetched, what is wrong with it; upload and export."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.selectors.market import (
    fetched_files,
    has_series,
    newest_fetch,
    newest_load,
    past_files,
    recent_runs,
    series_csv,
    sources,
    sources_csv,
    supplied_series,
)
from hedging.selectors.quality import quality_findings
from hedging.services.market.fetch import GROUPS, HISTORY
from hedging.services.market.load import MarketFileError
from hedging.services.market.stage import MOST_BYTES
from journal.errors import RuleError
from journal.safe_csv import safe_cell
from journal.services.market import MAX_UPLOAD, market_fetch_ask, market_upload, market_uploads
from journal.views.common import person
from journal.views.jobs import shown_job

RUNS = 15
LOADS_SHOWN = timedelta(days=1)


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Sources, series, newest runs; filters in the address."""
    return _page(request)


def _page(
    request: HttpRequest, error: MarketFileError | None = None, name: str = "", status: int = 200
) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:40]
    only_stale = request.GET.get("stale") == "1"
    stored = sources(now=timezone.now())
    files, past = fetched_files(), past_files()
    may_load = person(request).is_market_operator
    job = newest_fetch()
    load = newest_load(since=timezone.now() - LOADS_SHOWN)
    context: dict[str, Any] = {
        "sources": [
            s
            for s in stored
            if search.lower() in f"{s.name} {s.source}".lower() and (s.stale or not only_stale)
        ],
        "stored": len(stored),
        "stale_count": sum(bool(s.stale) for s in stored),
        "search": search,
        "only_stale": only_stale,
        "files": files,
        "past": past,
        "has_files": bool(files or past["asked"]),
        "runs": recent_runs(RUNS),
        "supplied": supplied_series(now=timezone.now()),
        "fetching": settings.MARKET_FETCH,
        "may_load": may_load,
        "may_fetch": settings.MARKET_FETCH and may_load,
        "groups": GROUPS,
        "shown": shown_job(person(request), job) if job is not None else None,
        "loading": shown_job(person(request), load) if load is not None else None,
        "error": error,
        "file_name": name,
    }
    return render(request, "journal/market/data/page.html", context, status=status)


@login_required
def quality(request: HttpRequest) -> HttpResponse:
    """Findings about the stored data: a fragment for the data page, a page by itself."""
    found = quality_findings(now=timezone.now())
    template = "quality" if request.headers.get("HX-Request") else "quality_page"
    return render(request, f"journal/market/data/{template}.html", {"findings": found})


@login_required
def series(request: HttpRequest) -> StreamingHttpResponse:
    """One stored series as CSV; without a symbol the list of what is stored."""
    symbol, source = request.GET.get("symbol", "")[:32], request.GET.get("source", "")[:40]
    if symbol and not has_series(symbol):
        raise Http404
    rows = series_csv(symbol=symbol, source=source) if symbol else sources_csv(now=timezone.now())
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    name = "".join(c if c.isalnum() else "_" for c in symbol) or "series"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for row in rows:
        # Source names come from files; figures may start with a minus and stay figures.
        yield writer.writerow([*row[:-3], *map(safe_cell, row[-3:])])


@login_required
@require_POST
def fetch(request: HttpRequest) -> HttpResponse:
    """Ask for a round of fetching; a second press within the minute is the same round."""
    group = request.POST.get("group", "")
    if group not in (*GROUPS, HISTORY, ""):
        raise Http404
    if not settings.MARKET_FETCH:
        messages.error(request, "Fetching is switched off on this site.")
        return redirect("journal:data")
    try:
        market_fetch_ask(
            user=person(request), names=(group,) if group else GROUPS,
            slot=f"{timezone.now():%Y-%m-%dT%H:%M}",
        )  # fmt: skip
    except RuleError as refusal:
        messages.error(request, refusal.message)
    return redirect("journal:data")


@login_required
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Load a market file; a malformed one names line and column, and nothing of it is kept."""
    several = [one for one in request.FILES.getlist("file") if isinstance(one, UploadedFile) and one.name]
    if not several:
        messages.error(request, "Choose a file first.")
        return redirect("journal:data")
    if len(several) > 1:
        return _several(request, several)
    (sent,) = several
    try:
        run = market_upload(
            user=person(request),
            name=sent.name or "",
            data=sent.read(MAX_UPLOAD + 1),  # the loader refuses what is longer
            symbol=request.POST.get("symbol", "")[:32],
        )
    except MarketFileError as error:
        return _page(request, error, sent.name or "", status=400)
    except RuleError as refusal:
        messages.error(request, refusal.message)
        return redirect("journal:data")
    messages.success(
        request,
        f"{run.name}: {run.format}, {run.rows_new} new, {run.rows_unchanged} unchanged, "
        f"{run.rows_dropped} dropped.",
    )
    return redirect("journal:data")


def _several(request: HttpRequest, files: Sequence[UploadedFile[Any]]) -> HttpResponse:
    """Leave several files to a worker; its progress shows on the page."""
    if request.POST.get("symbol", "").strip():
        messages.error(request, "A symbol names one file: upload that one by itself.")
        return redirect("journal:data")
    total, what = sum(one.size or 0 for one in files), f"{len(files)} files"
    if total > MOST_BYTES:  # before they are read
        error = MarketFileError(f"{total >> 20} MiB together; at most {MOST_BYTES >> 20} MiB")
        return _page(request, error, what, status=400)
    try:
        market_uploads(user=person(request), files=[(one.name or "", one.read()) for one in files])
    except MarketFileError as error:
        return _page(request, error, what, status=400)
    except RuleError as refusal:
        messages.error(request, refusal.message)
    return redirect("journal:data")
