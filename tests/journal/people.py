"""Three users on every route: the owner, a teammate who may only read, a stranger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group
from django.test import Client

from hedging.engine.book import ContractSpec, Right
from hedging.engine.instruments import option_contract, vx_future
from journal.models import MARKET_GROUP, Account, Role, Trade, User
from journal.services.accounts import account_create, member_add
from journal.services.book.trades import LegInput, OrderInput, trade_close, trade_create

ET = ZoneInfo("America/New_York")
EXPIRY = date(2026, 12, 18)  # a third Friday
FILLED = datetime(2026, 11, 2, 10, 30, tzinfo=ET)
LATER = datetime(2026, 11, 9, 15, 0, tzinfo=ET)


@dataclass(frozen=True, slots=True)
class People:
    """An account with its owner and a reading teammate, and somebody with no part in it."""

    owner: User
    teammate: User
    stranger: User
    account: Account


def make_user(name: str) -> User:
    """A user without a password: tests sign in by force, hashing is slow on purpose."""
    return User.objects.create_user(name, f"{name}@example.org")


def make_people(**account_values: object) -> People:
    """The three users and the owner's account; the stranger has an account of their own.

    Tests on threads pass ``is_demo=True``: audit rows of real accounts cannot be flushed away.
    """
    owner, teammate, stranger = (make_user(name) for name in ("owner", "teammate", "stranger"))
    account = make_account(owner, **account_values)
    member_add(user=owner, account=account, member=teammate, role=Role.VIEWER)
    make_account(stranger, **{**account_values, "name": "Elsewhere"})
    return People(owner, teammate, stranger, account)


def make_operator(user: User) -> User:
    """The user, who may now load market data for everybody."""
    user.groups.add(Group.objects.get_or_create(name=MARKET_GROUP)[0])
    return user


def people_with_operator() -> People:
    """The three users, whose owner may load market data."""
    people = make_people()
    make_operator(people.owner)
    return people


def make_account(user: User, **values: object) -> Account:
    """An account of 250,000 dollars with fees of 1.30 per option and 2.40 per future."""
    given = {
        "name": "Main",
        "broker": "Schwab",
        "number_masked": "****868",
        "base_capital": Decimal(250_000),
        "fee_per_option": Decimal("1.30"),
        "fee_per_future": Decimal("2.40"),
        **values,
    }
    return account_create(user=user, **given)


def condor_legs(
    prices: Sequence[str] = ("10.00", "22.50", "20.05", "10.00"),
    strikes: Sequence[int] = (6450, 6500, 6900, 6950),
    quantity: int = 1,
    root: str = "SPXW",
    expiry: date = EXPIRY,
) -> list[LegInput]:
    """Long put, short put, short call, long call; by default for a credit of 22.55."""
    rights = (Right.PUT, Right.PUT, Right.CALL, Right.CALL)
    signs = (1, -1, -1, 1)
    return [
        LegInput(option_contract(root, expiry, right, Decimal(strike)), sign * quantity, Decimal(price))
        for right, strike, sign, price in zip(rights, strikes, signs, prices, strict=True)
    ]


def order(legs: Sequence[LegInput], when: datetime = FILLED, **values: object) -> OrderInput:
    """An execution of the legs."""
    return OrderInput(legs, when, **values)  # type: ignore[arg-type]


def open_condor(people: People, **values: object) -> Trade:
    """A condor of the owner's account."""
    given = {"order": order(condor_legs()), **values}
    return trade_create(user=people.owner, account=people.account, kind=Trade.Kind.CONDOR, **given)  # type: ignore[arg-type]


def closing(trade_legs: Sequence[LegInput], price: str = "5.00") -> list[LegInput]:
    """The opposite of the legs."""
    return [LegInput(leg.spec, -leg.quantity, Decimal(price)) for leg in trade_legs]


def close_condor(people: People, trade: Trade) -> Trade:
    """Close the condor of ``open_condor`` at no net cost."""
    return trade_close(user=people.owner, trade=trade, order=order(closing(condor_legs()), LATER))


def vix_call(strike: int = 30, quantity: int = 10, price: str = "1.25") -> LegInput:
    """A VIX call of the December 2026 expiry."""
    return LegInput(
        option_contract("VIX", date(2026, 12, 16), Right.CALL, Decimal(strike)),
        quantity,
        Decimal(price),
    )


def vx(quantity: int = 1, price: str = "20.50", expiry: date = date(2026, 12, 16)) -> LegInput:
    """A VX future."""
    return LegInput(vx_future(expiry), quantity, Decimal(price))


def spec_of(leg: LegInput) -> ContractSpec:
    """The contract of a leg."""
    return leg.spec


def answers(client: Client, method: str, url: str, people: People, **data: object) -> dict[str, int]:
    """Status of one request for each of the three users and for nobody; sessions are separate."""
    found = {}
    for name in ("owner", "teammate", "stranger", "nobody"):
        client.logout()
        if name != "nobody":
            client.force_login(getattr(people, name))
        found[name] = getattr(client, method)(url, data).status_code
    return found


def png(width: int = 40, height: int = 30, colour: str = "navy") -> bytes:
    """A small image as a browser would send it."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def collapsed(page: str) -> str:
    """A page with its white space as a browser reads it: one space for a run, none between two tags."""
    return re.sub(r"> (?=<)", ">", " ".join(page.split()))
