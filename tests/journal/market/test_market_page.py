"""The market page, its filter and CSV, and the market API, on a simulated and on the real market."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from hedging.engine.signals.types import SignalKey
from hedging.jobs.engine import job_run
from hedging.jobs.kinds import SIGNALS
from hedging.models import DailyBar, Job, Quality, VXSettlement
from hedging.services.market.load import market_path_load
from hedging.services.signals import signals_refresh
from journal.models import User
from journal.selectors.market.term_structure import term_curve
from tests.hedging.market.signals_support import LAST, simulated_closes_load
from tests.journal.people import People, answers, make_people

pytestmark = pytest.mark.django_db
PAGES = ("market", "market_signals", "market_signals_csv", "market_signals_ready")
CALLS = ("market/signals/", "market/regimes/", "market/term-structure/", "market/snapshot/")


@pytest.fixture
def people() -> People:
    """On the simulated market."""
    return make_people(is_demo=True)


@pytest.fixture
def simulated() -> None:
    simulated_closes_load()
    signals_refresh(simulated=True)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, query: str = "", name: str = "market") -> str:
    answer = client.get(f"{reverse(f'journal:{name}')}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_three_users_and_nobody(name: str, people: People, simulated: None, client: Client) -> None:
    found = answers(client, "get", reverse(f"journal:{name}"), people)
    assert found == {"owner": 200, "teammate": 200, "stranger": 200, "nobody": 302}


def test_a_simulated_market_shows_its_unknowns_and_says_what_it_is(people: People, simulated: None) -> None:
    text = page(signed_in(people.owner))
    assert f"Signals at the close of {LAST:%-d %b %Y}" in text
    for key in SignalKey:
        assert f'id="signal-{key}"' in text
    assert text.count("state-unknown") > 10
    assert "badge-quality simulated" in text
    assert 'data-chart="ribbon"' in text
    assert 'data-chart="term_curve"' in text
    assert "The newest stored close is" in text, "the simulated data end in the past"


def test_without_signals_the_page_waits_for_a_worker_and_then_reloads(people: People) -> None:
    simulated_closes_load()
    client = signed_in(people.owner)
    text = page(client)
    assert "Signals wait for a worker." in text
    assert 'id="signal-rows"' not in text
    page(client)
    job = Job.objects.get(kind=SIGNALS)
    assert "HX-Refresh" not in client.get(reverse("journal:market_signals_ready")).headers
    assert job_run(job.pk) == Job.State.DONE
    assert client.get(reverse("journal:market_signals_ready")).headers["HX-Refresh"] == "true"
    assert 'id="signal-rows"' in page(client)


def test_new_data_keep_the_old_signals_marked_until_they_are_computed_again(
    people: People, simulated: None
) -> None:
    DailyBar.objects.create(
        source="simulated", symbol="SKEW", date=LAST, close=Decimal(130), quality=Quality.SIMULATED
    )
    text = page(signed_in(people.owner))
    assert "Until then you see those of the data before the last change" in text
    assert 'id="signal-rows"' in text


def test_a_failed_computation_is_told_with_its_reason(people: People) -> None:
    simulated_closes_load()
    client = signed_in(people.owner)
    page(client)
    Job.objects.filter(kind=SIGNALS).update(state=Job.State.DEAD, error="The disk is full.")
    text = page(client)
    assert "The disk is full." in text
    assert 'hx-trigger="every 2s"' not in text


def test_no_data_at_all_is_an_empty_state(people: People) -> None:
    assert "No market data" in page(signed_in(people.owner))
    assert not Job.objects.filter(kind=SIGNALS).exists()


def test_the_filter_narrows_the_table_and_the_csv_alike(people: People, simulated: None) -> None:
    client = signed_in(people.owner)
    text = page(client, "?q=macd&state=", "market_signals")
    assert 'id="signal-macd_spx"' in text
    assert 'id="signal-rsi_vix"' not in text
    assert "q=macd" in text, "the CSV link keeps the filter"
    rows = list(csv.DictReader(io.StringIO(page(client, "?q=macd", "market_signals_csv"))))
    assert {row["key"] for row in rows} == {"macd_spx", "macd_vix", "macd_divergence", "rv_collapse"}
    unknown = list(csv.DictReader(io.StringIO(page(client, "?state=unknown", "market_signals_csv"))))
    assert unknown
    assert all(row["value"] == "" and row["reason"] for row in unknown)
    assert "No signal matches" in page(client, "?q=nothing-like-this", "market_signals")
    whole = page(client, "?q=macd&group=Momentum")
    assert 'value="macd"' in whole
    assert 'id="signal-rsi_vix"' not in whole


def test_the_csv_holds_every_signal_with_harmless_texts(people: People, simulated: None) -> None:
    rows = list(csv.DictReader(io.StringIO(page(signed_in(people.owner), "", "market_signals_csv"))))
    assert {row["key"] for row in rows} == {key.value for key in SignalKey}
    for row in rows:
        assert not row["threshold"].startswith(("=", "+", "-", "@"))
        assert row["state"] in {"on", "off", "unknown"}
        if row["value"]:
            float(row["value"])


@pytest.mark.parametrize("span", ["1y", "3y", "all", "forever", ""])
def test_the_span_of_the_regimes_is_in_the_address(span: str, people: People, simulated: None) -> None:
    text = page(signed_in(people.owner), f"?span={span}&q=vix")
    assert "q=vix&amp;span=all#regimes" in text, "the filter stays when the span changes"


@pytest.mark.parametrize(
    "query",
    ["?q=%00", "?state=%F0%9F%98%80", "?span=%00", "?compare=1e30", "?compare=2020-13-01", "?group=x"],
)
def test_hostile_queries_never_break_the_page(query: str, people: People, simulated: None) -> None:
    client = signed_in(people.owner)
    for name in PAGES:
        # A zero byte is refused for the whole site; everything else is ignored.
        assert client.get(f"{reverse(f'journal:{name}')}{query}").status_code == (
            400 if "%00" in query else 200
        )


def test_the_queries_of_the_page_do_not_grow_with_the_data(
    people: People, simulated: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(people.owner)
    page(client)
    with django_assert_max_num_queries(45):
        page(client)
    with django_assert_max_num_queries(15):
        page(client, "?q=vix", "market_signals")


def test_the_term_structure_leaves_weekly_contracts_out(people: People, simulated: None) -> None:
    VXSettlement.objects.create(
        source="simulated",
        date=LAST,
        expiry=date(2026, 2, 4),
        settle=Decimal("99.5"),
        quality=Quality.SIMULATED,
    )
    assert "99.5" not in page(signed_in(people.owner))


def test_a_settlement_from_two_sources_is_one_point(people: People, simulated: None) -> None:
    first = VXSettlement.objects.filter(date=LAST).order_by("expiry")[0]
    VXSettlement.objects.create(
        source="file", date=LAST, expiry=first.expiry, settle=first.settle + 9, quality=Quality.SIMULATED
    )
    curve = term_curve(LAST, simulated=True)
    assert curve is not None
    assert [point.expiry for point in curve.points] == sorted({point.expiry for point in curve.points})
    assert curve.points[0].settle == first.settle


def api(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
    return client


def body(client: APIClient, call: str, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/{call}{query}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("call", CALLS)
def test_the_api_answers_every_user_alike_and_nobody_not_at_all(
    call: str, people: People, simulated: None
) -> None:
    first = [body(api(user), call, "?market=simulated") for user in (people.owner, people.stranger)]
    assert first[0] == first[1]
    assert APIClient().get(f"/api/v1/{call}").status_code in {401, 403}


def test_the_api_lists_every_signal_with_reasons_for_the_unknown(people: People, simulated: None) -> None:
    found = body(api(people.owner), "market/signals/", f"?market=simulated&as_of={LAST}")
    assert found["as_of"] == str(LAST)
    assert found["current"] is True
    assert [row["key"] for row in found["signals"]] == [key.value for key in SignalKey]
    assert all(row["state"] != "unknown" or row["reason"] for row in found["signals"])
    assert found["regime"]["reasons"]


def test_regimes_and_term_structure_by_api(people: People, simulated: None) -> None:
    client = api(people.owner)
    runs = body(client, "market/regimes/", "?market=simulated")["runs"]
    assert runs[-1]["last_day"] == str(LAST)
    inner = body(client, "market/regimes/", f"?market=simulated&from={LAST}")["runs"]
    assert inner == runs[-1:]
    curves = body(client, "market/term-structure/", f"?market=simulated&as_of={LAST}")["curves"]
    contracts = curves["day"]["contracts"]
    assert [row["month"] for row in contracts] == [f"M{n}" for n in range(1, 9)]
    assert contracts == sorted(contracts, key=lambda row: row["expiry"])
    assert curves["month_before"]["day"] < curves["week_before"]["day"] < str(LAST)


@pytest.mark.parametrize(
    "query",
    ["?as_of=yesterday", "?market=moon", "?as_of=2020-13-01&market=simulated"],
)
def test_the_api_names_the_field_it_cannot_read(query: str, people: People, simulated: None) -> None:
    answer = api(people.owner).get(f"/api/v1/market/signals/{query}")
    if "market=" not in query:  # the real market has no signals here, the worker was asked
        assert answer.status_code == 503
        return
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in {"as_of", "market"}


def test_the_api_asks_a_worker_and_says_when_to_come_back(people: People) -> None:
    answer = api(people.owner).get("/api/v1/market/signals/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert Job.objects.filter(kind=SIGNALS, scope="real").count() == 1


def test_march_2020_on_the_real_market(data_dir: Path) -> None:
    names = (
        "vix_daily.csv", "vix9d_daily.csv", "vix3m_daily.csv", "vvix_daily.csv", "skew_daily.csv",
        "spx_daily.csv", "vx_contracts_daily.csv.gz",
    )  # fmt: skip
    call_command("market_load", *[str(data_dir / "market" / name) for name in names], stdout=io.StringIO())
    signals_refresh()
    people = make_people()
    client = signed_in(people.owner)
    text = page(client, "?as_of=2020-03-16")
    assert "82.69" in text
    assert "M1 settled at 72.62 and M2 at 59.15: backwardation of 22.8%" in text
    assert "Confirmed regime shift" in text
    assert "Regime since 26 Feb 2020" in text
    compared = page(client, "?as_of=2020-03-16&compare=2017-11-03")
    assert "compared day, 2017-11-03" in compared
    found = body(api(people.owner), "market/signals/", "?as_of=2020-03-16")
    vix = next(row for row in found["levels"] if row["name"] == "VIX")
    assert vix["value"] == pytest.approx(82.69)
    before_data = page(client, "?as_of=1987-10-19")
    assert "No market data" in before_data


def test_a_snapshot_and_a_smile_by_api(people: People, data_dir: Path) -> None:
    for name in ("spx_daily.csv", "vix_daily.csv", "vx_contracts_daily.csv.gz", "rate_dtb3.csv"):
        market_path_load(path=data_dir / "market" / name)
    market_path_load(path=data_dir / "chains" / "spx_chain_cboe_20240105.csv.gz")
    client = api(people.owner)
    found = body(client, "market/snapshot/", "?as_of=2024-01-05&market=real")
    assert found["as_of"] == "2024-01-05T21:00:00+00:00"
    assert found["spot"] == pytest.approx(4697.24)
    assert found["chains"]["SPX"]["options"] == 21038
    assert found["chains"]["VIX"] is None
    first = found["vx_curve"][0]
    assert (first["month"], first["expiry"]) == ("M1", "2024-01-17")
    assert first["volume"] > 0 < first["open_interest"]
    assert "SPXW:2024-02-16" in found["expiries"]
    assert found["quality"] == ["eod"]
    smile = body(client, "market/smile/", "?as_of=2024-01-05&expiry=SPXW:2024-02-16&market=real")
    assert smile["snapshot"] == found["content_hash"]
    assert smile["forward_source"] == "parity"
    assert len(smile["points"]) == smile["quotes"] > 300
    assert all(p["bid"] - 0.05 < p["fit"] < p["ask"] + 0.05 for p in smile["points"] if p["bid"])
    for query, status in (
        ("?expiry=SPXW:2024-02-16&as_of=1987-10-19", 404), ("?expiry=ABC:2024-02-16", 404),
        ("?expiry=soon", 400), ("", 400), (f"?account={people.account.pk}&expiry=SPXW:2024-02-16", 404),
    ):  # fmt: skip
        assert client.get(f"/api/v1/market/smile/{query}").status_code == status, query
    assert (
        api(people.stranger).get(f"/api/v1/market/snapshot/?account={people.account.pk}").status_code == 404
    )


def test_old_closes_are_stale_on_their_tiles_while_the_present_is_looked_at(
    people: People, simulated: None
) -> None:
    client = signed_in(people.owner)
    now, then = page(client), page(client, f"?as_of={LAST}")
    assert now.count("badge-quality stale") >= 9, "every tile, and the regime"
    assert "badge-quality stale" not in then
    assert "d old" in now
