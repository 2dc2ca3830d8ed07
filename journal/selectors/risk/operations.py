"""What operates the desk: feeds and their age, jobs, workers, storage; and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from hedging.models import Job
from hedging.selectors.health import HealthPart, health_parts
from hedging.selectors.market import SourceAge, sources
from journal.models import AuditEvent, RiskSheet
from journal.selectors.jobs import job_title

_DAY = timedelta(days=1)
_MOST = 20


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job with its title in words and the seconds it ran, None while it did not."""

    job: Job
    title: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """The page; ``storage`` in bytes, None where the database does not say."""

    parts: tuple[HealthPart, ...]
    feeds: tuple[SourceAge, ...]
    failed: tuple[JobLine, ...]
    slow: tuple[JobLine, ...]
    waiting: int
    running: int
    storage: int | None
    sheets: tuple[RiskSheet, ...]


def operations_page() -> OperationsPage:
    """Everything of the page, as of now."""
    now = timezone.now()
    ended = Job.objects.filter(finished_at__gte=now - _DAY, started_at__isnull=False)
    slow = ended.annotate(took=F("finished_at") - F("started_at")).order_by("-took")[:_MOST]
    failed = Job.objects.filter(state=Job.State.DEAD).order_by("-finished_at")[:_MOST]
    return OperationsPage(
        parts=tuple(health_parts(now=now)),
        feeds=tuple(sorted(sources(now=now), key=lambda one: (not one.stale, one.name))),
        failed=tuple(map(_line, failed)),
        slow=tuple(map(_line, slow)),
        waiting=Job.objects.filter(state=Job.State.QUEUED, due_at__lte=now).count(),
        running=Job.objects.filter(state=Job.State.RUNNING).count(),
        storage=_storage(),
        sheets=tuple(RiskSheet.objects.defer("figures")[:5]),
    )


def _line(job: Job) -> JobLine:
    took = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
    return JobLine(job, job_title(job), took)


def _storage() -> int | None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        found = cursor.fetchone()
    return int(found[0]) if found else None


def audit_events(text: str) -> QuerySet[AuditEvent]:
    """Events whose action, person or summary has the text; all of them without one."""
    events = AuditEvent.objects.all()
    if not text:
        return events
    return events.filter(
        Q(action__icontains=text) | Q(actor_name__icontains=text) | Q(summary__icontains=text)
    )
