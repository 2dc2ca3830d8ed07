"""The REST API as scripts use it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from journal.models import Account, Fill, Trade, User
from tests.journal.people import People, make_people, people_with_operator

pytestmark = pytest.mark.django_db
PASTE = "SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT"
CONDOR = [
    {"occ_symbol": "SPXW  240216C04890000", "quantity": -1, "price": "14.05"},
    {"occ_symbol": "SPXW  240216C04940000", "quantity": 1, "price": "7.25"},
    {"occ_symbol": "SPXW  240216P04465000", "quantity": -1, "price": "17.40"},
    {"occ_symbol": "SPXW  240216P04415000", "quantity": 1, "price": "13.40"},
]


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
    return client


@pytest.fixture
def people() -> People:
    return people_with_operator()


@pytest.fixture
def client(people: People) -> APIClient:
    return client_of(people.owner)


def order(people: People, **changes: Any) -> dict[str, Any]:
    body = {"account": str(people.account.pk), "filled_at": "2024-01-05T15:45:00-05:00", "fees": "5.20"}
    return {**body, **changes}


def test_the_sample_order_string(client: APIClient, people: People) -> None:
    answer = client.post(
        "/api/v1/trades/", order(people, order_text=PASTE, filled_at="2026-11-20T10:30:00-05:00")
    )
    assert answer.status_code == 201, answer.json()
    body = client.get(f"/api/v1/trades/{answer.json()['id']}/").json()
    assert (body["max_profit"], body["max_loss"]) == (255.0, 4745.0)
    assert body["break_evens"] == [6497.45, 6902.55]
    assert body["margin"] == 5000.0
    assert body["kind"] == "condor"


def test_a_bad_token_is_marked(client: APIClient, people: People) -> None:
    answer = client.post("/api/v1/trades/", order(people, order_text=PASTE.replace("DEC", "DEZ")))
    error = answer.json()["errors"][0]
    assert answer.status_code == 400
    assert error["token"] == "DEZ"
    assert PASTE.replace("DEC", "DEZ")[error["start"] : error["end"]] == "DEZ"
    assert not Trade.objects.exists()


def test_a_valuation_as_of_a_past_chain(client: APIClient, people: People, data_dir: Path) -> None:
    chain = data_dir / "chains" / "raw" / "spx_quotedata_20240105.csv.gz"
    upload = SimpleUploadedFile(chain.name, chain.read_bytes())
    loaded = client.post("/api/v1/market-data/", {"file": upload}, format="multipart")
    assert loaded.status_code == 201, loaded.json()
    assert loaded.json()["rows_new"] == 21038
    made = client.post("/api/v1/trades/", order(people, legs=CONDOR)).json()
    value = client.get(f"/api/v1/trades/{made['id']}/valuation/?as_of=2024-01-05").json()
    vendor = {"C04890000": 0.1631, "C04940000": 0.0974, "P04465000": -0.1353, "P04415000": -0.1047}
    for leg in value["legs"]:
        assert leg["delta"] == pytest.approx(vendor[leg["occ_symbol"][12:]], abs=0.005)
        assert leg["position_delta"] == pytest.approx(leg["delta"] * leg["quantity"] * 100)
    assert value["as_of"].startswith("2024-01-05T21:00")
    assert {"price", "iv", "delta", "gamma", "theta", "vega", "rho"} <= value["total"].keys()
    too_early = client.get(f"/api/v1/trades/{made['id']}/valuation/?as_of=2023-01-05")
    assert too_early.status_code == 400


def test_a_malformed_market_file_names_its_line(client: APIClient) -> None:
    upload = SimpleUploadedFile("vix.csv", b"date,close\n2026-01-02,oops\n")
    answer = client.post("/api/v1/market-data/", {"file": upload}, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["errors"][0] == {
        "field": "file", "message": "'oops' is not a number", "line": 2, "column": "close",
    }  # fmt: skip


def test_one_key_makes_one_trade(client: APIClient, people: People) -> None:
    body = order(people, legs=CONDOR)
    first = client.post("/api/v1/trades/", body, headers={"Idempotency-Key": "k1"})
    again = client.post("/api/v1/trades/", body, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert Trade.objects.count() == 1
    changed = client.post("/api/v1/trades/", {**body, "fees": "6.00"}, headers={"Idempotency-Key": "k1"})
    assert changed.status_code == 422


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_posts_with_one_key_make_one_trade() -> None:
    people = make_people(is_demo=True)
    key = Token.objects.create(user=people.owner).key
    body = order(people, legs=CONDOR)
    codes: list[int] = []

    def post() -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        try:
            codes.append(client.post("/api/v1/trades/", body, headers={"Idempotency-Key": "k"}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [201] * 50
    assert Trade.objects.count() == 1
    assert Fill.objects.count() == 4


def test_a_hedge_layer_is_linked_to_its_condor(client: APIClient, people: People) -> None:
    condor = client.post("/api/v1/trades/", order(people, legs=CONDOR)).json()["id"]
    calls = [{"occ_symbol": "VIX   240214C00018000", "quantity": 5, "price": "0.60"}]
    answer = client.post("/api/v1/hedge-layers/", order(people, legs=calls, layer=1, protects=[condor]))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["protects"] == [condor]
    assert client.get("/api/v1/hedge-layers/").json()["count"] == 1


def test_closing_and_reversing(client: APIClient, people: People) -> None:
    made = client.post("/api/v1/trades/", order(people, legs=CONDOR)).json()
    closing = [{**leg, "quantity": -leg["quantity"]} for leg in CONDOR]
    when = {"filled_at": "2024-01-08T12:00:00-05:00", "fees": "5.20"}
    too_much = [{**closing[0], "quantity": 9}]
    assert client.post(f"/api/v1/trades/{made['id']}/close/", {**when, "legs": too_much}).status_code == 400
    closed = client.post(f"/api/v1/trades/{made['id']}/close/", {**when, "legs": closing})
    assert closed.json()["status"] == "closed"
    fill = client.get("/api/v1/fills/", {"trade": made["id"]}).json()["results"][0]["id"]
    reversed_ = client.post(f"/api/v1/fills/{fill}/reverse/", {"reason": "wrong price"})
    assert reversed_.status_code == 201
    assert client.get(f"/api/v1/trades/{made['id']}/").json()["status"] == "open"


def test_a_stale_version_is_refused(client: APIClient, people: People) -> None:
    url = f"/api/v1/accounts/{people.account.pk}/"
    assert client.patch(url, {"name": "Renamed", "version": 1}).status_code == 200
    assert client.patch(url, {"name": "Again", "version": 1}).status_code == 409
    assert client.patch(url, {"name": "Again"}).status_code == 400
    people.account.refresh_from_db()
    assert people.account.name == "Renamed"


def test_a_report_is_a_job(client: APIClient, people: People) -> None:
    answer = client.post(f"/api/v1/accounts/{people.account.pk}/reports/", {"format": "csv"})
    assert answer.status_code == 202
    job = client.get(f"/api/v1/jobs/{answer.json()['id']}/").json()
    assert (job["state"], job["progress"], job["error"], job["result"]) == ("queued", None, "", None)
    assert client.post(f"/api/v1/jobs/{job['id']}/cancel/").json()["state"] == "cancelled"
    assert client.post(f"/api/v1/jobs/{job['id']}/retry/").json()["state"] == "queued"


def test_foreign_and_missing_objects_answer_alike(people: People, client: APIClient) -> None:
    made = client.post("/api/v1/trades/", order(people, legs=CONDOR)).json()["id"]
    stranger = client_of(people.stranger)
    missing = "00000000-0000-4000-8000-000000000000"
    for path in ("trades/{}/", "trades/{}/valuation/", "fills/{}/", "jobs/{}/", "accounts/{}/"):
        foreign = made if path.startswith("trades") else people.account.pk
        assert stranger.get(f"/api/v1/{path.format(foreign)}").status_code == 404
        assert stranger.get(f"/api/v1/{path.format(missing)}").status_code == 404
    body = order(people, legs=CONDOR)
    assert stranger.post("/api/v1/trades/", body).status_code == 404
    assert client_of(people.teammate).post("/api/v1/trades/", body).status_code == 404
    assert APIClient().get("/api/v1/trades/").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"fees": "-1"}, {"fees": "1e30"}, {"filled_at": "9999-12-31T00:00:00Z"}, {"filled_at": "soon"},
        {"filled_at": "2024-01-06T12:00:00-05:00"}, {"legs": []}, {"legs": "x"}, {"account": "x"},
        {"legs": [{"occ_symbol": "\x00", "quantity": 1, "price": "1"}]},
        {"legs": [{"occ_symbol": "SPXW  240216C04890000", "quantity": 10**30, "price": "1"}]},
        {"legs": [{"occ_symbol": "SPXW  240216C04890000", "quantity": 1, "price": "NaN"}]},
        {"reason": "\x00"}, {"order_text": "\U0001f600" * 50, "legs": None},
    ],
)  # fmt: skip
def test_absurd_input_is_400_and_leaves_nothing(
    client: APIClient, people: People, changes: dict[str, Any]
) -> None:
    answer = client.post("/api/v1/trades/", order(people, **{"legs": CONDOR, **changes}))
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"] or answer.json()["detail"]
    assert not Trade.objects.exists()


def test_an_account_can_be_created_and_used(client: APIClient) -> None:
    answer = client.post("/api/v1/accounts/", {"name": "New", "broker": "IBKR", "base_capital": "50000"})
    assert answer.status_code == 201, answer.json()
    assert Account.objects.get(pk=answer.json()["id"]).base_capital == 50_000


def test_the_schema_describes_every_route(client: APIClient) -> None:
    text = client.get("/api/schema/").content.decode()
    for path in ("/accounts/", "/trades/{id}/valuation/", "/hedge-layers/", "/market-data/", "/jobs/{id}/"):
        assert f"/api/v1{path}" in text
