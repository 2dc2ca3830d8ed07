"""The data page: sources with their age, findings, runs with errors, fetching, upload and export."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hedging.engine.history.quality import Severity
from hedging.jobs.engine import job_run
from hedging.jobs.kinds import MARKET_FETCH, MARKET_LOAD
from hedging.models import DailyBar, IngestRun, Job, MarketSource, Quality, StagedFile, VXSettlement
from hedging.selectors.calendar import session_date
from hedging.selectors.health import health_parts
from hedging.selectors.quality import quality_findings
from hedging.services.market.load import MarketFileError, market_file_load
from hedging.services.market.retain import market_retain
from hedging.services.market.stage import files_stage
from hedging.tasks import market_quality
from journal.models import User
from tests.hedging.market.test_market_fetch import VIX, fetch_one, history, sources  # noqa: F401 - a fixture
from tests.journal.people import People, collapsed, people_with_operator

pytestmark = pytest.mark.django_db
PAGE = "/data/"


@pytest.fixture
def people() -> People:
    return people_with_operator()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_everybody_signed_in_sees_the_series_with_their_age(people: People) -> None:
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-02,13.3\n2024-01-03,14.0\n")
    for user in (people.owner, people.teammate, people.stranger):
        page = signed_in(user).get(PAGE).content.decode()
        assert "2024-01-03" in page
        assert "sessions behind" in page
    assert Client().get(PAGE).status_code == 302


def test_a_monthly_figure_is_not_stale_after_five_days(people: People) -> None:
    day = timezone.now().date().replace(day=1)
    last_month = (
        day.replace(year=day.year - 1, month=12) if day.month == 1 else day.replace(month=day.month - 1)
    )
    market_file_load(name="x.csv", data=f"observation_date,CPIAUCSL\n{last_month},320.1\n".encode())
    assert "stale</span>" not in signed_in(people.owner).get(PAGE).content.decode()


def test_filters_are_in_the_address(people: People) -> None:
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-02,13.3\n")
    market_file_load(name="skew.csv", data=b"date,close\n2024-01-02,133\n")
    page = signed_in(people.owner).get(PAGE + "?q=ske").content.decode()
    assert 'data-label="Series">SKEW<' in page
    assert 'data-label="Series">VIX<' not in page
    assert "No stored series matches" in signed_in(people.owner).get(PAGE + "?q=zzz").content.decode()


def test_a_failed_source_shows_its_reason_and_the_old_numbers_stay_with_their_age(
    people: People,
    sources: Any,  # noqa: F811 - the fixture
) -> None:
    from tests.hedging.market.source_server import Reply

    sources.answer(VIX, Reply(history(5)))
    fetch_one("cboe_history/VIX")
    sources.answer(VIX, Reply(b"<html>", kind="text/html"))
    fetch_one("cboe_history/VIX")
    client = signed_in(people.owner)
    page = client.get(PAGE)
    assert page.status_code == 200
    text = page.content.decode()
    assert "sent text/html, not text/csv" in text
    assert "failed 1×" in text
    assert "not loaded" in text
    assert "2024-01-08" in text
    market = client.get("/market/")
    assert market.status_code == 200
    assert "2024-01-08" in market.content.decode()
    assert "stale" in market.content.decode()
    parts = {part.name: part for part in health_parts(now=timezone.now())}
    assert parts["sources"].ok is None
    assert "1 of 1 files failed" in parts["sources"].detail
    assert Client().get("/health/").json()["parts"]["sources"]["detail"].startswith("1 of 1")


def test_fetch_now_is_off_unless_switched_on(people: People, settings: Any) -> None:
    client = signed_in(people.owner)
    assert "switched off" in client.get(PAGE).content.decode()
    assert "switched off" in client.post(reverse("journal:data_fetch"), follow=True).content.decode()
    assert not Job.objects.filter(kind=MARKET_FETCH).exists()
    settings.MARKET_FETCH = True
    assert "Fetch all now" in client.get(PAGE).content.decode()


def test_files_of_the_past_are_summed_up_and_only_failures_listed(people: People) -> None:
    came = {"success_at": timezone.now()}
    for day, more in (("16", came), ("17", {}), ("18", {"error": "answered 503", "failures": 2})):
        MarketSource.objects.create(
            key=f"cfe_archive/2013-01-{day}", provider="cfe_archive", group="history", url="x", **more
        )
    text = signed_in(people.owner).get(PAGE).content.decode()
    assert "Of 3 files of settled VX contracts 1 are loaded" in text
    assert "cfe_archive/2013-01-18" in text
    assert "answered 503" in text
    assert "cfe_archive/2013-01-16" not in text


def test_a_double_press_is_one_round_and_only_who_asked_may_cancel_it(people: People, settings: Any) -> None:
    settings.MARKET_FETCH = True
    owner = signed_in(people.owner)
    for _ in range(2):
        assert owner.post(reverse("journal:data_fetch"), {"group": "quotes"}).status_code == 302
    job = Job.objects.filter(kind=MARKET_FETCH).first()
    assert job is not None
    assert Job.objects.filter(kind=MARKET_FETCH).count() <= 2  # the minute may have turned
    stranger = signed_in(people.stranger)
    assert "Fetching" in stranger.get(PAGE).content.decode()
    assert stranger.get(reverse("journal:job_fragment", args=[job.pk])).status_code == 200
    assert stranger.post(reverse("journal:job_cancel", args=[job.pk])).status_code == 404
    assert owner.post(reverse("journal:job_cancel", args=[job.pk])).status_code == 302
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert owner.post(reverse("journal:data_fetch"), {"group": "everything"}).status_code == 404


def test_a_series_is_exported_as_it_is_stored(people: People) -> None:
    market_file_load(name="vix.csv", data=b"date,open,high,low,close\n2024-01-02,13,14,12,13.3\n")
    VXSettlement.objects.create(
        source="=cfe", date=date(2024, 1, 2), expiry=date(2024, 1, 17), settle="14.5", quality="eod"
    )
    client = signed_in(people.stranger)
    answer = client.get(reverse("journal:data_csv"), {"symbol": "VIX"})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))  # type: ignore[attr-defined]
    assert [(row["date"], float(row["close"]), row["source"]) for row in rows] == [
        ("2024-01-02", 13.3, "file")
    ]
    vx = client.get(reverse("journal:data_csv"), {"symbol": "VX"}).getvalue().decode()  # type: ignore[attr-defined]
    assert "'=cfe" in vx
    assert client.get(reverse("journal:data_csv"), {"symbol": "NOPE"}).status_code == 404
    listed = client.get(reverse("journal:data_csv")).getvalue().decode()  # type: ignore[attr-defined]
    assert "VIX,2024-01-02,2024-01-02,1," in listed


def test_a_symbol_is_a_name_and_no_formula(people: People) -> None:
    data = io.BytesIO(b"date,close\n2024-01-02,1\n")
    data.name = "x.csv"
    answer = signed_in(people.owner).post(reverse("journal:data_upload"), {"file": data, "symbol": "=1+1"})
    assert answer.status_code == 400
    assert "is not a symbol" in answer.content.decode()


BAD = b"""date,close
2024-01-02,13.3
2024-01-03,14.0
2024-01-05,950
2024-01-08,13.0
"""


def test_findings_name_gaps_impossible_values_and_disagreeing_sources(people: People) -> None:
    market_file_load(name="vix.csv", data=BAD)
    market_file_load(name="VIX_History.csv", data=b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2024,15,16,14,15.3\n")
    now = datetime(2024, 1, 9, 22, tzinfo=UTC)
    found = {(f.kind, f.series): f for f in quality_findings(now=now)}
    gap, out = found["gap", "VIX"], found["range", "VIX"]
    assert (gap.count, gap.days) == (1, (date(2024, 1, 4),))
    assert (out.severity, out.days) == (Severity.ERROR, (date(2024, 1, 5),))
    assert found["duplicate", "VIX"].days == (date(2024, 1, 2),)
    assert found["jump", "VIX"].count >= 1
    assert ("stale", "VIX") not in found
    later = {(f.kind, f.series) for f in quality_findings(now=datetime(2024, 1, 19, 22, tzinfo=UTC))}
    assert ("stale", "VIX") in later
    client = signed_in(people.teammate)
    assert "outside 5 to 200" in client.get(reverse("journal:data_quality")).content.decode()
    fragment = client.get(reverse("journal:data_quality"), headers={"hx-request": "true"}).content.decode()
    assert "<html" not in fragment


def test_a_placeholder_settlement_is_no_price() -> None:
    run = market_file_load(
        name="vx.csv", data=b"date,expiry,settle\n2008-04-21,2009-01-21,1.0\n2008-04-21,2008-05-21,21.92\n"
    )
    assert (run.rows_new, run.rows_dropped) == (1, 1)


def test_pages_live_without_any_market_data(people: People) -> None:
    assert not DailyBar.objects.exists()
    client = signed_in(people.owner)
    assert "Nothing is loaded yet" in client.get(PAGE).content.decode()
    assert "Nothing found" in client.get(reverse("journal:data_quality")).content.decode()
    assert client.get("/market/").status_code == 200
    assert not MarketSource.objects.exists()
    assert not IngestRun.objects.exists()


def test_health_tells_the_age_of_real_data_and_what_the_last_look_found(people: People) -> None:
    def parts() -> dict[str, Any]:
        found: dict[str, Any] = Client().get("/health/").json()["parts"]
        return found

    cache.delete("market:quality-told")
    assert parts()["data"]["detail"] == "no market data loaded"
    assert parts()["quality"] == {"ok": None, "detail": "not looked at lately"}
    today = session_date(timezone.now())
    DailyBar.objects.create(
        source="sim", symbol="VIX", date=today, close=Decimal(15), quality=Quality.SIMULATED
    )
    assert parts()["data"]["detail"] == f"simulated only, newest from {today} (0 days old)"
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-02,13.2\n2024-01-04,1e5\n")
    age = (today - date(2024, 1, 4)).days
    assert parts()["data"] == {"ok": None, "detail": f"newest from 2024-01-04 ({age} days old, stale)"}
    market_quality()
    told = parts()["quality"]
    assert told["ok"] is None
    assert "1 stale" in told["detail"]
    assert "1 errors" in told["detail"], "a VIX of 100,000 is impossible"


def files(*named: tuple[str, bytes]) -> dict[str, Any]:
    return {"file": [SimpleUploadedFile(name, data) for name, data in named]}


HISTORY = (
    ("cpi.csv", b"observation_date,CPIAUCSL\n2024-01-01,309.685\n"),
    ("broken.csv", b"date,close\n2024-01-02,thirteen\n"),
    ("macro_events.csv", b"date,event,detail,ref_period,time_et\n2024-02-13,cpi,CPI,January 2024,08:30\n"),
    ("vix.csv", b"date,close\n2024-01-02,13.2\n2024-01-03,14.04\n"),
)  # fmt: skip


def test_several_files_are_loaded_by_a_worker_calendars_first_and_told_one_by_one(people: People) -> None:
    owner = signed_in(people.owner)
    for _ in range(2):  # a double press
        assert owner.post(reverse("journal:data_upload"), files(*HISTORY)).status_code == 302
    jobs = Job.objects.filter(kind=MARKET_LOAD)
    assert jobs.count() <= 2  # the minute may have turned
    job = jobs.order_by("created_at")[0]
    assert not DailyBar.objects.exists(), "nothing happens in the request"
    assert "Loading files" in owner.get(PAGE).content.decode()
    for one in jobs:
        assert job_run(one.pk) == Job.State.DONE
    assert not StagedFile.objects.exists()
    job.refresh_from_db()
    assert (job.result["files"], job.result["new"]) == (4, 4)
    assert job.result["failed"] == ["broken.csv: line 2, column close: 'thirteen' is not a number"]
    cpi = DailyBar.objects.get(symbol="CPIAUCSL")
    assert cpi.published_at == datetime(2024, 2, 13, 13, 30, tzinfo=UTC), "the calendar came first"
    text = owner.get(PAGE).content.decode()
    assert "4 files, 4 new rows" in collapsed(text)
    assert "1 file failed" in text
    assert IngestRun.objects.filter(name="broken.csv").exclude(error="").count() == jobs.count()
    stranger = signed_in(people.stranger)
    assert stranger.post(reverse("journal:job_cancel", args=[job.pk])).status_code == 404


def test_a_lost_worker_goes_on_where_it_was_and_a_cancel_keeps_what_came(people: People) -> None:
    job = files_stage(files=HISTORY, loaded_by="owner", requested_by=str(people.owner.public_id))
    first = StagedFile.objects.order_by("pk")[0]
    assert first.name == "macro_events.csv"
    first.delete()  # as if it had been loaded before
    assert job_run(job.pk) == Job.State.DONE
    assert DailyBar.objects.filter(symbol="VIX").count() == 2
    later = files_stage(files=HISTORY[:2], loaded_by="owner", requested_by="")
    Job.objects.filter(pk=later.pk).update(state=Job.State.CANCELLED)
    market_retain(now=timezone.now())
    assert StagedFile.objects.count() == 2
    market_retain(now=timezone.now() + timedelta(days=2))
    assert not StagedFile.objects.exists()


def test_too_many_files_or_a_symbol_for_several_are_refused(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = signed_in(people.owner)
    sent = files(*HISTORY[:2]) | {"symbol": "VIX"}
    answer = owner.post(reverse("journal:data_upload"), sent, follow=True)
    assert "A symbol names one file" in answer.content.decode()
    monkeypatch.setattr("journal.views.market.data.MOST_BYTES", 10)
    answer = owner.post(reverse("journal:data_upload"), files(*HISTORY))
    assert answer.status_code == 400
    assert "4 files" in answer.content.decode()
    with pytest.raises(MarketFileError, match="at most 100"):
        files_stage(files=HISTORY * 26, loaded_by="", requested_by="")
    assert not StagedFile.objects.exists()
    assert not Job.objects.filter(kind=MARKET_LOAD).exists()
