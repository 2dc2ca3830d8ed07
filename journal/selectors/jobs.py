"""Which jobs a user may see and steer: those about the user and about accounts the user is a member of."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.urls import reverse

from hedging.jobs import scopes
from hedging.jobs.context import JobError
from hedging.jobs.registry import declared
from hedging.models import Job
from journal.models import WRITE_ROLES, Account, Role, User


def job_get(user: User, job_id: UUID, roles: tuple[Role, ...] = tuple(Role)) -> Job:
    """The job, or 404 alike for a missing one and somebody else's."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise Http404
    # Market data belong to everybody: all may see such a job, who asked for it may steer it.
    everybody = job.scope == scopes.MARKET and (
        roles == tuple(Role) or job.requested_by == str(user.public_id)
    )
    if not everybody and not _member(user, job, roles):
        raise Http404
    return job


def job_may_steer(user: User, job: Job) -> bool:
    """Whether the user may cancel and retry: who asked for it, and who may write in the account."""
    return job.requested_by == str(user.public_id) or _member(user, job, WRITE_ROLES)


def account_of_job(job: Job) -> Account:
    """The account a job is about; raises JobError when it was deleted meanwhile."""
    account_id = scopes.account_id_of(job.scope)
    account = Account.objects.filter(pk=account_id).first() if account_id else None
    if account is None:
        raise JobError("The account was deleted.")
    return account


def user_of_job(job: Job) -> User:
    """The login a job is about; raises JobError when it was deleted or closed meanwhile."""
    public_id = scopes.user_id_of(job.scope)
    user = User.objects.filter(public_id=public_id, is_active=True).first() if public_id else None
    if user is None:
        raise JobError("The login was deleted.")
    return user


def job_title(job: Job) -> str:
    """What people read above a job; the bare kind for one of another version of the product."""
    known = declared(job.kind)
    return known.title_of(job.payload) if known else job.kind


def job_page(job: Job) -> str:
    """The address of the page that shows what the job made; empty when it has none."""
    known = declared(job.kind)
    if known is None or not known.page:
        return ""
    return reverse(known.page, args=[job.payload[known.page_key]] if known.page_key else [])


def _member(user: User, job: Job, roles: tuple[Role, ...]) -> bool:
    if scopes.user_id_of(job.scope) == user.public_id:
        return True
    account_id = scopes.account_id_of(job.scope)
    return account_id is not None and Account.objects.for_user(user, roles).filter(pk=account_id).exists()
