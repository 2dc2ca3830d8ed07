"""Which jobs a user may see and steer: those about the user and about accounts the user is a member of."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from hedging.models import Job
from hedging.services.market.fetch import MARKET_SCOPE
from journal.models import WRITE_ROLES, Account, Role, User

_SCOPE = "account:"


def job_get(user: User, job_id: UUID, roles: tuple[Role, ...] = tuple(Role)) -> Job:
    """The job, or 404 alike for a missing one and somebody else's."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise Http404
    # Market data belong to everybody: all may see such a job, who asked for it may steer it.
    everybody = job.scope == MARKET_SCOPE and (
        roles == tuple(Role) or job.requested_by == str(user.public_id)
    )
    if not everybody and not _member(user, job, roles):
        raise Http404
    return job


def job_may_steer(user: User, job: Job) -> bool:
    """Whether the user may cancel and retry: who asked for it, and who may write in the account."""
    return job.requested_by == str(user.public_id) or _member(user, job, WRITE_ROLES)


def _member(user: User, job: Job, roles: tuple[Role, ...]) -> bool:
    if job.scope == f"user:{user.public_id}":
        return True
    if not job.scope.startswith(_SCOPE):
        return False
    try:
        account_id = UUID(job.scope.removeprefix(_SCOPE))
    except ValueError:
        return False
    return Account.objects.for_user(user, roles).filter(pk=account_id).exists()
