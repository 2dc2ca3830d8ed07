"""A made-up firm for the risk desk: many demo accounts on the simulated market, some of them in breach.

The same seed makes the same firm. Every account is made through the ordinary services.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

import numpy as np
from django.db import transaction
from django.utils import timezone

from hedging.engine.instruments import option_contract
from hedging.engine.market import MarketSnapshot
from hedging.maths.types import Right
from hedging.services.market.simulated import simulated_market_load
from journal.models import Account, RiskGroup, Trade, User
from journal.services.accounts import account_create
from journal.services.book.trades import trade_create
from journal.services.demo_orders import (
    market_on,
    order_at_mid,
    quoted_legs,
    slice_near,
    strike_at_delta,
)

SEED = 18
DESKS = ("North", "South", "East", "West")
_CAPITAL = (75_000, 100_000, 150_000, 250_000, 500_000)
#: One account in so many is made with each known breach.
MARGIN_EVERY, BARE_EVERY, CROWDED_EVERY = 20, 15, 25
_DAYS_BACK = (2, 4, 6)
_TOLD = 20
_MARGIN = 5_000  # dollars a condor of 50 points
_DELTAS = (0.12, 0.16, 0.20)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FirmAccount:
    """An account of the firm and what was made wrong with it on purpose."""

    account: Account
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where an account's orders come from: its owner, the markets of some sessions, and chance."""

    owner: User
    markets: Sequence[tuple[date, MarketSnapshot]]
    rng: np.random.Generator

    def one_of(self, choices: Sequence[_T]) -> _T:
        """One of the choices, by chance."""
        return choices[int(self.rng.integers(len(choices)))]


def firm_load(
    *, accounts: int, seed: int = SEED, tell: Callable[[str], None] = lambda _: None
) -> list[FirmAccount]:
    """Make the accounts a firm lacks, in groups by desk; existing ones are left alone. Raises DemoError."""
    days = simulated_market_load(now=timezone.now())
    markets = [(days[-back], market_on(days[-back])) for back in _DAYS_BACK]
    owners = {name: _owner(name) for name in DESKS}
    groups = {name: RiskGroup.objects.get_or_create(name=f"Desk {name}")[0] for name in DESKS}
    made = []
    for number in range(1, accounts + 1):
        name = DESKS[number % len(DESKS)]
        one = _account(number, name, _Desk(owners[name], markets, np.random.default_rng([seed, number])))
        groups[name].accounts.add(one.account)
        made.append(one)
        if number % _TOLD == 0:
            tell(f"Firm: {number} of {accounts} accounts")
    return made


def faults_of(number: int) -> tuple[str, ...]:
    """What is wrong with account ``number`` on purpose: margin, bare (no hedge), crowded (one expiry)."""
    wrong = (("margin", MARGIN_EVERY), ("bare", BARE_EVERY), ("crowded", CROWDED_EVERY))
    return tuple(name for name, every in wrong if number % every == 0)


def _owner(desk: str) -> User:
    """Whom a desk's accounts belong to; nobody can sign in as them."""
    user, made = User.objects.get_or_create(username=f"desk-{desk.lower()}", defaults={"is_demo": True})
    if made:
        user.set_unusable_password()
        user.save()
    return user


@transaction.atomic
def _account(number: int, desk_name: str, desk: _Desk) -> FirmAccount:
    name, faults = f"{desk_name} {number:03d}", faults_of(number)
    known = Account.objects.filter(name=name, is_demo=True, members=desk.owner).first()
    if known is not None:
        return FirmAccount(known, faults)
    capital = desk.one_of(_CAPITAL)
    account = account_create(
        user=desk.owner, is_demo=True, name=name, broker="Simulated broker",
        number_masked=f"****{number:04d}", base_capital=Decimal(capital),
        fee_per_option=Decimal("1.30"), fee_per_future=Decimal("2.40"),
    )  # fmt: skip
    # Condors for about a fifth of the capital in margin, or for most of it where that is the fault.
    share = 0.9 if "margin" in faults else float(desk.rng.uniform(0.08, 0.25))
    count = int(desk.rng.integers(1, 4))
    contracts = max(1, round(capital * share / _MARGIN / count))
    condors = []
    for at in range(count):
        day, market = desk.markets[-1 - at % len(desk.markets)]
        days_out = 45 if "crowded" in faults else desk.one_of((30, 45, 60))
        condors.append(_condor(account, desk, market, day, contracts, days_out))
    if "bare" not in faults:
        _hedge(account, desk, condors)
    return FirmAccount(account, faults)


def _condor(
    account: Account, desk: _Desk, market: MarketSnapshot, day: date, contracts: int, days_out: int
) -> Trade:
    expiry = slice_near(market, "SPXW", day, days_out)
    put = strike_at_delta(expiry, Right.PUT, desk.one_of(_DELTAS), 25)
    call = strike_at_delta(expiry, Right.CALL, desk.one_of(_DELTAS), 25)
    sides = (
        (Right.PUT, put - 50, 1), (Right.PUT, put, -1), (Right.CALL, call, -1), (Right.CALL, call + 50, 1),
    )  # fmt: skip
    legs = [
        (option_contract("SPXW", expiry.expiry, right, strike), sign * contracts)
        for right, strike, sign in sides
    ]
    return trade_create(
        user=desk.owner, account=account, kind=Trade.Kind.CONDOR,
        order=order_at_mid(quoted_legs(legs, market), market, day),
        reason="A condor of the made-up firm.", accept_size=True,
    )  # fmt: skip


def _hedge(account: Account, desk: _Desk, condors: list[Trade]) -> None:
    """A tenth of the credit in VIX calls."""
    day, market = desk.markets[0]
    expiry = slice_near(market, "VIX", day, 30)
    spec = option_contract("VIX", expiry.expiry, Right.CALL, strike_at_delta(expiry, Right.CALL, 0.28, 1))
    price = order_at_mid([(spec, 1)], market, day).legs[0].price
    credit = sum((trade.net_cash for trade in condors), Decimal(0))
    count = max(1, int(credit / 10 / (price * 100)))
    trade_create(
        user=desk.owner, account=account, kind=Trade.Kind.HEDGE, layer=1, protects=condors,
        instrument=Trade.Instrument.VIX_CALLS, order=order_at_mid([(spec, count)], market, day),
        reason="A tenth of the credit in VIX calls.", accept_size=True,
    )  # fmt: skip
