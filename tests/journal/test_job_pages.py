"""Report and job pages: what they show, and who may open them."""

from __future__ import annotations

import uuid
from base64 import b64encode
from datetime import date
from hashlib import sha256

import pytest
from django.test import Client
from django.urls import reverse

from hedging.jobs import engine as jobs
from hedging.models import Job
from journal.job_kinds import RENDER_REPORT
from journal.models import Report
from journal.services.reports.jobs import report_request
from tests.journal.people import People, make_people, open_condor

pytestmark = pytest.mark.django_db
PERIOD = {"date_from": date(2026, 11, 1), "date_to": date(2026, 11, 20)}


@pytest.fixture
def people() -> People:
    found = make_people()
    open_condor(found)
    return found


def asked(people: People, form: str = "html") -> Job:
    return report_request(user=people.owner, account=people.account, format=form, **PERIOD)


def stored(people: People, form: str = "html") -> Report:
    job = asked(people, form)
    jobs.job_run(job.pk)
    return Report.objects.get(job_id=job.pk)


def statuses(client: Client, people: People, url: str, method: str = "get") -> dict[str, int]:
    found = {}
    for name in ("owner", "teammate", "stranger"):
        client.force_login(getattr(people, name))
        found[name] = getattr(client, method)(url).status_code
    client.logout()
    found["nobody"] = getattr(client, method)(url).status_code
    return found


def posted(people: People, **values: str) -> dict[str, str]:
    return {
        "account": str(people.account.pk), "date_from": "2026-11-01", "date_to": "2026-11-20",
        "format": "pdf", "token": "a-token", **values,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["report_view", "report_download"])
@pytest.mark.parametrize("form", ["html", "pdf", "csv"])
def test_only_members_open_a_report(client: Client, people: People, name: str, form: str) -> None:
    url = reverse(f"journal:{name}", args=[stored(people, form).pk])
    found = statuses(client, people, url)
    assert found == {"owner": 200, "teammate": 200, "stranger": 404, "nobody": 302}


def test_a_foreign_and_a_missing_report_answer_alike(client: Client, people: People) -> None:
    theirs = reverse("journal:report_view", args=[stored(people).pk])
    missing = reverse("journal:report_view", args=[uuid.uuid4()])
    client.force_login(people.stranger)
    assert client.get(theirs).status_code == client.get(missing).status_code == 404


def test_stored_bytes_come_with_safe_headers(client: Client, people: People) -> None:
    report = stored(people)
    client.force_login(people.teammate)
    shown = client.get(reverse("journal:report_view", args=[report.pk]))
    policy = shown["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    style = bytes(report.content).partition(b"<style>")[2].partition(b"</style>")[0]
    assert f"style-src 'sha256-{b64encode(sha256(style).digest()).decode()}';" in policy
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Disposition"] == f'inline; filename="{report.filename}"'
    loaded = client.get(reverse("journal:report_download", args=[report.pk]))
    assert loaded["Content-Disposition"] == f'attachment; filename="{report.filename}"'
    assert loaded.content == shown.content == bytes(report.content)
    pdf = client.get(reverse("journal:report_view", args=[stored(people, "pdf").pk]))
    assert "sandbox" not in pdf["Content-Security-Policy"]
    assert pdf["Content-Type"] == "application/pdf"
    bundle = client.get(reverse("journal:report_view", args=[stored(people, "csv").pk]))
    assert bundle["Content-Disposition"].startswith("attachment")


def test_a_job_is_seen_by_members_and_steered_by_who_asked_or_writes(client: Client, people: People) -> None:
    job = asked(people)
    assert statuses(client, people, reverse("journal:job_fragment", args=[job.pk])) == {
        "owner": 200, "teammate": 200, "stranger": 404, "nobody": 302,
    }  # fmt: skip
    for name in ("job_cancel", "job_retry"):
        found = statuses(client, people, reverse(f"journal:{name}", args=[job.pk]), "post")
        assert found == {"owner": 302, "teammate": 404, "stranger": 404, "nobody": 302}
        client.force_login(people.owner)
        assert client.get(reverse(f"journal:{name}", args=[job.pk])).status_code == 405
    mine = report_request(user=people.teammate, account=people.account, format="pdf", **PERIOD)
    client.force_login(people.teammate)
    client.post(reverse("journal:job_cancel", args=[mine.pk]))
    mine.refresh_from_db()
    assert mine.state == Job.State.CANCELLED


@pytest.mark.parametrize(
    "scope", ["weather", "account:", "account:not-a-uuid", "account:" + str(uuid.UUID(int=7))]
)
def test_jobs_about_nothing_of_ours_are_404(client: Client, people: People, scope: str) -> None:
    job, _ = jobs.job_request(kind=RENDER_REPORT, scope=scope, input_revision=uuid.uuid4().hex)
    assert statuses(client, people, reverse("journal:job_fragment", args=[job.pk]))["owner"] == 404


def test_the_fragment_follows_the_job_to_its_report(client: Client, people: People) -> None:
    job = asked(people)
    url = reverse("journal:job_fragment", args=[job.pk])
    client.force_login(people.owner)
    waiting = client.get(url).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    assert "waiting for a worker" in waiting
    assert reverse("journal:job_cancel", args=[job.pk]) in waiting
    jobs.job_claim(job.pk)
    Job.objects.filter(pk=job.pk).update(phase="typesetting", progress=70, progress_total=100)
    running = client.get(url).content.decode()
    assert "typesetting" in running
    assert 'value="70"' in running
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, lease_token=None)
    jobs.job_run(job.pk)
    done = client.get(url).content.decode()
    report = Report.objects.get()
    assert "hx-get" not in done
    for name in ("report_view", "report_download"):
        assert reverse(f"journal:{name}", args=[report.pk]) in done


def test_cancel_and_retry_by_htmx_answer_with_the_fragment(client: Client, people: People) -> None:
    job = asked(people)
    client.force_login(people.owner)
    headers = {"HX-Request": "true"}
    cancelled = client.post(reverse("journal:job_cancel", args=[job.pk]), headers=headers).content.decode()
    assert "cancelled" in cancelled
    assert reverse("journal:job_retry", args=[job.pk]) in cancelled
    again = client.post(reverse("journal:job_retry", args=[job.pk]), headers=headers).content.decode()
    assert "waiting for a worker" in again
    assert "hx-get" in again


def test_a_dead_job_offers_retry_and_a_reference(client: Client, people: People) -> None:
    job = asked(people)
    Job.objects.filter(pk=job.pk).update(state=Job.State.DEAD, error=jobs.WORKER_LOST)
    client.force_login(people.owner)
    page = client.get(reverse("journal:reports")).content.decode()
    assert jobs.WORKER_LOST in page
    assert reverse("journal:job_retry", args=[job.pk]) in page
    assert f"Reference {job.pk}" in page
    client.force_login(people.teammate)
    page = client.get(reverse("journal:reports")).content.decode()
    assert reverse("journal:job_retry", args=[job.pk]) not in page


def test_redirects_go_back_to_this_site_only(client: Client, people: People) -> None:
    job = asked(people)
    client.force_login(people.owner)
    url = reverse("journal:job_cancel", args=[job.pk])
    here = client.post(url, headers={"referer": "http://testserver/reports/?account=1"})
    assert here["Location"] == "http://testserver/reports/?account=1"
    elsewhere = client.post(url, headers={"referer": "https://evil.example/"})
    assert elsewhere["Location"] == reverse("journal:reports")


def test_asking_twice_with_one_form_is_one_job(client: Client, people: People) -> None:
    client.force_login(people.owner)
    for _ in range(2):
        answer = client.post(reverse("journal:reports"), posted(people))
        assert answer.status_code == 302
    assert Job.objects.filter(kind=RENDER_REPORT).count() == 1
    page = client.get(answer["Location"]).content.decode()
    assert "PDF report, 2026-11-01 to 2026-11-20" in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"date_from": "2026-12-01"}, "ends before it starts"),
        ({"date_from": "soon"}, "Enter a valid date"),
        ({"format": "exe"}, "Select a valid choice"),
        ({"account": str(uuid.UUID(int=7))}, "Select a valid choice"),
    ],
)
def test_refusals_stand_beside_their_input(client: Client, people: People, values, words: str) -> None:
    client.force_login(people.owner)
    answer = client.post(reverse("journal:reports"), posted(people, **values))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Job.objects.filter(kind=RENDER_REPORT).exists()


def test_nobody_asks_about_a_foreign_account(client: Client, people: People) -> None:
    client.force_login(people.stranger)
    answer = client.post(reverse("journal:reports"), posted(people))
    assert answer.status_code == 400
    assert not Job.objects.filter(kind=RENDER_REPORT).exists()
    page = client.get(reverse("journal:reports") + f"?account={people.account.pk}").content.decode()
    assert "Stored reports of Elsewhere" in page
    assert str(people.account.pk) not in page


def test_the_list_shows_reports_presets_and_says_when_there_is_none(client: Client, people: People) -> None:
    client.force_login(people.owner)
    url = reverse("journal:reports")
    empty = client.get(url, {"period": "month"}).content.decode()
    assert "None yet" in empty
    assert "Since the first fill" in empty
    report = stored(people)
    page = client.get(url).content.decode()
    assert report.sha256[:12] in page
    assert reverse("journal:report_download", args=[report.pk]) in page
    for hostile in ({"account": "x"}, {"period": "x"}, {"page": "999999999999999999999"}):
        assert client.get(url, hostile).status_code == 200


def test_the_list_takes_as_many_queries_for_many_reports(
    client: Client, people: People, django_assert_max_num_queries
) -> None:
    for _ in range(6):
        asked(people)
        stored(people)
    client.force_login(people.owner)
    with django_assert_max_num_queries(34):
        client.get(reverse("journal:reports"))
