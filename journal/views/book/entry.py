"""Logging trades: condors and hedge layers, with a live preview before saving."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from hedging.engine.codec import to_json
from hedging.engine.contract_words import position_words
from hedging.engine.instruments import UnknownSymbolError
from hedging.selectors.calendar import CalendarRangeError, session_date
from journal.errors import RuleError
from journal.forms.book.entry import CondorForm, HedgeForm, condor_copy, hedge_copy
from journal.forms.book.order import Legs, Package
from journal.importers.order_text import OrderTextError, gaps
from journal.models import WRITE_ROLES, Account, Trade, User
from journal.selectors.as_of import as_of_for
from journal.selectors.book.order_market import account_chain, order_market
from journal.selectors.book.structures import LegRow, expiry_chart, leg_rows, structure_figures
from journal.selectors.book.trades import OpenLeg, opening_position, trade_get
from journal.selectors.shell import current_account
from journal.selectors.times import local_time
from journal.services.book.fees import default_fees
from journal.services.book.judging import TradeOrder, judge
from journal.services.book.orders import (
    OrderInput,
    order_position,
    order_structure,
    package_warnings,
    tick_warnings,
)
from journal.services.book.trades import trade_create
from journal.views.common import likely_fill_time, person, today_in_new_york, uuids
from journal.views.review.review import entry_checklist_context, entry_checklist_store

Form = CondorForm | HedgeForm


def _accounts(user: User) -> QuerySet[Account]:
    return Account.objects.for_user(user, WRITE_ROLES).filter(archived_at__isnull=True)


def _form(request: HttpRequest, kind: str, *, bound: bool) -> Form:
    user = person(request)
    accounts = _accounts(user)
    account = current_account(request)
    if account is None or not accounts.filter(pk=account.pk).exists():
        account = accounts.first()
    initial = {"account": account.pk if account else None, "filled_at": likely_fill_time()}
    source = None if bound else copied_trade(request)
    if source is not None:
        initial |= {**(copied_legs(source) or {}), "account": source.account_id}
    data = request.POST if bound else None
    if kind == "hedge":
        condors = Trade.objects.for_user(user, WRITE_ROLES).filter(
            kind=Trade.Kind.CONDOR, status=Trade.Status.OPEN
        )
        return HedgeForm(data, accounts=accounts, condors=condors, initial=initial)
    return CondorForm(data, accounts=accounts, initial=initial)


def copied_trade(request: HttpRequest) -> Trade | None:
    """The trade in ``?from=`` whose legs are to be entered again; 404 for one the user may not see."""
    named = request.GET.get("from", "")
    if not named:
        return None
    found = uuids([named])
    if not found:
        raise Http404
    return trade_get(person(request), found[0])


def copied_legs(trade: Trade) -> dict[str, Any] | None:
    """What a form is filled in with to enter the trade's opening legs again; None where no form has them."""
    legs = opening_position(trade).legs
    if trade.kind == Trade.Kind.HEDGE:
        return hedge_copy(trade, legs)
    return condor_copy(legs) if trade.kind == Trade.Kind.CONDOR else None


@login_required
def condor(request: HttpRequest) -> HttpResponse:
    """Log an iron condor."""
    return _entry(request, "condor")


@login_required
def hedge(request: HttpRequest) -> HttpResponse:
    """Log a hedge layer."""
    return _entry(request, "hedge")


def _entry(request: HttpRequest, kind: str) -> HttpResponse:
    form = _form(request, kind, bound=request.method == "POST")
    if request.method == "POST" and form.is_valid():
        try:
            trade = _save(request, form)
        except (RuleError, OrderTextError) as error:
            form.show(error)
        except UnknownSymbolError as error:
            form.add_error(None, f"{error}.")
        else:
            messages.success(request, f"{trade.label} recorded.")
            return redirect("journal:trade_detail", pk=trade.pk)
    accounts = _accounts(person(request))
    context = {
        "form": form, "kind": kind, "has_accounts": accounts.exists(),
        "copied": copied_trade(request) if request.method == "GET" else None,
        **entry_checklist_context(request, accounts),
    }  # fmt: skip
    return render(request, f"journal/book/entry/{kind}.html", context)


@transaction.atomic
def _save(request: HttpRequest, form: Form) -> Trade:
    trade = _record(person(request), form)
    entry_checklist_store(request, trade)
    return trade


def _record(user: User, form: Form) -> Trade:
    data = form.cleaned_data
    order = form.order()
    common: dict[str, Any] = {
        "user": user,
        "account": data["account"],
        "order": order,
        "reason": data["reason"],
        "order_text": data["order_text"],
        "accept_size": data["accept_size"],
    }
    return trade_create(**_stated(form), **common)


def _stated(form: Form) -> dict[str, Any]:
    """What the form says of its order beside the legs; a condor's form leaves the kind to them."""
    if not isinstance(form, HedgeForm):
        return {}
    data = form.cleaned_data
    return {
        "kind": Trade.Kind.HEDGE, "layer": data.get("layer"), "protects": tuple(data.get("protects") or ()),
        "instrument": data.get("instrument", ""),
    }  # fmt: skip


@login_required
@require_POST
def preview(request: HttpRequest, kind: str) -> HttpResponse:
    """Show what the entered order can gain and lose, or where it is not understood."""
    form = _form(request, "hedge" if kind == "hedge" else "condor", bound=True)
    form.fields["filled_at"].required = False
    form.is_valid()
    text = request.POST.get("order_text", "")
    context: dict[str, Any] = {"text": text, "near": [(name, None) for name in form.strike_fields]}
    try:
        legs, packages = form.legs()
        context |= _market(request, form, legs, packages)
        context |= _figures(form, form.package())
    except OrderTextError as error:
        context |= {
            "error": error.message,
            "before": text[: error.start],
            "token": text[error.start : error.end],
            "after": text[error.end :],
        }
    except RuleError as error:
        context |= {"waiting": error.message}
    except (UnknownSymbolError, CalendarRangeError) as error:
        context |= {"error": f"{error}."}
    return render(request, "journal/book/entry/preview.html", context)


def _market(request: HttpRequest, form: Form, legs: Legs, packages: int) -> dict[str, Any]:
    """What the account's chain says of the legs; the price of the order is not needed for it."""
    account = form.cleaned_data.get("account")
    if account is None:
        return {}
    chain = account_chain(account, moment=as_of_for(request).moment)
    if chain is None:
        return {"no_chain": True}
    try:
        price = form.package().price
    except RuleError:
        price = None
    market = order_market(chain, legs, packages, price=price)
    moment = form.cleaned_data.get("filled_at")
    filled_on = session_date(local_time(moment)) if moment else None
    by_field = {} if form.is_pasted() else dict(zip(form.strike_fields, market.legs, strict=False))
    return {
        "chain": chain, "market": market, "priced": price is not None,
        "live_chart": to_json(curve) if price is not None and (curve := market.analysis.payoff) else None,
        "leg_marks": [*zip(_rows(legs), market.legs, strict=True)],
        "near": [(name, by_field.get(name)) for name in form.strike_fields],
        "other_day": filled_on if filled_on != session_date(chain.as_of) else None,
    }  # fmt: skip


def _rows(legs: Legs) -> list[LegRow]:
    open_legs = tuple(OpenLeg(spec, quantity, Decimal(0)) for spec, quantity in legs)
    return leg_rows(open_legs, today_in_new_york())


def _figures(form: Form, package: Package) -> dict[str, Any]:
    legs = package.leg_inputs({})
    structure = order_structure(legs)
    position = order_position(legs)
    found: dict[str, Any] = {
        "structure": structure_figures(structure),
        "legs": _rows(package.legs),
        "chart": expiry_chart(position, structure),
        "label": position_words([(leg.spec, leg.quantity) for leg in legs]),
        "pieces": gaps(package.parsed) if package.parsed else (),
        "warnings": [*tick_warnings(legs), *package_warnings(package.legs, package.price)],
    }
    account = form.cleaned_data.get("account")
    if account is not None:
        fees = form.cleaned_data.get("fees")
        found["fees"] = default_fees(account, legs) if fees is None else fees
        moment = form.cleaned_data.get("filled_at") or datetime.fromisoformat(likely_fill_time())
        found |= _judged(form, TradeOrder(account, OrderInput(legs, local_time(moment)), **_stated(form)))
    return found


def _judged(form: Form, asked: TradeOrder) -> dict[str, Any]:
    """What the order will be recorded as and what the guardrails say, or why it cannot be recorded so."""
    try:
        judged = judge(asked)
    except RuleError as error:
        return {"refused": error.message}
    is_other = isinstance(form, CondorForm) and judged.kind == Trade.Kind.OTHER
    return {"judged": judged, "guard": judged.guard, "recorded_as_other": is_other}
