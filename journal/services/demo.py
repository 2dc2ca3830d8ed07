"""The demo: an account on the simulated market, made through the ordinary services."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from hedging.engine.instruments import option_contract, vx_future
from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing.marks import quote_mid
from hedging.jobs.scopes import user_scope
from hedging.maths.types import Right
from hedging.models import Job
from hedging.services.market.simulated import simulated_market_load, simulated_market_remove
from journal.models import (
    Account,
    AuditEvent,
    BulkChange,
    Fill,
    Trade,
    User,
)
from journal.selectors.book.trades import trade_get, trade_position
from journal.services.accounts import account_create
from journal.services.book.trades import trade_close, trade_create
from journal.services.cash.ledger import cash_record
from journal.services.demo_orders import (
    DemoError,
    market_on,
    order_at_mid,
    quoted_legs,
    slice_near,
    strike_at_delta,
)
from journal.services.own_data.erasure import account_erase

NAME = "Demo account"
_HOLD = timedelta(days=24)
_BILLS = Decimal("98650.00")
_STEP = 3  # a condor on every third chain day
_TOLD = 10  # chain days between two words of progress


@transaction.atomic
def demo_start(*, user: User, tell: Callable[[str], None] = lambda _: None) -> Account:
    """The user's demo account, made if missing or out of date; raises DemoError.

    ``tell`` hears how far it is, a few lines in all.
    """
    tell("Demo: simulated market")
    days = simulated_market_load(now=timezone.now())
    account = Account.objects.for_user(user).filter(is_demo=True).first()
    if account is not None:
        newest = Fill.objects.filter(account=account).order_by("-trade_date").first()
        if newest is not None and (days[-1] - newest.trade_date).days <= 10:
            return account
        _delete_account(account)
    account = account_create(
        user=user,
        is_demo=True,
        name=NAME,
        broker="Simulated broker",
        number_masked="****0000",
        base_capital=Decimal(150_000),
        fee_per_option=Decimal("1.30"),
        fee_per_future=Decimal("2.40"),
        max_stress_loss_pct=Decimal(20),
    )
    _populate(user, account, days, tell)
    return account


def _populate(user: User, account: Account, days: list[date], tell: Callable[[str], None]) -> None:
    """Months of condors, each hedged by layer 1, and layers 2 and 3 above the open ones."""
    waiting: list[Trade] = []
    for number, day in enumerate(days):
        if number % _TOLD == 0:
            tell(f"Demo: trades of day {number + 1} of {len(days)}")
        market = market_on(day)
        waiting = _close_due(user, waiting, market, day)
        if number % _STEP == 0 or number == len(days) - 6:
            condor = _open_condor(user, account, market, day)
            waiting += [condor, _open_layer_one(user, account, market, day, condor)]
    _cash_of_months(user, account, days)
    last = days[-2]
    market = market_on(last)
    condors = [trade for trade in waiting if trade.kind == Trade.Kind.CONDOR]
    _open_layer_two(user, account, market, last, condors)
    _open_layer_three(user, account, market, last, condors)


def _cash_of_months(user: User, account: Account, days: list[date]) -> None:
    """The opening deposit, T-bills, interest every month, a deposit, and a bucket that finances the hedge."""
    opening = partial(cash_record, user=user, account=account, day=days[0], source="demo")
    opening(kind="deposit", amount=account.base_capital, note="Opening balance")
    opening(kind="bill_buy", amount=_BILLS, note="26-week T-bill, at cost")
    months = sorted({(day.year, day.month): day for day in days[:-1]}.values())
    for number, day in enumerate(months):
        record = partial(cash_record, user=user, account=account, day=day, source="demo")
        record(kind="interest_earned", amount=Decimal("402.50") + number)
        if number == 2:
            record(kind="deposit", amount=Decimal(10_000), note="Savings")
            record(kind="allocate", amount=Decimal(5_000), purpose="hedge_financing")


def _open_condor(user: User, account: Account, market: MarketSnapshot, day: date) -> Trade:
    expiry = slice_near(market, "SPXW", day, 45)
    put = strike_at_delta(expiry, Right.PUT, 0.16, 25)
    call = strike_at_delta(expiry, Right.CALL, 0.16, 25)
    legs = [
        (option_contract("SPXW", expiry.expiry, right, strike), quantity)
        for right, strike, quantity in (
            (Right.PUT, put - 50, 2),
            (Right.PUT, put, -2),
            (Right.CALL, call, -2),
            (Right.CALL, call + 50, 2),
        )
    ]
    return trade_create(
        user=user,
        account=account,
        kind=Trade.Kind.CONDOR,
        order=order_at_mid(quoted_legs(legs, market), market, day),
        reason="45 days out, shorts near 16 delta, 50-point wings.",
    )


def _open_layer_one(user: User, account: Account, market: MarketSnapshot, day: date, condor: Trade) -> Trade:
    """VIX calls for about a tenth of the condor's credit."""
    expiry = slice_near(market, "VIX", day, 30)
    strike = strike_at_delta(expiry, Right.CALL, 0.28, 1)
    spec = option_contract("VIX", expiry.expiry, Right.CALL, strike)
    price = Decimal(str(quote_mid(spec, market) or 0))
    count = max(1, int(condor.net_cash / 10 / (price * 100))) if price else 1
    return trade_create(
        user=user,
        account=account,
        kind=Trade.Kind.HEDGE,
        layer=1,
        protects=[condor],
        instrument=Trade.Instrument.VIX_CALLS,
        order=order_at_mid([(spec, count)], market, day),
        reason="8-12% of the credit into 30-day VIX calls near 28 delta.",
    )


def _open_layer_two(
    user: User, account: Account, market: MarketSnapshot, day: date, condors: list[Trade]
) -> None:
    expiry = slice_near(market, "VIX", day, 60)
    low = strike_at_delta(expiry, Right.CALL, 0.40, 1)
    legs = [
        (option_contract("VIX", expiry.expiry, Right.CALL, low), 3),
        (option_contract("VIX", expiry.expiry, Right.CALL, low + 10), -3),
    ]
    trade_create(
        user=user,
        account=account,
        kind=Trade.Kind.HEDGE,
        layer=2,
        protects=condors,
        instrument=Trade.Instrument.VIX_CALL_SPREAD,
        order=order_at_mid(legs, market, day),
        reason="Call spread for the weeks before the monthly expiration.",
    )


def _open_layer_three(
    user: User, account: Account, market: MarketSnapshot, day: date, condors: list[Trade]
) -> None:
    future = market.vx_curve[min(3, len(market.vx_curve) - 1)]
    trade_create(
        user=user,
        account=account,
        kind=Trade.Kind.HEDGE,
        layer=3,
        protects=condors,
        instrument=Trade.Instrument.VX_FUTURE,
        order=order_at_mid([(vx_future(future.expiry), 1)], market, day),
        reason="One longer-dated VX future against a regime shift.",
    )


def _close_due(user: User, waiting: list[Trade], market: MarketSnapshot, day: date) -> list[Trade]:
    """Close what is old or near its expiry, at the mid; the rest keeps waiting."""
    kept = []
    for trade in waiting:
        assert trade.opened_at is not None
        assert trade.nearest_expiry is not None
        old = day - trade.opened_at.date() >= _HOLD or (trade.nearest_expiry - day).days <= 7
        if not old:
            kept.append(trade)
            continue
        legs = trade_position(trade_get(user, trade.pk)).legs
        try:
            order = order_at_mid([(leg.spec, -leg.quantity) for leg in legs], market, day)
        except DemoError:
            kept.append(trade)  # not quoted on this session: it closes on a later one
            continue
        trade_close(user=user, trade=trade, order=order)
    return kept


@transaction.atomic
def demo_guest() -> User:
    """A fresh demo user without a usable password, to be signed in at once."""
    user = User(username=f"guest-{secrets.token_hex(4)}", is_demo=True, is_guest=True)
    user.set_unusable_password()
    user.save()
    return user


@transaction.atomic
def demo_login(*, username: str, password: str, groups: Sequence[str] = ()) -> User:
    """A demo login with a known password, for local use; an existing one is left alone."""
    user, made = User.objects.get_or_create(username=username, defaults={"is_demo": True})
    if made:
        user.set_password(password)
        user.save()
    for name in groups:
        user.groups.add(Group.objects.get_or_create(name=name)[0])
    return user


@transaction.atomic
def demo_remove(*, user: User) -> None:
    """Remove the user's demo accounts with everything that hangs on them, and a demo user too."""
    for account in Account.objects.for_user(user).filter(is_demo=True):
        _delete_account(account)
    BulkChange.objects.filter(user=user).delete()  # they name trades of the demo
    if user.is_demo and not user.groups.exists():
        AuditEvent.objects.filter(actor_id=str(user.public_id), is_demo=True).delete()
        Job.objects.filter(scope=user_scope(user.public_id)).delete()
        user.delete()
    if not Account.objects.filter(is_demo=True).exists():
        simulated_market_remove()


def _delete_account(account: Account) -> None:
    """Demo accounts leave no trace, not even in the audit trail."""
    AuditEvent.objects.filter(account_id=str(account.pk), is_demo=True).delete()
    account_erase(account)
