"""Attribution of an account: equal to the ledger, rebuilt alike, written by jobs, shown to members only."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from hedging.engine.results.effects import EFFECTS
from hedging.jobs.engine import job_run
from hedging.models import ChainSnapshot, ContractMark, DailyBar, Job
from journal.job_kinds import ATTRIBUTE
from journal.models import Account, AttributionDay, DailyMark, Fill, Role, Trade, User
from journal.selectors.attribution import account_attribution, trade_attribution
from journal.services.accounts import member_add
from journal.services.attribution.jobs import (
    attribution_follow,
    attribution_request,
    attribution_run,
    last_closed_session,
)
from journal.services.book.fills import fill_reverse
from journal.services.demo import demo_guest, demo_remove, demo_start
from tests.journal.people import make_user

pytestmark = pytest.mark.django_db
COLUMNS = ("trade_id", "contract_id", "day", "since", "quantity", "known", "value", "pnl", *EFFECTS)


@pytest.fixture
def user() -> User:
    return demo_guest()


@pytest.fixture
def account(user: User) -> Account:
    """The demo account, attributed."""
    found = demo_start(user=user)
    attribution_run(account=found, date_from=None, date_to=last_closed_session())
    found.refresh_from_db()
    return found


def rows(account: Account) -> list[tuple[object, ...]]:
    return list(DailyMark.objects.filter(account=account).order_by("day", "pk").values_list(*COLUMNS))


def test_a_book_from_its_fills_to_its_pages(user: User, account: Account) -> None:
    """One demo book for all of it: making it takes seconds."""
    # Every closed trade's attribution is its realized P&L, to the cent and beyond.
    closed = Trade.objects.filter(account=account, status="closed")
    assert closed.count() > 10
    for trade in closed:
        found = trade_attribution(trade)
        assert found.total.pnl == trade.realized
        assert sum(found.total.effects.values()) + found.total.rounding == found.total.pnl
        assert sum(found.full.effects.values()) + found.full.rounding == found.total.pnl
        assert found.total.effects["fees"] == -trade.fees_total
        assert sum(leg.pnl for leg in found.legs) == found.total.pnl
        assert sum(day.total.pnl for day in found.days) == found.total.pnl
    whole = account_attribution(account)
    assert whole.condor + whole.hedge_own + whole.interaction + whole.other == whole.total.pnl
    assert sum(day.total.pnl for day in whole.days) == whole.total.pnl
    assert whole.is_current
    # Real quotes and modelled days are told apart, and nothing is unknown in a complete market.
    assert {mark.source for mark in ContractMark.objects.all()} >= {"quote", "surface", "settlement"}
    assert not any(day.unknown_legs for day in whole.days)

    # The same inputs give the same rows and hashes.
    before, hashes = rows(account), list(AttributionDay.objects.values_list("day", "content_hash"))
    assert attribution_run(account=account, date_from=None, date_to=last_closed_session()) == 0
    DailyMark.objects.all().delete()
    AttributionDay.objects.all().delete()
    ContractMark.objects.all().delete()
    attribution_run(account=account, date_from=None, date_to=last_closed_session())
    assert [r[2:] for r in rows(account)] == [r[2:] for r in before]
    assert list(AttributionDay.objects.values_list("day", "content_hash")) == hashes

    # A range alone gives what the whole history gives.
    AttributionDay.objects.filter(day__gte=hashes[60][0]).delete()
    DailyMark.objects.filter(day__gte=hashes[60][0]).delete()
    attribution_run(account=account, date_from=hashes[60][0], date_to=last_closed_session())
    assert list(AttributionDay.objects.values_list("day", "content_hash")) == hashes

    # A corrected fill changes the days from its own on, by a job that asks for those days only.
    fill = Fill.objects.filter(account=account).order_by("-trade_date").first()
    assert fill is not None
    fill_reverse(user=user, fill=fill, reason="never happened")
    account.refresh_from_db()
    assert not account_attribution(account).is_current
    (job,) = attribution_follow(account=account)
    assert date.fromisoformat(job.payload["from"]) == min(fill.trade_date, hashes[-1][0])
    assert job_run(job.pk) == Job.State.DONE
    fresh = account_attribution(account)
    assert fresh.is_current
    assert [d.total for d in fresh.days if d.day < fill.trade_date] == [
        d.total for d in whole.days if d.day < fill.trade_date
    ]

    # An older request is not written over it.
    (stale,) = attribution_request(account=account, nonce="stale")
    Account.objects.filter(pk=account.pk).update(book_revision=account.book_revision + 1)
    assert job_run(stale.pk) == Job.State.CANCELLED
    account.refresh_from_db()

    # Pages, CSV and API: owner and teammate read, a stranger finds nothing.
    trade = closed[0]
    teammate, stranger = make_user("mate"), make_user("stranger")
    member_add(user=user, account=account, member=teammate, role=Role.VIEWER)
    demo_urls = (f"/trades/{trade.pk}/", f"/trades/{trade.pk}/attribution.csv")
    api_urls = (f"/api/v1/trades/{trade.pk}/attribution/", f"/api/v1/accounts/{account.pk}/attribution/")
    for url in (*demo_urls, *api_urls):
        assert [status(who, url) for who in (user, teammate, stranger)] == [200, 200, 404], url
    for url in (f"/trades/{trade.pk}/settle/", f"/api/v1/trades/{trade.pk}/settle/"):
        assert status(stranger, url, post=True) == 404, url
    assert status(teammate, f"/api/v1/accounts/{account.pk}/attribution/", post=True) == 404
    assert status(teammate, "/attribution/rebuild/", post=True) == 403
    assert status(user, "/attribution/rebuild/", post=True) == 302
    assert Job.objects.filter(kind=ATTRIBUTE, requested_by=str(user.public_id)).exists()
    client = Client()
    client.force_login(user)
    body = client.get("/attribution/").content.decode()
    assert "Interaction" in body
    assert "waterfall-data" in body
    answer = client.get(f"/api/v1/trades/{trade.pk}/attribution/").json()
    parts = sum(Decimal(v) for v in answer["effects"].values())
    assert parts + Decimal(answer["rounding"]) == Decimal(answer["pnl"]) == trade.realized

    # The command prints the same as JSON and moves a bar on stderr.
    out, err = StringIO(), StringIO()
    call_command("attribute", str(account.pk), "--json", stdout=out, stderr=err)
    printed = json.loads(out.getvalue())
    assert printed["pnl"] == str(account_attribution(account).total.pnl)
    assert "100%" in err.getvalue()

    # A day whose data is taken away is unknown, and its P&L comes with the next known mark.
    chain_days = {chain.as_of.date() for chain in ChainSnapshot.objects.defer("payload")}
    held_days = {r.day for r in DailyMark.objects.filter(account=account)}
    gone = sorted(held_days - chain_days)[30]
    DailyBar.objects.filter(date=gone).delete()
    attribution_run(account=account, date_from=None, date_to=last_closed_session())
    holed = account_attribution(account)
    assert holed.total.pnl == fresh.total.pnl
    hole = next(day for day in holed.days if day.day == gone)
    assert hole.unknown_legs
    waited = DailyMark.objects.filter(account=account, day__gt=gone, since__lt=gone)
    assert waited.exists()

    demo_remove(user=user)
    for model in (AttributionDay, DailyMark, ContractMark):
        assert not model.objects.exists(), model


def status(who: User, url: str, *, post: bool = False) -> int:
    client = Client()
    client.force_login(who)
    return (client.post(url) if post else client.get(url)).status_code
