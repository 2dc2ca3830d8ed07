"""Asking for reports and what becomes of the job: one a token, cancel, retry, stored once."""

from __future__ import annotations

import hashlib
from datetime import date
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pypdf
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import override_settings

from hedging.jobs import engine as jobs
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import RENDER_REPORT
from journal.models import AuditEvent, Report
from journal.reports import render as rendering
from journal.selectors.reports import report_jobs
from journal.services.reports.jobs import (
    DamagedReportError,
    report_content,
    report_filename,
    report_request,
)
from tests.journal.people import People, make_account, make_people, open_condor

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 20)


@pytest.fixture
def people() -> People:
    found = make_people()
    open_condor(found)
    return found


def ask(people: People, **values: object) -> Job:
    given = {"format": "pdf", "date_from": FIRST, "date_to": LAST, **values}
    return report_request(user=people.owner, account=people.account, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "start"), [("pdf", b"%PDF-"), ("html", b"<!doctype html>"), ("csv", b"PK"), ("xlsx", b"PK")]
)
def test_a_worker_renders_and_stores_each_format(people: People, form: str, start: bytes) -> None:
    job = ask(people, format=form)
    assert jobs.job_run(job.pk) == Job.State.DONE
    job.refresh_from_db()
    stored = Report.objects.get(pk=job.result["report_id"])
    content = report_content(stored)
    assert content.startswith(start)
    assert stored.sha256 == hashlib.sha256(content).hexdigest() == job.result["sha256"]
    assert (stored.requested_by, stored.account, stored.format) == (people.owner, people.account, form)
    assert stored.filename == f"main-2026-11-01-2026-11-20.{'zip' if form == 'csv' else form}"
    assert (stored.date_from, stored.date_to) == (FIRST, LAST)
    assert report_jobs(people.account) == []


def test_one_token_is_one_job_and_no_token_is_a_new_one(people: People) -> None:
    first, again = ask(people, token="t1"), ask(people, token="t1")
    assert first.pk == again.pk
    assert ask(people, token="t2").pk != first.pk
    assert ask(people, token="t1", format="csv").pk != first.pk
    assert ask(people).pk != ask(people).pk
    other = report_request(
        user=people.teammate, account=people.account, format="pdf", date_from=FIRST, date_to=LAST, token="t1"
    )
    assert other.pk != first.pk
    assert AuditEvent.objects.filter(action="report.request").count() == 6


def test_a_very_long_token_is_no_trouble(people: People) -> None:
    assert ask(people, token="x" * 5000).pk == ask(people, token="x" * 5000).pk


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"format": "exe"}, "format"),
        ({"date_from": LAST, "date_to": FIRST}, "date_to"),
        ({"date_from": date(1900, 1, 1)}, "date_from"),
        ({"date_to": date(9999, 12, 31)}, "date_to"),
    ],
)
def test_impossible_requests_are_refused(people: People, values: dict[str, object], field: str) -> None:
    with pytest.raises(RuleError) as caught:
        ask(people, **values)
    assert caught.value.field == field
    assert not Job.objects.filter(kind=RENDER_REPORT).exists()


def test_phases_are_shown_in_order(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    inner = jobs.JobContext.progress

    def watch(self: jobs.JobContext, done: int, total: int, phase: str = "") -> None:
        if phase not in seen[-1:]:
            seen.append(phase)
        inner(self, done, total, phase)

    monkeypatch.setattr(jobs.JobContext, "progress", watch)
    jobs.job_run(ask(people).pk)
    assert seen == [
        "reading the book", "reading the market", "valuing positions", "drawing charts", "typesetting",
        "storing",
    ]  # fmt: skip


@pytest.mark.parametrize("phase", ["valuing positions", "typesetting", "storing"])
def test_cancel_stops_at_the_next_phase_and_retry_finishes(
    people: People, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    job = ask(people)
    inner = jobs.JobContext.progress

    def cancelled_before(self: jobs.JobContext, done: int, total: int, name: str = "") -> None:
        if name == phase:
            jobs.job_cancel(job=job)
        inner(self, done, total, name)

    with monkeypatch.context() as patched:
        patched.setattr(jobs.JobContext, "progress", cancelled_before)
        assert jobs.job_run(job.pk) == Job.State.CANCELLED
    assert not Report.objects.exists()
    assert jobs.job_retry(job=job).state == Job.State.QUEUED
    assert jobs.job_run(job.pk) == Job.State.DONE
    assert Report.objects.count() == 1


def test_a_failed_report_says_so_and_can_be_retried(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("typesetter fell over")

    job = ask(people)
    with monkeypatch.context() as patched:
        patched.setitem(rendering._PRINTED, "pdf", ("typesetting", broken))
        assert jobs.job_run(job.pk) == Job.State.QUEUED
        Job.objects.filter(pk=job.pk).update(due_at=job.due_at)
        assert jobs.job_run(job.pk) == Job.State.DEAD
    job.refresh_from_db()
    assert "Something went wrong" in job.error
    assert "typesetter" not in job.error
    assert report_jobs(people.account) == [job]
    jobs.job_retry(job=job)
    assert jobs.job_run(job.pk) == Job.State.DONE


def test_a_retry_renders_the_moment_that_was_asked_for(people: People) -> None:
    job = ask(people)
    asked_for = job.payload["as_of"]
    jobs.job_cancel(job=job)
    jobs.job_retry(job=job)
    jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.payload["as_of"] == asked_for


def test_damaged_bytes_are_not_handed_out(people: People) -> None:
    job = ask(people, format="html")
    jobs.job_run(job.pk)
    report = Report.objects.get()
    report.content = b"what a failing disk might answer"
    with pytest.raises(DamagedReportError):
        report_content(report)


def test_file_names_are_plain_whatever_the_account_is_called(people: People) -> None:
    from journal.services.reports.jobs import ReportOrder

    order = ReportOrder.read(ask(people).payload)
    for name, expected in (('Ünï "çödé"\r\nX: y', "uni-code-x-y"), ("口座", "account"), ("a/../b", "a-b")):
        people.account.name = name
        assert report_filename(people.account, order) == f"{expected}-2026-11-01-2026-11-20.pdf"


@pytest.mark.parametrize("form", ["pdf", "html", "csv"])
def test_the_command_writes_the_same_report(people: People, tmp_path: Path, form: str) -> None:
    out, errors, said = tmp_path / f"report.{form}", StringIO(), StringIO()
    call_command(
        "report", str(people.account.pk), "--from", "2026-11-01", "--to", "2026-11-20", "--format", form,
        "--out", str(out), stdout=said, stderr=errors,
    )  # fmt: skip
    content = out.read_bytes()
    if form == "pdf":
        assert "Main" in pypdf.PdfReader(out).pages[0].extract_text()
    elif form == "csv":
        assert content.decode("utf-8-sig").startswith("summary\r\nfigure,value")
    assert "100% done" in errors.getvalue()
    assert f"{len(content):,} bytes" in said.getvalue()


def test_the_command_names_what_is_wrong(people: People, tmp_path: Path) -> None:
    def run(account: str, last: str, out: Path) -> None:
        call_command("report", account, "--from", "2026-11-01", "--to", last, "--out", str(out))

    with pytest.raises(CommandError, match="no account is named"):
        run("Nobody", "2026-11-20", tmp_path / "x.pdf")
    with pytest.raises(CommandError, match="ends before it starts"):
        run("Main", "2026-10-01", tmp_path / "x.pdf")
    with pytest.raises(CommandError, match="cannot be written"):
        run("Main", "2026-11-20", tmp_path / "absent" / "x.pdf")


def test_the_command_finds_an_account_as_its_files_name_it(people: People, tmp_path: Path) -> None:
    def run(account: str) -> str:
        errors = StringIO()
        call_command(
            "report", account, "--from", "2026-11-01", "--to", "2026-11-20", "--format", "csv",
            "--out", str(tmp_path / "x.zip"), "--force-color", stdout=StringIO(), stderr=errors,
        )  # fmt: skip
        return errors.getvalue()

    people.account.name = "Main, Schwab"
    people.account.save(update_fields=["name"])
    bar = run("main-schwab")
    assert "100% done" in bar
    assert "\x1b" not in bar  # progress is no error, and not in its colour
    make_account(people.owner, name="Main: Schwab")
    with pytest.raises(CommandError, match="several accounts are named 'main-schwab'"):
        run("main-schwab")
    assert "100% done" in run("Main: Schwab")


@override_settings(JOB_MAX_ATTEMPTS=9)
def test_reports_are_tried_twice_before_people_are_asked(people: People) -> None:
    assert ask(people).max_attempts == 2


@pytest.mark.parametrize("values", [{"content": b"other"}, {"sha256": "0" * 64}, {"filename": "other.pdf"}])
def test_the_database_refuses_to_change_a_stored_report(people: People, values: dict[str, object]) -> None:
    report = Report.objects.create(
        account=people.account, job_id=uuid4(), format="csv", date_from=FIRST, date_to=LAST,
        filename="r.csv", content=b"a", sha256=hashlib.sha256(b"a").hexdigest(),
        requested_by=people.owner,
    )  # fmt: skip
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(**values)
    assert Report.objects.filter(pk=report.pk).update(requested_by=None) == 1
