"""Which jobs a user may see: those about accounts the user is a member of."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from hedging.models import Job
from journal.models import Account, Role, User


def job_get(user: User, job_id: UUID, roles: tuple[Role, ...] = tuple(Role)) -> Job:
    """The job, or 404 alike for a missing one and somebody else's."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None or not job.scope.startswith("account:"):
        raise Http404
    if not Account.objects.for_user(user, roles).filter(pk=job.scope.removeprefix("account:")).exists():
        raise Http404
    return job
