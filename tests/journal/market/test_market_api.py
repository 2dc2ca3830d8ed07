"""Market data over the API: the same for everybody signed in, nothing for others."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from hedging.jobs.kinds import MARKET_FETCH
from hedging.models import Job
from hedging.services.market.load import market_file_load
from journal.models import User
from tests.journal.people import People, people_with_operator

pytestmark = pytest.mark.django_db
BASE = "/api/v1/market-data/"
READS = ("series", "supplied", "sources", "quality", "runs", "bars", "events", "vx-curve")


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
    return client


@pytest.fixture
def people() -> People:
    return people_with_operator()


@pytest.fixture
def client(people: People) -> APIClient:
    return client_of(people.teammate)


@pytest.fixture
def loaded() -> None:
    market_file_load(
        name="macro_events.csv",
        data=b"date,event,detail,ref_period,time_et,source,fixed\n"
        b"2024-02-13,cpi,CPI,January 2024,08:30,bls,0\n",
    )
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-02,13.2\n2024-01-03,14.04\n")
    market_file_load(
        name="v.csv", data=b"observation_date,GDPC1_20240125,GDPC1_20240228\n2023-10-01,22672.859,22668.986\n"
    )
    market_file_load(
        name="vx.csv",
        data=b"date,expiry,settle,volume,open_interest\n2024-01-02,2024-01-10,13.9,5,6\n"
        b"2024-01-02,2024-01-17,14.3,100,1000\n2024-01-02,2024-02-14,15.2,50,500\n",
    )


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("what", READS)
def test_members_and_strangers_read_and_nobody_else(people: People, what: str) -> None:
    for user in (people.owner, people.teammate, people.stranger):
        assert client_of(user).get(f"{BASE}{what}/").status_code == 200
    assert APIClient().get(f"{BASE}{what}/").status_code == 401


@pytest.mark.usefixtures("loaded")
def test_series_and_runs(client: APIClient) -> None:
    series = {row["symbol"]: row for row in client.get(f"{BASE}series/").json()}
    assert (series["VIX"]["first"], series["VIX"]["last"], series["VIX"]["entries"]) == (
        "2024-01-02", "2024-01-03", 2,
    )  # fmt: skip
    assert "sessions behind" in series["VIX"]["stale"]
    runs = client.get(f"{BASE}runs/").json()
    assert runs["count"] == 4
    assert runs["results"][0]["name"] == "vx.csv"
    assert runs["results"][0]["error"] == ""


@pytest.mark.usefixtures("loaded")
def test_bars_by_symbol_and_date_with_vintages_on_request(client: APIClient) -> None:
    bars = client.get(f"{BASE}bars/", {"symbol": "VIX", "from": "2024-01-03"}).json()
    assert [(row["date"], row["close"]) for row in bars["results"]] == [("2024-01-03", "14.040000")]
    current = client.get(f"{BASE}bars/", {"symbol": "GDPC1"}).json()["results"]
    assert [row["close"] for row in current] == ["22668.986000"]
    every = client.get(f"{BASE}bars/", {"symbol": "GDPC1", "vintages": "true"}).json()["results"]
    assert [row["published_at"][:10] for row in every] == ["2024-01-25", "2024-02-28"]
    assert client.get(f"{BASE}bars/", {"from": "yesterday"}).status_code == 400


@pytest.mark.usefixtures("loaded")
def test_the_curve_of_a_day_ranks_monthly_contracts(client: APIClient) -> None:
    curve = client.get(f"{BASE}vx-curve/", {"day": "2024-01-05"}).json()
    assert (curve["asked"], curve["day"]) == ("2024-01-05", "2024-01-02")
    assert [(c["month"], c["expiry"], c["settle"], c["open_interest"]) for c in curve["contracts"]] == [
        (None, "2024-01-10", "13.9000", 6),
        (1, "2024-01-17", "14.3000", 1000),
        (2, "2024-02-14", "15.2000", 500),
    ]  # fmt: skip
    assert client.get(f"{BASE}vx-curve/", {"day": "1999-01-05"}).json()["day"] is None
    assert client.get(f"{BASE}vx-curve/", {"day": "soon"}).status_code == 400


@pytest.mark.usefixtures("loaded")
def test_events_by_kind(client: APIClient) -> None:
    (event,) = client.get(f"{BASE}events/", {"kind": "cpi", "from": "2024-02-01"}).json()["results"]
    assert (event["day"], event["time_et"], event["actual"]) == ("2024-02-13", "08:30:00", None)
    assert client.get(f"{BASE}events/", {"kind": "ppi"}).json()["count"] == 0


def test_fetching_is_refused_while_it_is_off_and_idempotent_while_it_is_on(
    people: People, settings: Any
) -> None:
    owner = client_of(people.owner)
    assert owner.post(f"{BASE}fetch/", {"group": "macro"}).status_code == 400
    settings.MARKET_FETCH = True
    assert owner.post(f"{BASE}fetch/", {"group": "gossip"}).status_code == 400
    answers = [
        owner.post(f"{BASE}fetch/", {"group": "macro"}, headers={"idempotency-key": "one"}) for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert Job.objects.filter(kind=MARKET_FETCH).count() == 1
    job = f"/api/v1/jobs/{answers[0].json()['id']}/"
    stranger = client_of(people.stranger)
    assert stranger.get(job).status_code == 200
    assert stranger.post(f"{job}cancel/").status_code == 404
    assert owner.post(f"{job}cancel/").json()["state"] == "cancelled"
