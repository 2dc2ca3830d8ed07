"""Guardrails of section 8 on what people record: refused with a reason, confirmed with one, remembered."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from hedging.engine.book import Right
from hedging.engine.instruments import option_contract
from hedging.engine.rulesets.document import ruleset_document
from hedging.engine.rulesets.presets import DEFAULT, preset
from journal.errors import RuleError
from journal.models import Account, AuditEvent, Fill, RulesetVersion, Trade, TradeLink
from journal.selectors.governance.discipline import discipline_page
from journal.selectors.governance.limits import rules_in_force
from journal.services.book.bulk_close import Closing, bulk_close
from journal.services.book.judging import TradeOrder, judge
from journal.services.book.orders import LegInput, OrderInput
from journal.services.book.rolls import trade_roll
from journal.services.book.trades import trade_close, trade_create
from journal.services.governance.rulesets import ruleset_draft
from tests.journal.people import (
    LATER,
    People,
    closing,
    condor_legs,
    make_people,
    open_condor,
    order,
    vix_call,
)

pytestmark = pytest.mark.django_db
WHY = "The broker filled it this way."
JANUARY = date(2027, 1, 20)


@pytest.fixture
def people() -> People:
    return make_people()


def client(user: object) -> Client:
    found = Client()
    found.force_login(user)  # type: ignore[arg-type]
    return found


def hedge(people: People, legs: list[LegInput], **values: Any) -> Trade:
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, order=order(legs), **values
    )


def other(people: People, legs: list[LegInput], **values: Any) -> Trade:
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER, order=order(legs), **values
    )


def january(strike: int, quantity: int, price: str = "1.50") -> LegInput:
    return LegInput(option_contract("VIX", JANUARY, Right.CALL, Decimal(strike)), quantity, Decimal(price))


def rules_of(found: Any) -> list[tuple[str, bool]]:
    return [(one.rule, one.blocks) for one in found.refusals]


def test_lay_8_selling_more_vix_calls_than_are_held_is_refused_until_it_is_confirmed(people: People) -> None:
    hedge(people, [vix_call(30, 2)])
    for values in ({}, {"accept_size": True}, {"reason": WHY}, {"accept_size": True, "reason": " "}):
        with pytest.raises(RuleError) as refused:
            other(people, [vix_call(40, -3)], **values)
        assert refused.value.field == "accept_size"
        assert "short 1 VIX calls net" in refused.value.message
        assert "confirm it and give a reason" in refused.value.message
    assert Trade.objects.count() == 1
    trade = other(people, [vix_call(40, -3)], accept_size=True, reason=WHY)
    event = AuditEvent.objects.get(action="guardrail.override")
    assert (event.object_id, event.actor_name) == (str(trade.pk), "owner")
    assert "net short VIX calls" in {rule["rule"] for rule in event.changes["rules"]}
    assert event.changes["reason"] == WHY


def test_con_2_closing_a_wing_of_a_condor_is_refused_and_closing_the_short_first_is_not(
    people: People,
) -> None:
    trade = open_condor(people)
    wing, short = condor_legs()[0], condor_legs()[1]
    with pytest.raises(RuleError, match="no long one of the same or a later expiry"):
        trade_close(user=people.owner, trade=trade, order=order(closing([wing]), LATER))
    done = trade_close(user=people.owner, trade=trade, order=order(closing([short]), LATER))
    later = LATER + timedelta(minutes=5)
    trade_close(user=people.owner, trade=done, order=order(closing([wing]), later))
    assert not AuditEvent.objects.filter(action="guardrail.override").exists()


def test_a_closing_confirmed_with_a_reason_is_recorded_once_with_its_override(people: People) -> None:
    trade = open_condor(people)
    wing = order(closing([condor_legs()[0]]), LATER, token="wing")
    for _ in range(2):
        trade_close(user=people.owner, trade=trade, order=wing, reason=WHY, accept_size=True)
    assert Fill.objects.count() == 5
    assert AuditEvent.objects.filter(action="guardrail.override").count() == 1
    assert AuditEvent.objects.get(action="trade.close").changes["reason"] == WHY


def test_a_front_call_sold_against_a_longer_one_is_covered_and_the_reverse_is_not(people: People) -> None:
    covered = [vix_call(30, -2, "1.00"), january(30, 2)]
    assert rules_of(guard(people, covered, layer=2)) == [("premium cap", False)]
    reverse = [vix_call(30, 2, "1.00"), january(30, -2)]
    assert ("undefined risk", True) in rules_of(guard(people, reverse))


def guard(people: People, legs: list[LegInput], layer: int | None = None) -> Any:
    kind = Trade.Kind.HEDGE if layer else Trade.Kind.OTHER
    return judge(TradeOrder(people.account, order(legs), kind, layer)).guard


def test_lay_1_premium_beyond_the_cap_is_warned_about_and_recorded(people: People) -> None:
    open_condor(people)  # a credit of 2,255 dollars: 12% are 270.60
    assert rules_of(guard(people, [vix_call(30, 2, "1.25")], layer=1)) == []
    assert rules_of(guard(people, [vix_call(30, 3, "1.25")], layer=1)) == [("premium cap", False)]
    hedge(people, [vix_call(30, 3)])
    assert not AuditEvent.objects.filter(action="guardrail.override").exists()


@pytest.mark.parametrize(("own", "ruled", "rule"), [(10, 0.05, "the rules"), (5, 0.10, "the account")])
def test_size_is_held_against_the_account_s_limit_and_the_active_rules(
    people: People, own: int, ruled: float, rule: str
) -> None:
    document = ruleset_document(preset(DEFAULT))
    document["parameters"]["guard.block_of_equity"] = {"base": ruled, "source": "user"}
    version = ruleset_draft(user=people.owner, account=people.account, document=document)
    RulesetVersion.objects.filter(pk=version.pk).update(status="active")
    Account.objects.filter(pk=people.account.pk).update(max_trade_loss_pct=own)
    people.account.refresh_from_db()
    assert rules_in_force(people.account).number("guard.block_of_equity") == ruled
    found = guard(people, condor_legs(quantity=6))  # 6.6% of capital
    (blocked,) = found.blocking
    assert ("the account's own limit of 5%" in blocked.reason) is (rule == "the account")


def test_gov_2_a_larger_roll_is_refused_as_a_whole_and_recorded_when_confirmed(people: People) -> None:
    trade = open_condor(people)

    def roll(quantity: int, **values: Any) -> Trade:
        later = condor_legs(quantity=quantity, expiry=date(2027, 1, 15))
        return trade_roll(
            user=people.owner, trade=trade, closing=order(closing(condor_legs()), LATER, token="r"),
            opening=order(later, LATER, token="r"), kind=TradeLink.Kind.TIME_SHIFT, **values,
        )  # fmt: skip

    with pytest.raises(RuleError, match="a larger roll needs approval"):
        roll(2)
    assert Trade.objects.count() == 1
    first, again = (roll(2, accept_size=True, reason=WHY) for _ in range(2))
    assert first == again
    event = AuditEvent.objects.get(action="guardrail.override")
    assert event.object_id == str(first.pk)
    assert [rule["rule"] for rule in event.changes["rules"]] == ["size on a roll"]


def test_many_closings_are_judged_together(people: People) -> None:
    long, short = hedge(people, [vix_call(30, 2)]), other(people, [vix_call(40, -2, "0.60")])

    def close(*trades: tuple[Trade, LegInput]) -> None:
        rows = [
            Closing(trade.pk, trade.version, order([LegInput(leg.spec, -leg.quantity, leg.price)], LATER))
            for trade, leg in trades
        ]
        bulk_close(user=people.owner, closings=rows, token=f"t{len(rows)}")

    with pytest.raises(RuleError, match=r"Nothing was closed.*short 2 VIX calls net"):
        close((long, vix_call(30, 2)))
    assert Fill.objects.count() == 2
    close((long, vix_call(30, 2)), (short, vix_call(40, -2, "0.60")))
    assert Fill.objects.count() == 4


def test_what_expired_before_the_order_covers_nothing(people: People) -> None:
    past = [LegInput(option_contract("VIX", date(2026, 11, 18), Right.CALL, Decimal(30)), 2, Decimal(1))]
    hedge(people, past)
    legs = [vix_call(40, -2, "0.60")]
    assert ("net short VIX calls", True) not in rules_of(guard(people, legs))
    later = OrderInput(legs, LATER + timedelta(days=14))
    found = judge(TradeOrder(people.account, later, Trade.Kind.OTHER)).guard
    assert ("net short VIX calls", True) in rules_of(found)


# -- pages and API ------------------------------------------------------------------------


def test_the_preview_shows_every_refusal_before_saving(people: People) -> None:
    owner = client(people.owner)
    sent = {
        "account": str(people.account.pk), "token": "t", "filled_at": "2026-11-02T10:30", "layer": "1",
        "instrument": "vix_calls", "reason": "", "fees": "",
        "order_text": "SELL -2 VIX 100 16 DEC 26 40 CALL @1.25",
    }  # fmt: skip
    layer = owner.post("/trades/new/preview/hedge/", sent).content.decode()
    assert "It cannot be recorded so. A hedge layer is never net short VIX calls." in layer
    page = owner.post("/trades/new/preview/condor/", sent).content.decode()
    assert "Refused by" in page
    assert "net short VIX calls" in page
    assert "undefined risk" in page
    assert "Discipline page" in page


def close_form(page: Any, **changes: Any) -> dict[str, Any]:
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    return values | {"filled_at": "2026-11-09T15:00"} | changes


def test_the_close_page_previews_refuses_and_records_when_confirmed(people: People) -> None:
    trade = open_condor(people)
    owner, url = client(people.owner), f"/trades/{trade.pk}/close/"
    keys = [leg.spec.symbol.replace(" ", "") for leg in condor_legs()]
    only_wing = {f"quantity_{key}": "0" for key in keys[1:]} | {f"price_{keys[0]}": "5"}
    sent = close_form(owner.get(url), **only_wing)
    preview = owner.post(f"{url}preview/", sent).content.decode()
    assert "Refused by 1 guardrail." in preview
    refused = owner.post(url, sent)
    assert refused.status_code == 200
    assert "confirm it and give a reason" in refused.content.decode()
    short_first = sent | {f"quantity_{keys[0]}": "0", f"quantity_{keys[1]}": "1", f"price_{keys[1]}": "5"}
    assert "No guardrail refuses it." in owner.post(f"{url}preview/", short_first).content.decode()
    waiting = owner.post(f"{url}preview/", sent | {f"price_{keys[0]}": ""}).content.decode()
    assert "Enter the price, or 0 contracts to leave this leg open." in waiting
    assert owner.post(url, sent | {"accept_size": "on", "reason": WHY}).status_code == 302
    assert Fill.objects.count() == 5


def test_the_roll_page_previews_the_whole_roll(people: People) -> None:
    trade = open_condor(people)
    owner, url = client(people.owner), f"/trades/{trade.pk}/roll/"
    page = owner.get(url)
    prices = {}
    for row in page.context["form"].roll_rows():
        prices |= {row.price.name: "1.00", row.new_price.name: "2.00"}
    sent = close_form(page, expiry="2027-01-15", **prices)
    assert "No guardrail refuses it." in owner.post(f"{url}preview/", sent).content.decode()
    larger = owner.post(f"{url}preview/", sent | {"contracts": "2"}).content.decode()
    assert "size on a roll" in larger
    assert client(people.teammate).post(f"{url}preview/", sent).status_code == 403
    assert client(people.stranger).post(f"{url}preview/", sent).status_code == 404


def test_the_discipline_page_tells_what_was_recorded_against_a_guardrail(people: People) -> None:
    trade = other(people, [vix_call(40, -2)], accept_size=True, reason=WHY)
    (one,) = discipline_page(people.owner, people.account).against
    assert one.reason == WHY
    owner = client(people.owner)
    page = owner.get("/discipline/").content.decode()
    assert "Recorded against a guardrail" in page
    assert WHY in page
    assert f"/trades/{trade.pk}/" in page
    assert "guardrail.override" in owner.get("/discipline/?format=csv").content.decode()


def test_the_api_refuses_with_the_reason_and_takes_a_confirmation(people: People) -> None:
    api = client(people.owner)
    trade = open_condor(people)
    wing = condor_legs()[0]
    sent = {
        "legs": [{"occ_symbol": wing.spec.symbol, "quantity": -1, "price": "5.00"}],
        "filled_at": LATER.isoformat(),
    }
    url = f"/api/v1/trades/{trade.pk}/close/"
    refused = api.post(url, sent, content_type="application/json")
    assert refused.status_code == 422 or refused.status_code == 400
    assert "no long one" in refused.content.decode()
    confirmed = sent | {"accept_size": True, "reason": WHY}
    assert api.post(url, confirmed, content_type="application/json").status_code == 200
    assert AuditEvent.objects.filter(action="guardrail.override").count() == 1
