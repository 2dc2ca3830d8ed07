"""Rolls of VX futures: proposed where one order or one minute did both, confirmed, added up in the chain."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from journal.models import Trade, TradeLink
from journal.selectors.book.roll_history import chain_of
from journal.services.book.links import link_decide
from journal.services.imports.commit import import_commit
from journal.services.imports.stage import import_upload
from tests.importers.cases import HEADER
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def row(moment: str, side: str, effect: str, symbol: str, price: str, order: str, count: int = 2) -> str:
    """A fill of VX futures; 3.45 of costs for each."""
    costs = Decimal("3.45") * count
    words = f"{'Bought' if side == 'Buy' else 'Sold'} {count} {symbol} @ {price}"
    return (
        f"{moment}-0500,Trade,{side} to {effect},{side.upper()},{symbol},Future,{words},0.00,{count},0.00,"
        f"{-costs:.2f},0.00,,,,,,,{order},{-costs:.2f},USD"
    )


def recorded(people: People, *rows: str) -> None:
    data = "\n".join([HEADER, *reversed(rows), ""]).encode()
    batch = import_upload(user=people.owner, account=people.account, filename="vx.csv", data=data)
    assert (batch.state, batch.counts["error"], batch.counts["new"]) == ("staged", 0, len(rows))
    import_commit(user=people.owner, batch=batch)


OPENED = row("2025-11-05T10:00:00", "Buy", "Open", "/VXX5", "18.00", "71")
ROLLED = [
    row("2025-11-12T11:00:00", "Sell", "Close", "/VXX5", "19.50", "81"),
    row("2025-11-12T11:00:00", "Buy", "Open", "/VXZ5", "20.10", "81"),
]


def test_a_long_position_through_three_expiries_adds_up(people: People, client: Client) -> None:
    # 1.50 x 2 x 1,000 = 3,000 on the first, -1.20 x 2 x 1,000 = -2,400 on the second; 6.90 a row.
    again = [
        row("2025-12-10T11:00:00", "Sell", "Close", "/VXZ5", "18.90", "82"),
        row("2025-12-10T11:00:00", "Buy", "Open", "/VXF6", "19.40", "82"),
    ]
    recorded(people, OPENED, *ROLLED, *again)
    links = list(TradeLink.objects.order_by("moment"))
    assert [(link.state, link.kind, link.reason) for link in links] == [
        ("proposed", "time_shift", "One order, 81."), ("proposed", "time_shift", "One order, 82."),
    ]  # fmt: skip
    first = Trade.objects.order_by("opened_at").first()
    assert first is not None
    assert len(chain_of(people.owner, first).steps) == 1  # nothing is joined before somebody says so
    for link in links:
        link_decide(user=people.owner, link=link, confirm=True)
    chain = chain_of(people.owner, first)
    assert [(step.trade.status, step.cash, step.cumulative_cash) for step in chain.steps] == [
        ("closed", Decimal("2986.20"), Decimal("2986.20")),
        ("closed", Decimal("-2413.80"), Decimal("572.40")),
        ("open", Decimal("-6.90"), Decimal("565.50")),
    ]
    assert chain.realized is None
    client.force_login(people.owner)
    page = client.get(f"/trades/{first.pk}/chain/")
    assert page.status_code == 200
    assert "572.40" in page.content.decode()


def test_a_short_position_is_rolled_too_and_in_part(people: People) -> None:
    recorded(
        people,
        row("2025-11-05T10:00:00", "Sell", "Open", "/VXX5", "18.00", "71"),
        row("2025-11-12T11:00:00", "Buy", "Close", "/VXX5", "17.25", "81", 1),
        row("2025-11-12T11:00:00", "Sell", "Open", "/VXZ5", "18.10", "81", 1),
    )
    link = TradeLink.objects.get()
    link_decide(user=people.owner, link=link, confirm=True)
    assert link.earlier is not None
    steps = chain_of(people.owner, link.earlier).steps
    # 0.75 x 1,000 on one of two, costs of three contracts; then costs of one
    assert [step.cumulative_cash for step in steps] == [Decimal("739.65"), Decimal("736.20")]


@pytest.mark.parametrize(
    ("clock", "proposed"), [("11:01:00", 1), ("11:01:01", 0), ("10:59:00", 1), ("10:58:59", 0)]
)
def test_two_orders_are_a_roll_within_a_minute_only(people: People, clock: str, proposed: int) -> None:
    """Whichever of the two came first."""
    closed, _ = ROLLED
    opened = row(f"2025-11-12T{clock}", "Buy", "Open", "/VXZ5", "20.10", "99")
    recorded(people, OPENED, closed, opened)
    assert Trade.objects.count() == 2
    assert TradeLink.objects.count() == proposed
    if proposed:
        assert TradeLink.objects.get().reason.startswith("Closed and opened within a minute on 2025-11-12")


@pytest.mark.parametrize(
    "opened",
    [
        row("2025-11-12T11:00:00", "Sell", "Open", "/VXZ5", "20.10", "81"),
        row("2025-11-12T11:00:30", "Buy", "Open", "/VXX5", "19.45", "81"),
    ],
    ids=["the other side", "the same expiry"],
)
def test_what_is_no_roll_is_not_proposed(people: People, opened: str) -> None:
    recorded(people, OPENED, ROLLED[0], opened)
    assert Trade.objects.count() == 2
    assert not TradeLink.objects.exists()
