"""The chain beside the entry form: strikes by delta, and the listed strikes its steppers stop at."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from hedging.engine.market import ExpirySlice
from hedging.engine.policy.orders import on_tick
from journal.errors import RuleError
from journal.forms.book.chain import ChainForm
from journal.forms.book.entry import STRIKE_FIELDS, condor_legs, strike_root
from journal.models import WRITE_ROLES, Account
from journal.selectors.as_of import as_of_for
from journal.selectors.book.order_market import (
    AccountChain,
    ChainExpiry,
    CondorStrikes,
    account_chain,
    chain_expiries,
    chain_slice,
    condor_by_delta,
    is_modelled,
    order_market,
    strikes_listed,
)
from journal.selectors.governance.limits import rules_in_force
from journal.views.common import person, today_in_new_york, uuids

_CONDOR = ("SPXW", "SPX")


@login_required
def entry_chain(request: HttpRequest) -> HttpResponse:
    """The panel under the strikes, for htmx; ``pick=1`` fills four strikes in."""
    account = _account(request)
    past = as_of_for(request)
    instrument = request.GET.get("instrument")
    root = request.GET.get("root", "") if instrument is None else strike_root(instrument)
    day = _day(request.GET.get("expiry", ""))
    chain = account_chain(account, moment=past.moment)
    is_condor = instrument is None
    context: dict[str, Any] = {"chain": chain, "is_condor": is_condor, "has_strikes": is_condor or root}
    if chain is not None and is_condor:
        expiries = chain_expiries(chain, _CONDOR, today=past.day or today_in_new_york())
        form = _form(request, account, expiries, root, day)
        context["form"] = form
        if "pick" in request.GET or day is None:
            day = None
            if form.is_valid():
                root, day = form.picked()
    if chain is not None and root and day is not None:
        context |= _strikes(request, chain, root, day, context.get("form"))
    return render(request, "journal/book/entry/chain.html", context)


def _account(request: HttpRequest) -> Account:
    """The account named, the first one where none is; 404 where the user may not record trades in it."""
    rows = Account.objects.for_user(person(request), WRITE_ROLES).filter(archived_at__isnull=True)
    named = request.GET.get("account")
    found = (rows if named is None else rows.filter(pk__in=uuids([named]))).first()
    if found is None:
        raise Http404
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _form(
    request: HttpRequest, account: Account, expiries: list[ChainExpiry], root: str, day: date | None
) -> ChainForm:
    """The helper with what was typed, else with the account's rules; it follows the expiry of the order."""
    rules = rules_in_force(account)
    delta = round(rules.number("condor.short_delta") * 100, 2)
    nearest = min(expiries, key=lambda one: abs(one.days - rules.number("condor.dte")), default=None)
    values: dict[str, Any] = {
        "listed": nearest.key if nearest else "", "put_delta": f"{delta:g}", "call_delta": f"{delta:g}",
        "width": f"{rules.number('condor.wing_width'):g}",
    }  # fmt: skip
    values |= {name: given for name in values if (given := request.GET.get(f"chain-{name}")) is not None}
    if "pick" not in request.GET and f"{root}:{day}" in {one.key for one in expiries}:
        values["listed"] = f"{root}:{day}"
    return ChainForm({f"chain-{name}": value for name, value in values.items()}, expiries=expiries)


def _strikes(
    request: HttpRequest, chain: AccountChain, root: str, day: date, form: ChainForm | None
) -> dict[str, Any]:
    """The listed strikes of an expiry, and the four that were asked for."""
    try:
        expiry = chain_slice(chain, root, day)
    except RuleError as refusal:
        return {"problem": refusal.message}
    found: dict[str, Any] = {
        "modelled": is_modelled(expiry), "expiry": expiry,
        "listed": {"strikes": strikes_listed(expiry), "forward": expiry.forward},
    }  # fmt: skip
    if form is not None and "pick" in request.GET:
        try:
            found["picked"] = strikes = condor_by_delta(
                expiry,
                put_delta=form.cleaned_data["put_delta"] / 100,
                call_delta=form.cleaned_data["call_delta"] / 100,
                width=form.cleaned_data["width"],
            )
        except RuleError as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            found["fill"] = _fill(chain, expiry, strikes)
    return found


def _fill(chain: AccountChain, expiry: ExpirySlice, strikes: CondorStrikes) -> dict[str, Any]:
    """Values of the order form's inputs; ``offered`` only go where nothing was typed."""
    levels = [getattr(strikes, name) for name in STRIKE_FIELDS]
    legs = condor_legs(expiry.root, expiry.expiry, levels)
    mid = order_market(chain, legs, 1).mid
    credit = None if mid is None else on_tick(float(mid), [spec for spec, _ in legs])
    return {
        "set": {
            "id_expiry": str(expiry.expiry), "id_root": expiry.root,
            **{f"id_{name}": f"{level:g}" for name, level in zip(STRIKE_FIELDS, levels, strict=True)},
        },
        "offered": {"id_credit": f"{credit:f}"} if credit is not None and credit > 0 else {},
    }  # fmt: skip
