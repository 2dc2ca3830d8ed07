"""What a job may and may not do, one rule a test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from hedging.jobs import engine as jobs
from hedging.jobs import registry
from hedging.jobs import relay as job_relay
from hedging.models import Job

pytestmark = pytest.mark.django_db

Register = Callable[[Callable[[jobs.JobContext], Any]], None]


@pytest.fixture
def handler() -> Iterator[Register]:
    kind = registry.job_kind("tests.kind", title="Test")
    yield registry.job_handler(kind)
    registry._DECLARED.pop(kind)
    registry._HANDLERS.pop(kind, None)


def asked(**changes: Any) -> Job:
    values = {"kind": "tests.kind", "scope": "test", "input_revision": uuid.uuid4().hex, **changes}
    return jobs.job_request(**values)[0]


def test_the_same_key_is_the_same_job() -> None:
    first, made = jobs.job_request(kind="tests.kind", scope="a", input_revision="1")
    again, made_again = jobs.job_request(kind="tests.kind", scope="a", input_revision="1")
    other, _ = jobs.job_request(kind="tests.kind", scope="a", input_revision="2")
    assert (made, made_again) == (True, False)
    assert first.pk == again.pk != other.pk


def test_a_job_runs_once_and_keeps_what_its_effect_returns(handler: Register) -> None:
    effects: list[int] = []
    handler(lambda context: lambda: effects.append(1) or {"answer": 42})
    job = asked()
    assert jobs.job_run(job.pk) == Job.State.DONE
    assert jobs.job_run(job.pk) is None
    job.refresh_from_db()
    assert effects == [1]
    assert job.result == {"answer": 42}
    assert job.percent == 100


def test_an_effect_is_not_written_after_the_lease_was_lost(handler: Register) -> None:
    effects: list[int] = []

    def slow(context: jobs.JobContext) -> Callable[[], None]:
        # What the relay and a second worker do while this one hangs.
        Job.objects.filter(pk=context.job.pk).update(lease_token=uuid.uuid4())
        return lambda: effects.append(1)

    handler(slow)
    job = asked()
    assert jobs.job_run(job.pk) is None
    assert effects == []


def test_a_failing_effect_leaves_the_job_to_be_tried_again(handler: Register) -> None:
    def broken() -> None:
        raise RuntimeError("disk full")

    handler(lambda context: broken)
    job = asked()
    assert jobs.job_run(job.pk) == Job.State.QUEUED
    job.refresh_from_db()
    assert job.attempts == 1
    assert "our side" in job.error
    assert job.due_at > timezone.now()


def test_three_failures_make_a_job_dead_with_a_readable_error(handler: Register) -> None:
    def fail(context: jobs.JobContext) -> None:
        raise jobs.JobRetryError("The quote server does not answer.")

    handler(fail)
    job = asked()
    for _ in range(3):
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
        jobs.job_run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DEAD
    assert job.error == "The quote server does not answer."


def test_a_final_error_is_not_tried_again(handler: Register) -> None:
    def fail(context: jobs.JobContext) -> None:
        raise jobs.JobError("There is no market data.")

    handler(fail)
    job = asked()
    assert jobs.job_run(job.pk) == Job.State.DEAD


def test_cancel_before_the_start_and_retry_afterwards(handler: Register) -> None:
    handler(lambda context: None)
    job = jobs.job_cancel(job=asked())
    assert job.state == Job.State.CANCELLED
    assert jobs.job_run(job.pk) is None
    assert jobs.job_retry(job=job).state == Job.State.QUEUED
    assert jobs.job_run(job.pk) == Job.State.DONE


def test_cancel_while_running_stops_at_the_next_progress(handler: Register) -> None:
    def work(context: jobs.JobContext) -> Callable[[], None]:
        jobs.job_cancel(job=context.job)
        context.progress(1, 2, "second half")
        raise AssertionError("went on after a cancel")

    handler(work)
    assert jobs.job_run(asked().pk) == Job.State.CANCELLED


def test_progress_is_seen_while_the_job_runs(handler: Register) -> None:
    seen: list[tuple[int | None, str]] = []

    def work(context: jobs.JobContext) -> None:
        context.progress(1, 4, "reading")
        row = Job.objects.get(pk=context.job.pk)
        seen.append((row.percent, row.phase))

    handler(work)
    jobs.job_run(asked().pk)
    assert seen == [(25, "reading")]


def test_the_relay_takes_back_the_job_of_a_killed_worker() -> None:
    job = asked()
    claimed = jobs.job_claim(job.pk)
    assert claimed is not None
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    job_relay.relay_once()
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert job.attempts == 1


def test_after_the_last_attempt_a_killed_worker_becomes_an_error_with_retry() -> None:
    job = asked(max_attempts=1)
    jobs.job_claim(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    job_relay.relay_once()
    job.refresh_from_db()
    assert job.state == Job.State.DEAD
    assert job.error == jobs.WORKER_LOST
    assert jobs.job_retry(job=job).state == Job.State.QUEUED


def test_two_claims_of_one_job_give_one_owner() -> None:
    job = asked()
    assert jobs.job_claim(job.pk) is not None
    assert jobs.job_claim(job.pk) is None


def test_a_request_succeeds_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from hedging.jobs import notify

    with override_settings():
        notify._probe.cache_clear()
        monkeypatch.setattr(
            notify.settings.ENV.__class__, "cache_url", property(lambda env: "redis://127.0.0.1:1")
        )
        job = asked()
        assert jobs.worker_notify(job.pk) is False
    notify._probe.cache_clear()
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert job.notified_at is None


def test_before_the_site_starts_its_redis_a_job_waits_for_the_relay_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(ENV=replace(settings.ENV, redis_url=None, state_dir=tmp_path)):
        job = asked()
        assert jobs.worker_notify(job.pk) is False
    job.refresh_from_db()
    assert job.notified_at is None
    assert caplog.text == ""
