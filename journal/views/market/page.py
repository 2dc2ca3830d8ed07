"""The market page: levels, regimes, curve, smiles and the signal table, now or as of a past day."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from hedging.engine.market import ForwardSource, MarketSnapshot
from hedging.engine.signals.types import SignalDay
from hedging.selectors.signals import StoredSignals, stored_signals
from hedging.services.signals import signals_request
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.models import Account
from journal.safe_csv import safe_cell
from journal.selectors.as_of import AsOf, as_of_for, past_day
from journal.selectors.governance.account_signals import with_quick_ratio
from journal.selectors.governance.signal_rules import SignalRules, signal_rules
from journal.selectors.market import signals_page
from journal.selectors.market.smiles import smile_chart, smile_table
from journal.selectors.market.term_structure import curve_chart, curve_summary, curve_table, term_curves
from journal.selectors.shell import current_account
from journal.views.common import today_in_new_york

STALE_AFTER = timedelta(days=4)
MOST_RUNS = 120  # rows of the table of regimes
FORWARD_TEXT = {
    ForwardSource.PARITY: "put-call parity",
    ForwardSource.VX_FUTURE: "VX future",
    ForwardSource.VX_CURVE: "between VX futures",
    ForwardSource.CARRY: "spot, rate and dividends, or between quoted forwards",
}
#: What the form of the signals asks itself.
_OF_SIGNALS = ("q", "state", "group")
_KEPT = ("as_of", "compare", "expiry", "span", "q", "state", "group")
_CSV = (
    "as_of", "key", "signal", "group", "value", "unit", "threshold", "state", "since", "distance",
    "input_day", "age_days", "stale", "source", "provenance", "reason", "ruleset", "ruleset_hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which account, market, rules and day a request looks at, and the stored signals for them."""

    account: Account | None
    simulated: bool
    rules: SignalRules
    past: AsOf
    stored: StoredSignals | None
    day: date | None

    def seen(self) -> SignalDay:
        """The day's signals with what belongs to the account; only where signals are stored."""
        assert self.stored is not None
        assert self.day is not None
        return with_quick_ratio(self.stored.frame.day(self.day), self.account, self.rules.params)


def _asked(request: HttpRequest) -> _Asked:
    account = current_account(request)
    simulated = bool(account and account.is_demo)
    rules = signal_rules(account)
    past = as_of_for(request)
    stored = stored_signals(simulated=simulated, params=rules.params)
    return _Asked(account, simulated, rules, past, stored, past.day or (stored.last_day if stored else None))


@login_required
def market(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    asked = _asked(request)
    row = snapshot_for(as_of=asked.past.moment, simulated=asked.simulated)
    context: dict[str, Any] = {"row": row, "rules": asked.rules, "as_of_shown": True, **_address(request)}
    if row is not None:
        view = snapshot_load(row)
        context |= {
            "market": view,
            "levels": sorted(view.levels.values(), key=lambda level: level.symbol),
            "expiries": [],
            **_waiting(asked),
            **_signals(request, asked),
            **_curves(request, asked, view),
            **_smile(request, view),
        }
        context["signals_wait"] = context["waiting"] is not None or context["stored"] is None
    return render(request, "journal/market/page.html", context)


def _address(request: HttpRequest) -> dict[str, Any]:
    """What forms and links of the page keep of its address."""
    kept = {key: request.GET[key] for key in _KEPT if key in request.GET}
    others = {key: value for key, value in kept.items() if key != "span"}
    asked = {key: value for key, value in kept.items() if key not in _OF_SIGNALS}
    return {"kept": kept, "kept_of_signals": asked, "span_query": f"{urlencode(others)}&" if others else ""}


def _waiting(asked: _Asked) -> dict[str, Any]:
    """The job that computes signals, while the stored ones are absent or behind the data."""
    if asked.stored is not None and asked.stored.current:
        return {"waiting": None}
    return {"waiting": signals_request(simulated=asked.simulated, params=asked.rules.params)}


def _signals(request: HttpRequest, asked: _Asked) -> dict[str, Any]:
    if asked.stored is None or asked.day is None:
        return {"stored": None}
    frame, day = asked.stored.frame, asked.day
    span = request.GET.get("span", "3y")
    span = span if span in signals_page.SPANS else "3y"
    seen = asked.seen()
    runs = signals_page.regime_runs(frame, day, span)
    today = today_in_new_york()
    behind = None if asked.past else today - day
    return {
        "stored": asked.stored,
        "day": day,
        "days_behind": behind.days if behind is not None and behind > STALE_AFTER else None,
        "seen": seen,
        "regime": signals_page.regime_name(seen.regime.regime),
        "tiles": signals_page.level_tiles(
            frame.levels_on(day).values(), simulated=asked.simulated, today=None if asked.past else today
        ),
        "span": span,
        "spans": {key: label for key, (label, _) in signals_page.SPANS.items()},
        "ribbon": signals_page.regime_chart(frame, day, span),
        "ribbon_summary": signals_page.regime_summary(runs, span),
        "ribbon_table": {
            "head": ["Regime", "First day", "Last day", "Sessions"],
            "rows": [
                (signals_page.regime_name(r.regime), r.first, r.last, r.sessions) for r in runs[:MOST_RUNS]
            ],
        },
        "runs_left_out": max(0, len(runs) - MOST_RUNS),
        **_table(request, asked, seen),
    }


def _table(request: HttpRequest, asked: _Asked, seen: SignalDay) -> dict[str, Any]:
    """The signal table under the filter of the address."""
    chosen = signals_page.SignalFilter.from_query(request.GET)
    return {
        "day": asked.day,
        "chosen": chosen,
        "lines": signals_page.signal_lines(seen, chosen),
        "counts": signals_page.signal_counts(seen),
        "total": len(seen.signals),
        "groups": list(signals_page.GROUPS),
        "query": request.GET.urlencode(),
        "rules": asked.rules,
    }


def _curves(request: HttpRequest, asked: _Asked, view: MarketSnapshot) -> dict[str, Any]:
    day = asked.past.day or asked.day or view.as_of.date()
    compared = past_day(request.GET.get("compare", ""))
    curves = term_curves(day, compared=compared, simulated=asked.simulated)
    vix = view.levels.get("VIX")
    return {
        "compared": compared,
        "curve": curve_chart(curves, vix.value if vix else None),
        "curve_summary": curve_summary(curves),
        "curve_table": curve_table(curves),
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
    chart = smile_chart(expiry)
    return {
        "slice": expiry,
        "slice_key": f"{key[0]}:{key[1]}",
        "expiries": [(root, when, (root, when) == key) for root, when in keys],
        "smile": chart,
        "smile_table": smile_table(chart) if chart else None,
        "forward_text": FORWARD_TEXT[expiry.forward_source],
    }


@login_required
def signal_table(request: HttpRequest) -> HttpResponse:
    """The signal table alone, for the filter."""
    asked = _asked(request)
    ready = asked.stored is not None and asked.day is not None
    context = _table(request, asked, asked.seen()) if ready else {"lines": [], "total": 0}
    answer = render(request, "journal/market/signal_rows.html", context)
    answer["HX-Replace-Url"] = f"{reverse('journal:market')}?{request.GET.urlencode()}"
    return answer


@login_required
def signals_ready(request: HttpRequest) -> HttpResponse:
    """Asked again and again while a worker computes: reloads the page when it is done."""
    asked = _asked(request)
    if asked.stored is not None and asked.stored.current:
        return HttpResponse(headers={"HX-Refresh": "true"})
    job = signals_request(simulated=asked.simulated, params=asked.rules.params)
    context = {"waiting": job, "stored": asked.stored, "rules": asked.rules}
    return render(request, "journal/market/waiting.html", context)


@login_required
def signal_csv(request: HttpRequest) -> HttpResponse:
    """The table under its filter as CSV: texts made harmless, figures left numeric."""
    asked = _asked(request)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="signals-{asked.day or "none"}.csv"'
    writer = csv.writer(response)
    writer.writerow(_CSV)
    if asked.stored is None or asked.day is None:
        return response
    chosen = signals_page.SignalFilter.from_query(request.GET)
    for line in signals_page.signal_lines(asked.seen(), chosen):
        one = line.signal
        writer.writerow(
            [
                asked.day,
                one.key.value,
                safe_cell(one.label),
                line.group,
                "" if one.value is None else f"{one.value:.6f}",
                safe_cell(one.unit),
                safe_cell(one.threshold),
                one.state.value,
                one.since or "",
                "" if one.distance is None else f"{one.distance:.6f}",
                one.as_of or "",
                "" if one.age_days is None else one.age_days,
                int(one.stale),
                safe_cell(one.source),
                safe_cell(one.provenance),
                safe_cell(one.reason),
                safe_cell(asked.rules.name),
                asked.rules.content_hash,
            ]
        )
    return response
