"""Logging trades: condors and hedge layers, with a live preview before saving."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from hedging.engine.instruments import UnknownSymbolError
from hedging.engine.structure import describe, payoff_curve
from journal.forms.entry import CondorForm, HedgeForm
from journal.importers.order_text import OrderTextError
from journal.models import WRITE_ROLES, Account, Trade, User
from journal.selectors.shell import current_account
from journal.selectors.trades import OpenLeg, Position, legs_label
from journal.services.errors import RuleError
from journal.services.trades import OrderInput, trade_create
from journal.views.common import now_wall_clock, person

Form = CondorForm | HedgeForm


def _accounts(user: User) -> Any:
    return Account.objects.for_user(user, WRITE_ROLES).filter(archived_at__isnull=True)


def _form(request: HttpRequest, kind: str, *, bound: bool) -> Form:
    user = person(request)
    account = current_account(request)
    initial = {"account": account.pk if account else None, "filled_at": now_wall_clock()}
    data = request.POST if bound else None
    if kind == "hedge":
        condors = Trade.objects.for_user(user).filter(kind=Trade.Kind.CONDOR, status=Trade.Status.OPEN)
        return HedgeForm(data, accounts=_accounts(user), condors=condors, initial=initial)
    return CondorForm(data, accounts=_accounts(user), initial=initial)


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
            trade = _save(person(request), form)
        except (RuleError, OrderTextError) as error:
            form.show(error)
        except UnknownSymbolError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{trade.label} recorded.")
            return redirect("journal:trade_detail", pk=trade.pk)
    context = {"form": form, "kind": kind, "has_accounts": _accounts(person(request)).exists()}
    return render(request, f"journal/entry/{kind}.html", context)


def _save(user: User, form: Form) -> Trade:
    data = form.cleaned_data
    hedge_fields: dict[str, Any] = {}
    kind = Trade.Kind.CONDOR
    if isinstance(form, HedgeForm):
        kind = Trade.Kind.HEDGE
        hedge_fields = {
            "layer": data["layer"], "instrument": data["instrument"], "protects": list(data["protects"]),
        }
        if any(condor.account_id != data["account"].pk for condor in data["protects"]):
            raise RuleError("A layer protects condors of its own account.", "protects")
    elif data["order_text"].strip():
        kind = _kind_of(form.order())
    return trade_create(
        user=user, account=data["account"], kind=kind, order=form.order(), reason=data["reason"],
        order_text=data["order_text"], accept_size=data["accept_size"], **hedge_fields,
    )


def _kind_of(order: OrderInput) -> Trade.Kind:
    """A pasted string may hold another shape: it is then recorded as Other."""
    return Trade.Kind.CONDOR if len(order.legs) == 4 else Trade.Kind.OTHER


@login_required
@require_POST
def preview(request: HttpRequest, kind: str) -> HttpResponse:
    """What the entered order can gain and lose, or where it is not understood; writes nothing."""
    form = _form(request, "hedge" if kind == "hedge" else "condor", bound=True)
    form.fields["filled_at"].required = False
    text = request.POST.get("order_text", "")
    context: dict[str, Any] = {"text": text}
    form.is_valid()
    try:
        package = form.package()
    except OrderTextError as error:
        context |= {
            "error": error.message,
            "before": text[: error.start], "token": text[error.start : error.end], "after": text[error.end :],
        }
    except RuleError as error:
        context |= {"waiting": error.message}
    except UnknownSymbolError as error:
        context |= {"error": str(error)}
    else:
        context |= _figures(package.legs, float(package.price * package.packages))
    return render(request, "journal/entry/preview.html", context)


def _figures(legs: Any, points: float) -> dict[str, Any]:
    multiplier = legs[0][0].multiplier
    position = Position(tuple(OpenLeg(spec, quantity, 0) for spec, quantity in legs), 0, 0)  # type: ignore[arg-type]
    cash = points * multiplier
    structure = describe(position.engine_legs(), cash)
    chart = None
    if structure.max_loss is not None:
        strikes = [spec.strike for spec, _ in legs]
        low, high = min(strikes), max(strikes)
        pad = max((high - low) * 0.3, 0.01 * high)
        prices = sorted({low - pad, *strikes, *structure.break_evens, high + pad})
        chart = {
            "underlying": legs[0][0].underlying, "prices": prices, "today": None, "one_sd": None,
            "expiry": payoff_curve(position.engine_legs(), cash, prices),
            "spot": (low + high) / 2, "break_evens": structure.break_evens,
        }
    return {"structure": structure, "legs": legs, "chart": chart, "label": legs_label([s for s, _ in legs])}
