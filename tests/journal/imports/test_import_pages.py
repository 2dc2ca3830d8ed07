"""The import wizard in the browser's words: upload, check, fix, record, undo; three users; API alike."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from journal.models import Fill, ImportBatch, ImportRow, Trade
from tests.importers.cases import BROKEN, HEADER, OPEN, SCHWAB, tasty
from tests.journal.people import People, answers, collapsed, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def client(people: People) -> Client:
    found = Client()
    found.force_login(people.owner)
    return found


def sent(client: Client, people: People, *lines: str) -> ImportBatch:
    text = "\n".join([HEADER, *lines]) + "\n"
    file = SimpleUploadedFile("history.csv", text.encode())
    answer = client.post("/imports/", {"account": people.account.pk, "file": file})
    assert answer.status_code == 302, answer.content
    return ImportBatch.objects.get(pk=answer["Location"].strip("/").split("/")[1])


def test_the_wizard_shows_counts_before_anything_is_written(client: Client, people: People) -> None:
    batch = sent(client, people, *OPEN, BROKEN)
    page = client.get(f"/imports/{batch.pk}/").content.decode()
    assert "Record 2 rows" in page
    assert "is not a number" in page
    assert BROKEN.split(",")[4] in page
    assert (batch.counts["new"], batch.counts["error"]) == (2, 1)
    assert Fill.objects.count() == 0


def test_an_error_row_is_fixed_in_place_and_keeps_its_identity(client: Client, people: People) -> None:
    batch = sent(client, people, *OPEN, BROKEN)
    row = batch.rows.get(status="error")
    url = f"/imports/{batch.pk}/row/?row={row.pk}"
    values = {
        "kind": "fill", "symbol": "SPXW251003P6600", "quantity": "-1", "price": "3", "fees": "1.77",
        "filled_at": "2025-10-03T10:05:36", "effect": "open", "order": "12",
    }  # fmt: skip
    bad = client.post(url, {**values, "symbol": "SPXW251004P6600"})
    assert bad.status_code == 400
    assert b"is not a trading day" in bad.content
    assert client.post(url, values).status_code == 302
    batch.refresh_from_db()
    assert (batch.counts["new"], batch.counts["error"]) == (3, 0)
    client.post(f"/imports/{batch.pk}/commit/", {"version": batch.version})
    assert Fill.objects.count() == 3
    again = sent(client, people, *OPEN, BROKEN)
    assert (again.counts["new"], again.counts["duplicate"]) == (0, 3)


def test_commit_twice_records_once_and_undo_restores(client: Client, people: People) -> None:
    batch = sent(client, people, *OPEN)
    for _ in range(2):
        client.post(f"/imports/{batch.pk}/commit/", {"version": batch.version})
    assert (Fill.objects.count(), Trade.objects.count()) == (2, 1)
    batch.refresh_from_db()
    client.post(f"/imports/{batch.pk}/undo/", {"version": batch.version})
    assert (Fill.objects.count(), Trade.objects.count()) == (0, 0)
    assert b"Undone" in client.get(f"/imports/{batch.pk}/").content


def test_a_stale_page_records_nothing(client: Client, people: People) -> None:
    batch = sent(client, people, *OPEN)
    client.post(f"/imports/{batch.pk}/commit/", {"version": batch.version + 1})
    assert Fill.objects.count() == 0


def test_pasted_text_is_read_like_a_file(client: Client, people: People) -> None:
    text = "\n".join([HEADER, *OPEN])
    answer = client.post("/imports/", {"account": people.account.pk, "text": text})
    assert answer.status_code == 302
    assert ImportBatch.objects.get().counts["new"] == 2


def test_an_unclear_encoding_is_asked_for_and_remembered_choices_read_the_file(
    client: Client, people: People
) -> None:
    data = "\n".join([HEADER, *OPEN, OPEN[0].replace("x", "caf\u00e9")]).encode("cp1252")
    client.post("/imports/", {"account": people.account.pk, "file": SimpleUploadedFile("a.csv", data)})
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.problem["ask"]) == ("refused", "encoding")
    assert b"not in UTF-8" in client.get(f"/imports/{batch.pk}/").content
    client.post(
        f"/imports/{batch.pk}/read/",
        {"version": batch.version, "zone": "America/New_York", "encoding": "cp1252", "broker": ""},
    )
    batch.refresh_from_db()
    assert (batch.state, batch.counts["new"]) == ("staged", 3)
    client.post("/imports/", {"account": people.account.pk, "file": SimpleUploadedFile("b.csv", data)})
    again = ImportBatch.objects.exclude(pk=batch.pk).get()
    assert (again.state, again.encoding) == ("staged", "cp1252")


def test_two_trades_are_merged_split_and_named_and_it_survives_another_import(
    client: Client, people: People
) -> None:
    calls = [
        tasty("2025-10-03", "10:09:00", "SELL_TO_OPEN", "C", 6800, "3.00", "13"),
        tasty("2025-10-03", "10:09:00", "BUY_TO_OPEN", "C", 6810, "2.00", "13"),
    ]
    batch = sent(client, people, *OPEN, *calls)
    client.post(f"/imports/{batch.pk}/commit/", {"version": batch.version})
    assert Trade.objects.count() == 2
    batch.refresh_from_db()
    anchors = [trade["anchor"] for trade in batch.plan["shown"]]
    client.post(f"/imports/{batch.pk}/groups/", {"do": "merge", "anchor": anchors})
    trade = Trade.objects.get()
    assert trade.kind == "condor"
    assert "iron condor" in trade.label
    merged = trade.pk
    client.post(
        f"/imports/{batch.pk}/groups/",
        {"one": min(anchors), "kind": "condor", "title": "My condor"},
    )
    batch.refresh_from_db()
    client.post(f"/imports/{batch.pk}/undo/", {"version": batch.version})
    assert Trade.objects.count() == 0
    again = sent(client, people, *OPEN, *calls)
    client.post(f"/imports/{again.pk}/commit/", {"version": again.version})
    trade = Trade.objects.get()
    assert (trade.kind, trade.fills.count(), trade.pk == merged) == ("condor", 4, False)
    assert trade.label == "My condor"
    keys = [f.external_id.partition("/")[0] for f in trade.fills.filter(contract__right="C")]
    client.post(f"/trades/{trade.pk}/chain/", {"do": "split", "key": keys})
    assert sorted(Trade.objects.values_list("kind", flat=True)) == ["other", "other"]


def test_a_roll_is_proposed_confirmed_and_adds_up(client: Client, people: People) -> None:
    lines = [
        *OPEN,
        tasty("2025-10-03", "12:00:00", "BUY_TO_CLOSE", "P", 6600, "5.00", "14"),
        tasty("2025-10-03", "12:00:00", "SELL_TO_CLOSE", "P", 6590, "3.00", "14"),
        tasty("2025-10-03", "12:00:00", "SELL_TO_OPEN", "P", 6580, "4.00", "14", expiry="251006"),
        tasty("2025-10-03", "12:00:00", "BUY_TO_OPEN", "P", 6570, "2.50", "14", expiry="251006"),
    ]
    batch = sent(client, people, *lines)
    assert batch.plan["roll_count"] == 1
    assert batch.plan["rolls"][0]["kind"] == "full_roll"
    client.post(f"/imports/{batch.pk}/commit/", {"version": batch.version})
    page = client.get(f"/imports/{batch.pk}/").content.decode()
    assert "Rolls to confirm" in page
    first, second = Trade.objects.order_by("opened_at")
    link = first.links_onward.get()
    client.post(f"/links/{link.pk}/", {"do": "confirm"})
    page = client.get(f"/trades/{second.pk}/chain/")
    chain = page.context["chain"]
    # credits 100 and 150; the close paid 200; four openings cost 1.77, two closings 0.77
    assert [step.cumulative_credit for step in chain.steps] == [Decimal(100), Decimal(250)]
    assert chain.cash == Decimal(100) - Decimal(200) + Decimal(150) - Decimal("8.62")
    assert chain.realized is None


@pytest.mark.parametrize(
    ("method", "path", "teammate"),
    [("get", "", 200), ("get", "row/", 403), ("post", "commit/", 403), ("post", "undo/", 403),
     ("post", "read/", 403), ("post", "groups/", 403), ("post", "release/", 403)],
)  # fmt: skip
def test_owner_teammate_and_stranger(
    method: str, path: str, teammate: int, client: Client, people: People
) -> None:
    batch = sent(client, people, *OPEN)
    found = answers(Client(), method, f"/imports/{batch.pk}/{path}", people)
    assert (found["teammate"], found["stranger"], found["nobody"]) == (teammate, 404, 302)


def test_the_api_uploads_fixes_commits_and_undoes(client: Client, people: People) -> None:
    text = "\n".join([HEADER, *OPEN, BROKEN])
    url = f"/api/v1/accounts/{people.account.pk}/imports/"
    made = client.post(url, {"file": SimpleUploadedFile("a.csv", text.encode())})
    assert made.status_code == 201
    body = made.json()
    assert (body["counts"]["new"], body["counts"]["error"], body["trades"]) == (2, 1, 1)
    (row,) = body["not_understood"]
    assert (row["line"], row["field"]) == (4, "Quantity")
    values = {"row": row["id"], "kind": "note", "version": body["version"]}
    fixed = client.post(f"/api/v1/imports/{body['id']}/fix/", values, content_type="application/json")
    assert fixed.json()["counts"]["error"] == 0
    version = fixed.json()["version"]
    stale = client.post(
        f"/api/v1/imports/{body['id']}/commit/", {"version": version - 1}, content_type="application/json"
    )
    assert stale.status_code == 409
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    for _ in range(2):
        path = f"/api/v1/imports/{body['id']}/commit/"
        done = client.post(path, {"version": version}, content_type="application/json", **key)
        assert done.json()["state"] == "committed"
    assert Fill.objects.count() == 2
    assert client.get(f"/api/v1/imports/{body['id']}/rows/?status=recorded").json()["count"] == 2
    undone = client.post(f"/api/v1/imports/{body['id']}/undo/", {}, content_type="application/json")
    assert (undone.json()["state"], Fill.objects.count()) == ("undone", 0)
    client.force_login(people.stranger)
    for path in ("", "rows/"):
        assert client.get(f"/api/v1/imports/{body['id']}/{path}").status_code == 404
    for path in ("commit/", "undo/", "fix/"):
        assert client.post(f"/api/v1/imports/{body['id']}/{path}").status_code in (400, 404)
    assert client.post(url, {"file": SimpleUploadedFile("a.csv", b"x")}).status_code == 404


def test_the_command_prints_broker_counts_trades_cash_and_rows_not_understood(
    people: People, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("\n".join([HEADER, *OPEN, BROKEN]))
    out = StringIO()
    call_command("import_broker", "Main", str(file), "--dry-run", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert (answer["broker"], answer["trades"], answer["cash"]) == ("tastytrade", 1, "96.46")  # 100 − 2×1.77
    assert answer["not_understood"][0]["line"] == 4
    assert (ImportBatch.objects.count(), ImportRow.objects.count(), Fill.objects.count()) == (0, 0, 0)
    out = StringIO()
    call_command("import_broker", str(people.account.pk), str(file), "--json", stdout=out)
    assert json.loads(out.getvalue())["counts"]["recorded"] == 2


def test_a_recorded_import_links_its_trades_and_a_review_ends_with_a_word(
    client: Client, people: People
) -> None:
    made = client.post(
        f"/api/v1/accounts/{people.account.pk}/imports/",
        {"file": SimpleUploadedFile("a.csv", SCHWAB.encode())},
    ).json()
    assert (made["reviews"], made["reconciliation"]["difference"]) == (1, "0.00")
    client.post(f"/imports/{made['id']}/commit/", {})
    trade = Trade.objects.get()
    page = client.get(f"/imports/{made['id']}/").content.decode()
    assert f"/trades/{trade.pk}/" in page
    assert "Confirm or change" in page
    listed = collapsed(client.get("/imports/").content.decode())
    assert '<td data-label="To review" class="num"> 1 </td>' in listed
    (shown,) = ImportBatch.objects.get().plan["shown"]
    client.post(f"/imports/{made['id']}/groups/", {"one": shown["anchor"], "kind": "other", "title": "Puts"})
    page = client.get(f"/imports/{made['id']}/").content.decode()
    assert "Confirm or change" not in page
    assert ">Puts</a>" in page
    listed = collapsed(client.get("/imports/").content.decode())
    assert '<td data-label="To review" class="num none"> 0 </td>' in listed
    client.post(f"/trades/{trade.pk}/chain/", {"do": "split", "key": [_key(trade, 7040)]})
    anchors = [one["anchor"] for one in ImportBatch.objects.get().plan["shown"]]
    assert len(anchors) == 2
    client.post(f"/imports/{made['id']}/groups/", {"do": "merge", "anchor": anchors})
    assert Trade.objects.count() == 1


def _key(trade: Trade, strike: int) -> str:
    fill = trade.fills.filter(contract__strike=strike).order_by("executed_at")[0]
    return str(fill.external_id.partition("/")[0])


def test_a_row_of_several_legs_is_mended_at_once(client: Client, people: People) -> None:
    from tests.importers.test_traps import ROLLED

    text = ROLLED.partition("\nAccount Trade History")[0].replace("VERT ROLL", "COMBO")
    made = client.post(
        f"/api/v1/accounts/{people.account.pk}/imports/", {"file": SimpleUploadedFile("a.csv", text.encode())}
    ).json()
    (row,) = made["not_understood"]
    url = f"/imports/{made['id']}/row/?row={row['id']}"
    values = {
        "kind": "fill", "symbol": ".SPXW260410P6600", "quantity": "1", "price": "4.00", "fees": "4.88",
        "filled_at": "2026-04-02T09:40:16", "effect": "close", "order": "1001",
        "more": ".SPXW260410P6590 -1 2.50 close\n\n.SPXW260417P6580 \N{MINUS SIGN}1 9 open\n"
        "SPXW 04/17/2026 6570.00 P +1 6.40",
    }  # fmt: skip
    bad = client.post(url, {**values, "more": "6590 puts"})
    assert (bad.status_code, b"is not symbol, quantity, price" in bad.content) == (400, True)
    twice = client.post(url, {**values, "more": ".SPXW260410P6600 1 2"})
    assert (twice.status_code, b"named twice" in twice.content) == (400, True)
    assert client.post(url, values).status_code == 302
    batch = ImportBatch.objects.get()
    assert (batch.counts["new"], batch.counts["error"]) == (1, 0)
    assert batch.plan["reconciliation"]["difference"] == "0.00"  # 250 − 400 + 900 − 640 − 4.88
    assert (
        ".SPXW" not in client.get(url).content.decode().partition("<textarea")[2].partition("</textarea")[0]
    )
    assert "SPXW  260410P06590000 -1 2.50 close" in client.get(url).content.decode()
    client.post(f"/imports/{batch.pk}/commit/", {"version": batch.version})
    assert Fill.objects.count() == 2  # the closing legs wait for their opening
