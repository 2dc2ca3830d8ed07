"""The finder behind Ctrl K: pages, actions and own rows that match; a fragment."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from journal.selectors.finder import find, matches, words
from journal.views.common import person

_TEXT_LENGTH, _MOST = 80, 24


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of the finder: a link, or a button that does ``action`` on the page."""

    kind: str
    text: str
    detail: str = ""
    url: str = ""
    action: str = ""


#: Pages by name, route, and other words people look for.
_PAGES = (
    ("Dashboard", "dashboard", "home overview start"),
    ("Trades", "trades", "list positions filter"),
    ("Calendar", "calendar", "pnl days month year heat map"),
    ("Tags and mistakes", "tags", "labels big top cash press"),
    ("Playbooks", "playbooks", "checklist rules entry"),
    ("Hedge", "hedge", "layers vix"),
    ("What if", "what_if", "scenario stress grid"),
    ("Rules", "rules", "ruleset governance"),
    ("Discipline", "discipline", "decisions overrides steward promoter score"),
    ("Alerts", "alerts", "notifications channels e-mail"),
    ("Import", "imports", "broker file csv upload"),
    ("Results", "attribution", "attribution effects residual pnl"),
    ("Capital", "capital", "wacc irr financing cash"),
    ("Market", "market", "vix term curve smile"),
    ("Data", "data", "upload market files"),
    ("Reports", "reports", "pdf csv html"),
    ("Tax worksheet", "tax", "form 6781 section 1256 60/40"),
    ("Your data", "own_data", "export import delete login backup zip"),
    ("Accounts", "accounts", "broker books"),
)
_ACTIONS = (
    ("Log a condor", "trade_entry", "new trade entry"),
    ("Add a hedge layer", "hedge_entry", "new vix calls"),
    ("New playbook", "playbook_new", "checklist"),
    ("New account", "account_create", "broker"),
)
_PRESSES = (
    ("Hide or show amounts", "private", "privacy"),
    ("Change the theme", "theme", "dark light"),
    ("Keyboard and display", "help", "shortcuts keys"),
    ("Print this page", "print", "paper"),
)


@login_required
def finder(request: HttpRequest) -> HttpResponse:
    """Show what matches; without a search the pages."""
    text = request.GET.get("q", "")[:_TEXT_LENGTH]
    wanted = words(text)
    hits = [
        Hit(f.kind, f.text, f.detail, _url(f.route, f.args, f.query)) for f in find(person(request), text)
    ]
    hits += [Hit("page", n, url=_url(r)) for n, r, more in _PAGES if matches(wanted, n, more)]
    hits += [Hit("action", n, url=_url(r)) for n, r, more in _ACTIONS if wanted and matches(wanted, n, more)]
    hits += [Hit("action", n, action=a) for n, a, more in _PRESSES if wanted and matches(wanted, n, more)]
    return render(request, "journal/finder/results.html", {"hits": hits[:_MOST], "text": text})


def _url(route: str, args: tuple[object, ...] = (), query: tuple[tuple[str, str], ...] = ()) -> str:
    address = reverse(f"journal:{route}", args=args)
    return f"{address}?{urlencode(query)}" if query else address
