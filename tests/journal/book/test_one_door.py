"""One door for a trade: the same order is the same trade whichever way it comes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from hedging.engine.instruments import parse_symbol
from journal.models import ImportBatch, Trade, User
from journal.selectors.book.trades import trade_position
from journal.services.book.judging import JudgedOrder, TradeOrder, judge
from journal.services.book.orders import LegInput, OrderInput
from journal.services.book.rolls import trade_roll
from journal.services.book.trades import trade_create
from journal.services.imports.commit import import_commit
from journal.services.imports.stage import import_upload
from tests.importers.cases import HEADER, tasty
from tests.journal.people import ET, People, make_people, open_condor, order, vix_call

pytestmark = pytest.mark.django_db
DAY, FILLED = "2025-10-01", datetime(2025, 10, 1, 10, 0, tzinfo=ET)


@dataclass(frozen=True)
class Case:
    """An order: legs (root, right, strike, quantity, price) of one expiry, and what it must become."""

    name: str
    expiry: str
    legs: tuple[tuple[str, str, int, int, str], ...]
    kind: str
    layer: int | None = None
    instrument: str = ""

    def inputs(self, moved: int = 0) -> list[LegInput]:
        return [
            LegInput(
                parse_symbol(f"{root:<6}{self.expiry}{right}{(strike + moved) * 1000:08d}"), quantity,
                Decimal(price),
            )
            for root, right, strike, quantity, price in self.legs
        ]  # fmt: skip

    @property
    def text(self) -> str:
        """The same order as a thinkorswim string at its package price."""
        paid = sum(quantity * Decimal(price) for _, _, _, quantity, price in self.legs)
        root = self.legs[0][0]
        ratio = "/".join(str(quantity) for _, _, _, quantity, _ in self.legs)
        strikes = "/".join(str(strike) for _, _, strike, _, _ in self.legs)
        rights = "/".join("PUT" if right == "P" else "CALL" for _, right, _, _, _ in self.legs)
        day = f"{self.expiry[4:]} OCT 25"
        series = "(Weeklys) " if root == "SPXW" else ""
        under = root.removesuffix("W")
        if len(self.legs) == 1:
            return f"BUY +{ratio} {under} 100 {series}{day} {strikes} {rights} @{self.legs[0][4]}"
        return f"BUY +1 {ratio} CUSTOM {under} 100 {series}{day} {strikes} {rights} @{paid}"


WINGS = (("P", 6500, 1, "20.00"), ("P", 6550, -1, "28.00"), ("C", 6850, -1, "22.00"), ("C", 6900, 1, "14.00"))
CASES = [
    Case("condor", "251017", tuple(("SPXW", *leg) for leg in WINGS), "condor"),
    Case(
        "an unbalanced condor", "251017",
        tuple(("SPXW", r, k, q * (2 if r == "C" else 1), p) for r, k, q, p in WINGS), "condor",
    ),
    Case(
        "a condor of puts", "251017",
        (
            ("SPXW", "P", 6500, 1, "20.00"), ("SPXW", "P", 6520, -1, "24.00"),
            ("SPXW", "P", 6580, -1, "38.00"), ("SPXW", "P", 6600, 1, "44.00"),
        ),
        "other",
    ),
    Case(
        "a condor with one wing twice", "251017",
        tuple(("SPXW", r, k, q * (2 if k == 6900 else 1), p) for r, k, q, p in WINGS), "other",
    ),
    Case("VIX calls", "251022", (("VIX", "C", 25, 10, "1.50"),), "hedge_layer", 1, "vix_calls"),
    Case(
        "a VIX call spread", "251022", (("VIX", "C", 20, 10, "2.50"), ("VIX", "C", 30, -10, "1.00")),
        "hedge_layer", 2, "vix_call_spread",
    ),
]  # fmt: skip


@pytest.fixture
def people() -> People:
    return make_people()


def api(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
    return client


def by_page(people: People, case: Case) -> None:
    client = Client()
    client.force_login(people.owner)
    sent = {
        "account": str(people.account.pk), "token": "t", "filled_at": f"{DAY}T10:00", "fees": "0",
        "reason": "as filled", "accept_size": "on", "order_text": case.text,
    }  # fmt: skip
    url = reverse("journal:trade_entry")
    if case.layer:
        url, sent = (
            reverse("journal:hedge_entry"),
            {**sent, "layer": str(case.layer), "instrument": case.instrument},
        )
    answer = client.post(url, sent)
    assert answer.status_code == 302, answer.content.decode()


def by_api(people: People, case: Case) -> None:
    legs = [
        {"occ_symbol": leg.spec.symbol, "quantity": leg.quantity, "price": str(leg.price)}
        for leg in case.inputs()
    ]
    sent: dict[str, Any] = {
        "account": str(people.account.pk), "filled_at": FILLED.isoformat(), "fees": "0", "legs": legs,
        "reason": "as filled", "accept_size": True,
    }  # fmt: skip
    url = "/api/v1/hedge-layers/" if case.layer else "/api/v1/trades/"
    answer = api(people.owner).post(url, {**sent, **({"layer": case.layer} if case.layer else {})})
    assert answer.status_code == 201, answer.json()


def by_import(people: People, case: Case) -> None:
    import_commit(user=people.owner, batch=staged(people, case))


def staged(people: People, case: Case) -> ImportBatch:
    lines = [
        tasty(
            DAY, "10:00:00", "BUY_TO_OPEN" if quantity > 0 else "SELL_TO_OPEN", right, strike, price, "1",
            expiry=case.expiry, quantity=abs(quantity), root=root,
        )
        for root, right, strike, quantity, price in case.legs
    ]  # fmt: skip
    data = "\n".join([HEADER, *lines]).encode() + b"\n"
    return import_upload(user=people.owner, account=people.account, filename="a.csv", data=data)


def by_roll(people: People, case: Case) -> None:
    """The same legs a few strikes lower, rolled into the order's."""
    moved = -5 if case.layer else -20
    before = case.inputs(moved)
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind(case.kind), layer=case.layer,
        order=OrderInput(before, datetime(2025, 9, 30, 10, 0, tzinfo=ET), Decimal(0)), reason="before",
        accept_size=True,
    )  # fmt: skip
    closing = OrderInput([LegInput(leg.spec, -leg.quantity, leg.price) for leg in before], FILLED, Decimal(0))
    trade_roll(
        user=people.owner, trade=trade, closing=closing, kind="recenter", reason="as filled",
        opening=OrderInput(case.inputs(), FILLED, Decimal(0)), accept_size=True,
    )  # fmt: skip


DOORS: dict[str, Callable[[People, Case], None]] = {
    "page": by_page, "api": by_api, "import": by_import, "roll": by_roll,
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_order_is_the_same_trade_by_every_door(people: People, case: Case, door: str) -> None:
    DOORS[door](people, case)
    trade = Trade.objects.get(status=Trade.Status.OPEN)
    assert (trade.kind, trade.layer, trade.instrument) == (case.kind, case.layer, case.instrument)
    held = {leg.spec.symbol: leg.quantity for leg in trade_position(trade).legs}
    assert held == {leg.spec.symbol: leg.quantity for leg in case.inputs()}
    judged = asked(people, case)
    assert trade.label == judged.label
    assert trade.net_cash == judged.position.cash
    assert (judged.kind, judged.layer, judged.instrument) == (case.kind, case.layer, case.instrument)


def asked(people: People, case: Case) -> JudgedOrder:
    kind = Trade.Kind.HEDGE if case.layer else None
    return judge(TradeOrder(people.account, OrderInput(case.inputs(), FILLED), kind, case.layer))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_guardrails_say_the_same_in_every_preview(people: People, case: Case) -> None:
    type(people.account).objects.filter(pk=people.account.pk).update(base_capital=Decimal(5_000))
    people.account.refresh_from_db()
    wanted = [(one.rule.value, one.blocks) for one in asked(people, case).guard.refusals]
    assert wanted
    client = Client()
    client.force_login(people.owner)
    sent = {
        "account": str(people.account.pk), "token": "t", "filled_at": f"{DAY}T10:00", "fees": "0",
        "order_text": case.text, "layer": str(case.layer or ""), "instrument": case.instrument,
    }  # fmt: skip
    page = client.post(f"/trades/new/preview/{'hedge' if case.layer else 'condor'}/", sent)
    assert [(one.rule.value, one.blocks) for one in page.context["guard"].refusals] == wanted
    (shown,) = staged(people, case).plan["shown"]
    assert [(one["rule"], one["blocks"]) for one in shown["guard"]] == wanted
    assert (shown["kind"], shown["instrument"]) == (case.kind, case.instrument)


# -- the second path of hedges is gone ----------------------------------------------------


def hedge(people: People, legs: list[LegInput], **values: Any) -> Any:
    body = [{"occ_symbol": x.spec.symbol, "quantity": x.quantity, "price": str(x.price)} for x in legs]
    sent = {
        "account": str(people.account.pk), "filled_at": "2026-11-02T10:30:00-05:00", "layer": 1,
        "legs": body, **values,
    }  # fmt: skip
    return api(people.owner).post("/api/v1/hedge-layers/", sent)


def test_the_api_recognises_a_hedge_or_says_why_not(people: People) -> None:
    wrong = hedge(people, [vix_call()], instrument="spx_put_spread")
    assert wrong.status_code == 400
    assert "The legs are not SPX put spread: they are VIX calls." in str(wrong.json())
    assert not Trade.objects.exists()
    Token.objects.all().delete()
    unknown = hedge(people, [LegInput(parse_symbol("SPXW  261218C06900000"), 1, Decimal(20))])
    assert unknown.status_code == 400
    assert "these legs are none of them" in str(unknown.json())
    Token.objects.all().delete()
    assert hedge(people, [vix_call()]).json()["instrument"] == "vix_calls"


def test_the_api_protects_condors_only(people: People) -> None:
    layer = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, order=order([vix_call()])
    )
    refused = hedge(people, [vix_call(35)], protects=[str(layer.pk)])
    assert refused.status_code == 400
    assert "A layer protects condors." in str(refused.json())
    Token.objects.all().delete()
    condor = open_condor(people)
    assert hedge(people, [vix_call(35)], protects=[str(condor.pk)]).status_code == 201


# -- how far it is from the call to the write ---------------------------------------------


def test_a_trade_reaches_its_write_through_few_modules_and_turns_back_to_none(people: People) -> None:
    entered: list[str] = []
    is_written: list[bool] = []

    def follow(frame: FrameType, event: str, _: object) -> None:
        name = str(frame.f_globals.get("__name__", ""))
        caller = frame.f_back.f_globals.get("__name__", "") if frame.f_back else ""
        if event != "call" or is_written or name == caller or frame.f_code.co_name == "__init__":
            return  # making a value is no visit
        if name.startswith("journal.services"):
            entered.append(name)

    def writes(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "journal_fill" in sql:
            is_written.append(True)
        return execute(sql, *rest)

    legs = order([vix_call()])
    with connection.execute_wrapper(writes):
        sys.setprofile(follow)
        try:
            trade_create(
                user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, order=legs
            )
        finally:
            sys.setprofile(None)
    assert is_written
    assert len(entered) == len(set(entered)) <= 8, entered
