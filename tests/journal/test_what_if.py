"""The what-if page: two selections, presets, an opened cell; every choice in the address."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from hedging.engine.pricing.scenarios import GRID_SPOT, GRID_VIX, Shock, scenario_grid
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.models import Account, Role, Trade
from journal.selectors.book.trades import book_build
from journal.selectors.what_if import WhatIf, what_if, what_if_trades
from journal.services.accounts import member_add
from journal.services.demo import demo_start
from tests.journal.people import make_people, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(demo_account: Account) -> Account:
    return demo_account


def result(account: Account, show: str, days: int = 0, opened: Shock | None = None) -> WhatIf:
    picks = what_if_trades(account, timezone.localdate(), None, None)
    found = what_if(account, picks, days=days, show=show, opened=opened)
    assert found is not None
    return found


def flat(found: WhatIf) -> list[float]:
    return [cell.pnl for _, cells in found.rows for cell in cells]


def test_the_difference_of_all_and_condors_is_the_hedge(account: Account) -> None:
    everything, condors, hedge = (flat(result(account, show)) for show in ("a", "b", "difference"))
    assert hedge == pytest.approx([x - y for x, y in zip(everything, condors, strict=True)])
    row = snapshot_for(simulated=True)
    assert row is not None
    layers = [t for t in book_build(account).trades if t.role == "hedge_layer"]
    assert layers
    grid = scenario_grid(layers, snapshot_load(row))
    assert hedge == pytest.approx([float(v) for v in grid.pnl.ravel()], abs=1e-6)

    opened = result(account, "a", opened=Shock(-0.1, 20.0)).opened
    assert opened is not None
    at = GRID_SPOT.index(-0.1) * len(GRID_VIX) + GRID_VIX.index(20.0)
    assert opened.a == pytest.approx(everything[at])
    assert opened.b == pytest.approx(condors[at])
    assert {row.b is None for row in opened.rows} == {True, False}

    now, later = result(account, "a"), result(account, "a", days=5)
    calm = GRID_SPOT.index(0.0) * len(GRID_VIX) + GRID_VIX.index(0.0)
    assert flat(now)[calm] == pytest.approx(0.0, abs=1e-6)
    assert flat(later)[calm] != pytest.approx(0.0, abs=1.0)


def test_the_address_holds_every_choice_and_htmx_gets_the_fragment(account: Account) -> None:
    client = Client()
    client.force_login(account.members.get())
    condor = Trade.objects.filter(account=account, kind=Trade.Kind.CONDOR, status="open").first()
    assert condor is not None
    url = f"/what-if/?chosen=1&a={condor.pk}&days=3&show=a&cell=-0.1:20"
    page = client.get(url)
    assert page.status_code == 200
    text = page.content.decode()
    assert len(re.findall(r'name="[ab]" value="[^"]+"[^>]* checked', text)) == 1
    assert "not in B" in text
    assert "modelled" in text
    fragment = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "Named shocks" in fragment
    for bad in ("cell=x", "cell=-2:0", "cell=0.1:900", "days=-1", "days=9999", "show=c"):
        answer = client.get(f"/what-if/?{bad}")
        assert answer.status_code == 200
        assert "Named shocks" not in answer.content.decode()


def test_teammates_read_and_strangers_see_only_their_own() -> None:
    people = make_people(is_demo=True)
    account = demo_start(user=people.owner)
    member_add(user=people.owner, account=account, member=people.stranger, role=Role.VIEWER)
    for user, expected in ((people.owner, 200), (people.teammate, 200), (people.stranger, 200)):
        client = Client()
        client.force_login(user)
        assert client.get("/what-if/").status_code == expected
    loner = make_user("loner")
    client = Client()
    client.force_login(loner)
    mine = Trade.objects.filter(account=account).first()
    assert mine is not None
    assert str(mine.pk) not in client.get(f"/what-if/?chosen=1&a={mine.pk}").content.decode()
    assert Client().get("/what-if/").status_code == 302
