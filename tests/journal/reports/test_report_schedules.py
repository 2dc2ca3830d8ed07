"""Scheduled reports: once a period whatever restarts, to members only, by e-mail as file or link."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from hedging.jobs.engine import job_run
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import MAIL_REPORT, RENDER_REPORT
from journal.models import AuditEvent, Membership, Report, ReportSchedule
from journal.services.reports import schedules as report_schedules
from journal.services.reports.schedules import period_end, period_of, reports_due, schedule_add, schedule_stop
from tests.journal.people import People, answers, make_people, open_condor

pytestmark = pytest.mark.django_db
NOON = timedelta(hours=17)


@pytest.fixture
def people() -> People:
    return make_people()


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + NOON


def weekly(people: People, **values: str) -> ReportSchedule:
    """A schedule whose running period began on Monday 2 November 2026."""
    given = {"every": "week", "format": "csv", **values}
    schedule = schedule_add(user=people.owner, account=people.account, **given)
    ReportSchedule.objects.filter(pk=schedule.pk).update(done_until=date(2026, 11, 1))
    schedule.refresh_from_db()
    return schedule


def run(kind: str) -> list[Job]:
    jobs = list(Job.objects.filter(kind=kind, state=Job.State.QUEUED))
    for job in jobs:
        job_run(job.pk)
        job.refresh_from_db()
    return jobs


def renders() -> list[Job]:
    return list(Job.objects.filter(kind=RENDER_REPORT).order_by("as_of"))


@pytest.mark.parametrize(
    ("every", "day", "last", "first"),
    [
        ("week", date(2026, 11, 9), date(2026, 11, 8), date(2026, 11, 2)),
        ("week", date(2026, 11, 8), date(2026, 11, 1), date(2026, 10, 26)),
        ("week", date(2027, 1, 1), date(2026, 12, 27), date(2026, 12, 21)),
        ("month", date(2026, 3, 1), date(2026, 2, 28), date(2026, 2, 1)),
        ("month", date(2028, 3, 31), date(2028, 2, 29), date(2028, 2, 1)),
        ("month", date(2027, 1, 5), date(2026, 12, 31), date(2026, 12, 1)),
    ],
)
def test_periods_are_over_before_they_are_reported(every: str, day: date, last: date, first: date) -> None:
    assert period_end(every, day) == last
    assert period_of(every, last) == (first, last)


@pytest.mark.parametrize("every", ["week", "month"])
def test_periods_follow_each_other_without_gap(every: str) -> None:
    last = period_end(every, date(2026, 1, 7))
    for _ in range(60):
        after = report_schedules._next_end(every, last)
        assert period_of(every, after)[0] == last + timedelta(days=1)
        last = after


def test_a_period_is_asked_for_once_however_often_the_clock_ticks(people: People) -> None:
    weekly(people)
    assert reports_due(now=at(date(2026, 11, 8))) == 0
    assert reports_due(now=at(date(2026, 11, 9))) == 1
    assert reports_due(now=at(date(2026, 11, 9))) == 0
    assert [job.as_of for job in renders()] == ["2026-11-02/2026-11-08"]


def test_two_schedulers_with_the_same_stale_view_make_one_job(people: People) -> None:
    stale = weekly(people)
    assert report_schedules._ask(stale, date(2026, 11, 8), at(date(2026, 11, 9)))
    assert not report_schedules._ask(stale, date(2026, 11, 8), at(date(2026, 11, 10)))
    assert len(renders()) == 1


def test_a_scheduler_that_stood_still_catches_up_but_not_for_years(people: People) -> None:
    schedule = weekly(people)
    assert reports_due(now=at(date(2026, 11, 23))) == 3
    ReportSchedule.objects.filter(pk=schedule.pk).update(done_until=date(2020, 1, 5))
    assert reports_due(now=at(date(2027, 11, 23))) == 6
    assert reports_due(now=at(date(2027, 11, 23))) == 0


def test_new_york_decides_when_a_day_is_over(people: People) -> None:
    weekly(people)
    assert reports_due(now=datetime(2026, 11, 9, 3, tzinfo=UTC)) == 0
    assert reports_due(now=datetime(2026, 11, 9, 6, tzinfo=UTC)) == 1


def test_the_report_is_stored_and_the_file_sent_once(people: People) -> None:
    open_condor(people)
    weekly(people, send="attachment", email="me@example.org")
    reports_due(now=at(date(2026, 11, 9)))
    run(RENDER_REPORT)
    report = Report.objects.get(account=people.account)
    assert (report.date_from, report.date_to) == (date(2026, 11, 2), date(2026, 11, 8))
    run(MAIL_REPORT)
    run(MAIL_REPORT)
    (message,) = mail.outbox
    assert message.to == ["me@example.org"]
    (attached,) = message.attachments
    assert attached[0] == report.filename
    assert attached[1] == bytes(report.content)
    ((page, kind),) = message.alternatives
    assert kind == "text/html"
    for part in (message.body, page):
        for words in ("no advice", "2026-11-02 to 2026-11-08", "attached", report.sha256, report.filename):
            assert words in part, words


def test_the_name_of_an_account_is_text_in_the_mail(people: People) -> None:
    people.account.name = "<b>Mine</b>\r\nBcc: x@example.org"
    people.account.save(update_fields=["name"])
    weekly(people, send="link", email="me@example.org")
    reports_due(now=at(date(2026, 11, 9)))
    run(RENDER_REPORT)
    run(MAIL_REPORT)
    (message,) = mail.outbox
    ((page, _),) = message.alternatives
    assert "<b>" not in page
    assert "&lt;b&gt;Mine&lt;/b&gt; Bcc: x@example.org" in page
    assert "\n" not in message.subject
    assert message.recipients() == ["me@example.org"]


def test_a_link_carries_no_file_and_asks_for_the_login(people: People, client: Client) -> None:
    weekly(people, send="link", email="me@example.org")
    reports_due(now=at(date(2026, 11, 9)))
    run(RENDER_REPORT)
    run(MAIL_REPORT)
    (message,) = mail.outbox
    assert not message.attachments
    path = f"/reports/{Report.objects.get().pk}/"
    assert path in message.body
    assert f'{path}"' in message.alternatives[0][0]
    assert answers(client, "get", path, people) == {
        "owner": 200, "teammate": 200, "stranger": 404, "nobody": 302,
    }  # fmt: skip


def test_a_large_file_becomes_a_link(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_schedules, "MOST_ATTACHED", 10)
    weekly(people, send="attachment", email="me@example.org")
    reports_due(now=at(date(2026, 11, 9)))
    run(RENDER_REPORT)
    run(MAIL_REPORT)
    assert not mail.outbox[0].attachments


def test_a_mail_server_that_is_away_is_tried_again(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    weekly(people, send="link", email="me@example.org")
    reports_due(now=at(date(2026, 11, 9)))
    run(RENDER_REPORT)
    send = EmailBackend.send_messages

    def away(self, messages):
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "send_messages", away)
    (job,) = run(MAIL_REPORT)
    assert job.state == Job.State.QUEUED
    assert "mail server" in job.error
    monkeypatch.setattr(EmailBackend, "send_messages", send)
    Job.objects.filter(pk=job.pk).update(due_at=at(date(2026, 1, 1)))
    run(MAIL_REPORT)
    assert len(mail.outbox) == 1


def test_who_left_the_account_gets_nothing_more(people: People) -> None:
    schedule = schedule_add(
        user=people.teammate, account=people.account, every="week", format="csv", send="attachment",
        email="mate@example.org",
    )  # fmt: skip
    ReportSchedule.objects.filter(pk=schedule.pk).update(done_until=date(2026, 11, 1))
    reports_due(now=at(date(2026, 11, 9)))
    run(RENDER_REPORT)
    Membership.objects.filter(user=people.teammate).delete()
    run(MAIL_REPORT)
    assert mail.outbox == []
    assert reports_due(now=at(date(2026, 11, 16))) == 0


def test_a_stopped_schedule_makes_and_sends_nothing(people: People) -> None:
    schedule = weekly(people, send="link", email="me@example.org")
    reports_due(now=at(date(2026, 11, 9)))
    schedule_stop(user=people.owner, schedule=schedule)
    run(RENDER_REPORT)
    assert Report.objects.count() == 1
    assert run(MAIL_REPORT) == []
    assert reports_due(now=at(date(2026, 11, 16))) == 0


def test_the_same_schedule_twice_is_one_and_what_is_wrong_is_named(people: People) -> None:
    assert (
        weekly(people).pk
        == schedule_add(user=people.owner, account=people.account, every="week", format="csv").pk
    )
    for values, field in (
        ({"every": "day", "format": "csv"}, "every"),
        ({"every": "week", "format": "doc"}, "format"),
        ({"every": "week", "format": "csv", "send": "link"}, "email"),
        ({"every": "week", "format": "csv", "send": "link", "email": "a@b\nc"}, "email"),
        ({"every": "week", "format": "csv", "send": "fax"}, "send"),
    ):
        with pytest.raises(RuleError) as refused:
            schedule_add(user=people.owner, account=people.account, **values)
        assert refused.value.field == field
    assert ReportSchedule.objects.count() == 1
    assert AuditEvent.objects.filter(action="report.schedule").count() == 1


def test_members_add_the_maker_or_an_owner_stops_and_strangers_see_nothing(
    people: People, client: Client
) -> None:
    client.force_login(people.owner)
    url = f"/report-schedules/add/?account={people.account.pk}"
    assert client.post(url, {"every": "month", "format": "xlsx"}).status_code == 302
    schedule = ReportSchedule.objects.get()
    assert "Every month, Excel" in client.get(f"/reports/?account={people.account.pk}").content.decode()
    stop = f"/report-schedules/{schedule.pk}/stop/"
    for name, status in (("stranger", 404), ("teammate", 403)):
        client.force_login(getattr(people, name))
        assert client.post(stop).status_code == status
    client.force_login(people.stranger)
    client.post(url, {"every": "week", "format": "csv"})
    assert not ReportSchedule.objects.filter(account=people.account, every="week").exists()
    client.force_login(people.owner)
    assert client.post(stop).status_code == 302
    schedule.refresh_from_db()
    assert schedule.stopped_at is not None


def test_api_lists_adds_once_by_key_and_stops(people: People, client: Client) -> None:
    url = f"/api/v1/accounts/{people.account.pk}/report-schedules/"
    client.force_login(people.owner)
    body = {"every": "week", "format": "xlsx", "send": "link", "email": "me@example.org"}
    first, again = (
        client.post(url, body, content_type="application/json", headers={"Idempotency-Key": "k1"})
        for _ in range(2)
    )
    assert (first.status_code, again.json()) == (201, first.json())
    assert len(client.get(url).json()) == 1
    bad = client.post(url, {"every": "week", "send": "link"}, content_type="application/json")
    assert bad.status_code == 400
    stop = f"/api/v1/report-schedules/{first.json()['id']}/stop/"
    client.force_login(people.stranger)
    assert client.get(url).status_code == 404
    assert client.post(stop).status_code == 404
    client.force_login(people.owner)
    assert client.post(stop).status_code == 204
    assert client.get(url).json() == []


@pytest.mark.parametrize("what", ["statistics", "performance", "hedge-value"])
def test_api_of_results_is_open_to_members_and_refuses_bad_filters(
    people: People, client: Client, what: str
) -> None:
    open_condor(people)
    url = f"/api/v1/accounts/{people.account.pk}/{what}/"
    for name, status in (("owner", 200), ("teammate", 200), ("stranger", 404)):
        client.force_login(getattr(people, name))
        assert client.get(url).status_code == status
    client.force_login(people.owner)
    assert client.get(url, {"to": "2026-13-01"}).status_code == 400
    if what == "statistics":
        assert client.get(url).json()["still_open"] == 1
        for query in ({"by": "moon"}, {"layer": "4"}, {"unit": "leg"}, {"kind": "x"}):
            assert client.get(url, query).status_code == 400


def test_api_of_the_hedge_keeps_money_and_claims_apart(people: People) -> None:
    from decimal import Decimal

    from journal.api.answers.statistics import hedge_answer
    from journal.models import Trade
    from journal.services.book.trades import trade_create
    from tests.journal.people import FILLED, order, vix_call
    from tests.journal.results.test_statistics_pages import session

    trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, order=order([vix_call()])
    )
    session(people, FILLED.date(), 0, 25)
    found = hedge_answer(account=people.account, until=None)
    assert Decimal(str(found["premium"])) == Decimal("1263.00")
    assert found["claims_received"] == 0.0
    assert {one["claim"]["key"] for one in found["claims"]} >= {"drawdown_cut", "forced_unwinds"}
    assert all(one["claim"]["low"] is None or one["claim"]["low"] >= 0 for one in found["claims"])
