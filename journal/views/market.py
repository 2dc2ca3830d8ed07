"""Market and data pages: curves, smiles, sources, upload."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.engine.market import ForwardSource, MarketSnapshot
from hedging.selectors.calendar import NEW_YORK
from hedging.selectors.market import curve_on, recent_runs, sources
from hedging.services.market_load import MarketFileError, market_file_load
from hedging.services.snapshots import snapshot_for, snapshot_load
from journal.selectors.as_of import as_of_for
from journal.selectors.shell import current_account
from journal.selectors.smiles import smile_chart
from journal.services.valuation import accounts_revalue
from journal.views.common import person

MAX_UPLOAD = 64 * 1024 * 1024
FORWARD_TEXT = {
    ForwardSource.PARITY: "put-call parity",
    ForwardSource.VX_FUTURE: "VX future",
    ForwardSource.VX_CURVE: "between VX futures",
    ForwardSource.CARRY: "spot, rate and dividends, or between quoted forwards",
}


@login_required
def market(request: HttpRequest) -> HttpResponse:
    """Levels, VX curve and smiles, now or as of a past day."""
    account = current_account(request)
    simulated = bool(account and account.is_demo)
    past = as_of_for(request)
    row = snapshot_for(as_of=past.moment, simulated=simulated)
    context: dict[str, Any] = {"row": row, "chosen": past.day, "simulated": simulated, "as_of_shown": True}
    if row is not None:
        view = snapshot_load(row)
        context |= {
            "market": view,
            "levels": sorted(view.levels.values(), key=lambda level: level.symbol),
            "curve": _curve_chart(view, simulated),
            "expiries": list(view.slices),
            **_smile(request, view),
        }
    return render(request, "journal/market/page.html", context)


def _curve_chart(view: MarketSnapshot, simulated: bool) -> dict[str, Any] | None:
    """The VX curve of the snapshot beside those of a week and a month before."""
    day = view.as_of.astimezone(NEW_YORK).date()
    series, labels = [], ("M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8")
    for name, back in (("this day", 0), ("a week before", 7), ("a month before", 30)):
        found, curve = curve_on(date.fromordinal(day.toordinal() - back), simulated=simulated)
        if found is not None and (day - found).days - back < 7:
            monthly = [row for row in curve if row.expiry.day > 13][:8]
            series.append(
                {
                    "name": f"{name} ({found})",
                    "data": [float(row.settle) for row in monthly],
                    "dashed": back > 0,
                }
            )
    if not series:
        return None
    return {
        "categories": labels,
        "series": series,
        "x_label": "monthly contract",
        "y_label": "VX settlement, points",
    }


def _smile(request: HttpRequest, view: MarketSnapshot) -> dict[str, Any]:
    keys = list(view.slices)
    wanted = request.GET.get("expiry", "")
    key = next((k for k in keys if f"{k[0]}:{k[1]}" == wanted), None)
    if key is None:
        day = view.as_of.date()
        near = [k for k in keys if k[0] == "SPXW"] or keys
        key = min(near, key=lambda k: abs((k[1] - day).days - 45), default=None)
    if key is None:
        return {}
    expiry = view.slices[key]
    return {
        "slice": expiry,
        "slice_key": f"{key[0]}:{key[1]}",
        "smile": smile_chart(expiry),
        "forward_text": FORWARD_TEXT[expiry.forward_source],
    }


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
