"""Alerts: raised once, cleared, told outside quiet hours, signed, tried again, never into a private net."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client, override_settings

from hedging.jobs.engine import job_run
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import DELIVER_ALERT
from journal.models import Alert, AlertChannel, AlertDelivery
from journal.services.alerts.alerts import (
    SIGNATURE_HEADER,
    AlertFinding,
    alerts_update,
    channel_add,
    channel_remove,
    quiet_until,
    signature,
)
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db
STRIKE = AlertFinding(Alert.Kind.SHORT_STRIKE, "short_strike:1", "Short 6450 put was touched")


@pytest.fixture
def people() -> People:
    return make_people()


def update(people: People, *findings: AlertFinding) -> list[Alert]:
    return alerts_update(account=people.account, kinds=list(Alert.Kind), findings=findings)


def deliver() -> list[Job.State | None]:
    jobs = Job.objects.filter(kind=DELIVER_ALERT, state=Job.State.QUEUED)
    return [job_run(job.pk) for job in jobs.order_by("created_at")]


class Receiver(BaseHTTPRequestHandler):
    answers: list[int] = []
    seen: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers[SIGNATURE_HEADER], body))
        self.send_response(self.answers.pop(0) if self.answers else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the console."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.answers, Receiver.seen = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def private_allowed() -> Iterator[None]:
    from dataclasses import replace

    with override_settings(ENV=replace(settings.ENV, alert_webhook_private=True)):
        yield


def test_an_alert_is_raised_once_cleared_and_may_come_back(people: People) -> None:
    assert len(update(people, STRIKE)) == 1
    assert update(people, STRIKE) == []
    assert update(people) == []
    assert Alert.objects.get().cleared_at is not None
    assert len(update(people, STRIKE)) == 1
    assert Alert.objects.count() == 2


def test_clearing_touches_only_the_kinds_that_were_looked_at(people: People) -> None:
    update(people, STRIKE)
    alerts_update(account=people.account, kinds=[Alert.Kind.MARGIN], findings=[])
    assert Alert.objects.get().cleared_at is None


def test_members_get_one_mail_each_of_the_kinds_they_want(people: People) -> None:
    channel_add(user=people.owner, account=people.account, kind="email", target="Ann <ann@example.org>")
    channel_add(
        user=people.teammate, account=people.account, kind="email", target="t@example.org", kinds=["margin"]
    )
    update(people, STRIKE)
    assert deliver() == [Job.State.DONE]
    assert deliver() == []
    assert [m.to for m in mail.outbox] == [["ann@example.org"]]
    assert "Short 6450 put" in mail.outbox[0].subject
    assert AlertDelivery.objects.get().state == "sent"


@pytest.mark.usefixtures("private_allowed")
def test_a_webhook_is_signed_and_tried_again(people: People, receiver: str) -> None:
    channel = channel_add(user=people.owner, account=people.account, kind="webhook", target=receiver)
    Receiver.answers = [503]
    update(people, STRIKE)
    assert deliver() == [Job.State.QUEUED]
    delivery = AlertDelivery.objects.get()
    assert (delivery.state, delivery.error) == ("failed", "it answered 503")
    Job.objects.update(due_at=datetime.now(UTC))
    assert deliver() == [Job.State.DONE]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("sent", 2)
    (first, body), (second, again) = Receiver.seen
    assert body == again
    assert first == second == signature(channel.secret, body)
    assert json.loads(body)["message"] == STRIKE.message


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x", "https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.7/",
        "https://localhost/", "https://169.254.169.254/latest", "https://user:pass@example.org/",
        "ftp://example.org", "https://", "nonsense",
    ],
)  # fmt: skip
def test_webhooks_into_private_networks_are_refused(people: People, url: str) -> None:
    with pytest.raises(RuleError) as refused:
        channel_add(user=people.owner, account=people.account, kind="webhook", target=url)
    assert refused.value.field == "target"
    assert not AlertChannel.objects.exists()


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (
            datetime(2026, 11, 20, 3, 0, tzinfo=UTC),
            datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
        ),  # 22:00 to 07:00
        (datetime(2026, 11, 20, 11, 59, tzinfo=UTC), datetime(2026, 11, 20, 12, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 12, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 20, 18, 0, tzinfo=UTC), None),
        (
            datetime(2026, 3, 8, 4, 30, tzinfo=UTC),
            datetime(2026, 3, 8, 11, 0, tzinfo=UTC),
        ),  # clocks go forward
    ],
)
def test_quiet_hours_end_at_the_wall_clock(people: People, now: datetime, until: datetime | None) -> None:
    channel = channel_add(
        user=people.owner, account=people.account, kind="email", target="a@example.org",
        quiet_from=time(22), quiet_to=time(7),
    )  # fmt: skip
    assert quiet_until(channel, now) == until


def test_in_quiet_hours_the_mail_waits(people: People) -> None:
    channel_add(
        user=people.owner, account=people.account, kind="email", target="a@example.org",
        quiet_from=time(0), quiet_to=time(23, 59, 59),
    )  # fmt: skip
    update(people, STRIKE)
    job = Job.objects.get(kind=DELIVER_ALERT)
    assert job.due_at > datetime.now(UTC)
    assert deliver() == [None]
    assert mail.outbox == []


def test_channels_belong_to_their_member(people: People) -> None:
    mine = channel_add(user=people.owner, account=people.account, kind="email", target="a@example.org")
    with pytest.raises(RuleError, match="another member"):
        channel_remove(user=people.teammate, channel=mine)
    client, stranger = Client(), Client()
    client.force_login(people.teammate)
    stranger.force_login(people.stranger)
    add = f"/books/{people.account.pk}/alerts/channel/"
    assert stranger.post(add, {"kind": "email", "target": "x@example.org"}).status_code == 404
    assert stranger.post(f"/channels/{mine.pk}/remove/").status_code == 404
    assert stranger.post(f"/books/{people.account.pk}/alerts/seen/").status_code == 404
    assert client.post(add, {"kind": "email", "target": "x@example.org"}).status_code == 302
    page = client.get("/alerts/").content.decode()
    assert "x@example.org" in page
    assert "a@example.org" not in page
    assert client.post(add, {"kind": "email", "target": "nobody", "quiet_from": "22:00"}).status_code == 200


def test_the_shell_counts_what_nobody_has_seen(people: People) -> None:
    update(people, STRIKE)
    client = Client()
    client.force_login(people.owner)
    assert "Alerts, 1 new" in client.get("/alerts/").content.decode()
    client.post(f"/books/{people.account.pk}/alerts/seen/")
    assert "Alerts, 1 new" not in client.get("/alerts/").content.decode()
