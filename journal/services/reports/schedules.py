"""Reports on a schedule: one job a period, whatever restarts, and an e-mail when the report is stored.

The job belongs to the database: its key names the schedule and the period, so two schedulers, a restart or a
killed worker make one report. The e-mail is a job of its own, asked for in the transaction that stores the
report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from hedging.jobs.context import JobContext, JobError, JobRetryError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.selectors.calendar import NEW_YORK
from journal.errors import RuleError
from journal.job_kinds import MAIL_REPORT, RENDER_REPORT
from journal.models import MANAGE_ROLES, Account, BulkChange, Report, ReportSchedule, User
from journal.selectors.reports import period_as_of
from journal.services.audit import audit_record
from journal.services.guests import known_only
from journal.services.reports.jobs import MEDIA_TYPES, ReportOrder
from journal.services.undo_records import removal_record

Every, Send = ReportSchedule.Every, ReportSchedule.Send
#: Larger files are sent as a link: many mail servers refuse more.
MOST_ATTACHED = 8 * 2**20
MOST_SCHEDULES = 10
#: A scheduler that stood still makes up for this many periods, not for years.
_MOST_MISSED = 6


def period_end(every: str, day: date) -> date:
    """Last day of the newest period that was over before ``day``: a Sunday, or a month's last day."""
    if every == Every.WEEK:
        return day - timedelta(days=day.isoweekday())
    return day.replace(day=1) - timedelta(days=1)


def period_of(every: str, last: date) -> tuple[date, date]:
    """First and last day of the period that ends on ``last``."""
    if every == Every.WEEK:
        return last - timedelta(days=6), last
    return last.replace(day=1), last


def _next_end(every: str, last: date) -> date:
    if every == Every.WEEK:
        return last + timedelta(days=7)
    after = last + timedelta(days=1)
    return (after.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@transaction.atomic
def schedule_add(
    *,
    user: User,
    account: Account,
    every: str,
    format: str,  # noqa: A002  # the word of the form and the API
    send: str = "",
    email: str = "",
) -> ReportSchedule:
    """Make a report of every coming period; raises RuleError naming the input.

    The same schedule again is the one there is. Its first period is the one now running.
    """
    from django.core.exceptions import ValidationError

    if every not in Every.values:
        raise RuleError("A report is made every week or month.", "every")
    if format not in Report.Format.values:
        raise RuleError("The format is html, pdf, csv or xlsx.", "format")
    if send not in Send.values:
        raise RuleError("send must be nothing, attachment or link.", "send")
    if send:
        known_only(user, "have messages sent", "send")
        try:
            validate_email(email)
        except ValidationError:
            raise RuleError("Say which e-mail address it goes to.", "email") from None
    given = {"every": every, "format": format, "send": send, "email": email if send else ""}
    Account.objects.select_for_update().get(pk=account.pk)
    mine = ReportSchedule.objects.filter(account=account, stopped_at=None)
    same = mine.filter(created_by=user, **given).first()
    if same is not None:
        return same
    if mine.count() >= MOST_SCHEDULES:
        raise RuleError(f"An account has at most {MOST_SCHEDULES} schedules.", "every")
    schedule = ReportSchedule.objects.create(
        account=account, created_by=user, done_until=period_end(every, _today(timezone.now())), **given
    )
    audit_record(
        actor=user, action="report.schedule", account=account, obj=schedule, summary=str(schedule),
        changes={**given},
    )  # fmt: skip
    return schedule


@transaction.atomic
def schedule_stop(*, user: User, schedule: ReportSchedule) -> BulkChange | None:
    """Make no more reports; those made stay. Returns the record to undo it from, None when it had stopped."""
    now = timezone.now()
    if not ReportSchedule.objects.filter(pk=schedule.pk, stopped_at=None).update(stopped_at=now):
        return None
    audit_record(
        actor=user, action="report.unschedule", account=schedule.account, obj=schedule,
        summary=str(schedule), changes={},
    )  # fmt: skip
    return removal_record(
        user=user, action=BulkChange.Action.SCHEDULE, summary=f"Stopped: {schedule}",
        undo=[{"schedule": str(schedule.pk)}],
    )  # fmt: skip


def schedule_restore(user: User, undo: Sequence[Any]) -> int:
    """Let stopped schedules run on where none like them was made since; returns how many."""
    count = 0
    owned = Account.objects.for_user(user, MANAGE_ROLES)
    for row in undo:
        rows = ReportSchedule.objects.for_user(user).filter(Q(created_by=user) | Q(account__in=owned))
        found = rows.filter(pk=row["schedule"]).exclude(stopped_at=None).select_related("account").first()
        if found is None:
            continue
        running = ReportSchedule.objects.filter(account=found.account, stopped_at=None)
        same = {name: getattr(found, name) for name in ("created_by", "every", "format", "send", "email")}
        if running.filter(**same).exists() or running.count() >= MOST_SCHEDULES:
            continue
        ReportSchedule.objects.filter(pk=found.pk).update(stopped_at=None)
        audit_record(
            actor=user, action="report.schedule", account=found.account, obj=found, summary=str(found)
        )
        count += 1
    return count


def _today(now: datetime) -> date:
    return now.astimezone(NEW_YORK).date()


def reports_due(*, now: datetime) -> int:
    """Ask for the report of every period that is over; returns how many were asked for."""
    made = 0
    for schedule in _running():
        newest = period_end(schedule.every, _today(now))
        while schedule.done_until < newest:
            last = _next_end(schedule.every, schedule.done_until)
            if _behind(schedule.every, last, newest) < _MOST_MISSED:
                made += _ask(schedule, last, now)
            schedule.done_until = last
    return made


def _running() -> QuerySet[ReportSchedule]:
    """Schedules of members: one whose maker left the account makes nothing."""
    rows = ReportSchedule.objects.filter(stopped_at=None, account__archived_at=None)
    rows = rows.filter(account__memberships__user_id=F("created_by_id"), created_by__is_active=True)
    return rows.select_related("created_by", "account").distinct()


def _behind(every: str, last: date, newest: date) -> int:
    return (newest - last).days // (7 if every == Every.WEEK else 28)


@transaction.atomic
def _ask(schedule: ReportSchedule, last: date, now: datetime) -> bool:
    """Request one period's report and mark the period as done, together; True when the job is new."""
    first, last = period_of(schedule.every, last)
    user = schedule.created_by
    order = ReportOrder(
        schedule.format, first, last, period_as_of(last, now), user.get_username(), str(schedule.pk)
    )
    _, made = job_request(
        kind=RENDER_REPORT, scope=account_scope(schedule.account_id), as_of=f"{first}/{last}",
        input_revision=f"{schedule.format}:schedule:{schedule.pk}", requested_by=str(user.public_id),
        payload=order.payload(), max_attempts=3,
    )  # fmt: skip
    ReportSchedule.objects.filter(pk=schedule.pk, done_until__lt=last).update(done_until=last)
    return made


def mail_request(*, report: Report, schedule_id: str) -> Job | None:
    """Ask for the e-mail of a stored report, inside the transaction that stores it."""
    schedule = ReportSchedule.objects.filter(pk=schedule_id, stopped_at=None).exclude(send="").first()
    if schedule is None:
        return None
    job, _ = job_request(
        kind=MAIL_REPORT, scope=account_scope(report.account_id), as_of=str(report.pk),
        input_revision=str(schedule.pk), requested_by=str(schedule.created_by.public_id),
        payload={"report": str(report.pk), "schedule": str(schedule.pk)}, max_attempts=5,
    )  # fmt: skip
    return job


@job_handler(MAIL_REPORT)
def mail_report(context: JobContext) -> Callable[[], dict[str, Any]] | None:
    """Send one report; nothing goes to somebody who left the account meanwhile."""
    schedule = _running().filter(pk=context.job.payload["schedule"]).exclude(send="").first()
    report = Report.objects.filter(pk=context.job.payload["report"]).select_related("account").first()
    if schedule is None or report is None:
        raise JobError("The schedule was stopped, or its maker left the account.")
    message = report_message(report, schedule)
    try:
        message.send()
    except OSError as error:  # SMTP errors are OSErrors
        raise JobRetryError(f"The mail server did not take it: {error.__class__.__name__}.") from None
    sent = len(message.attachments) > 0

    def write() -> dict[str, Any]:
        return {"sent_to": schedule.email, "attached": sent}

    return write


def report_message(report: Report, schedule: ReportSchedule) -> EmailMultiAlternatives:
    """Write the e-mail, as text and as a page: what it is about, the file or a link to it."""
    attach = schedule.send == Send.ATTACHMENT and len(report.content) <= MOST_ATTACHED
    name = " ".join(report.account.name.split())
    subject = f"Account report: {name}, {report.date_from} to {report.date_to}"
    marks = f"{report.as_of.astimezone(NEW_YORK):%Y-%m-%d %H:%M %Z}" if report.as_of else "no market data"
    facts = (
        ("Period", f"{report.date_from} to {report.date_to}, by session date"),
        ("Marks as of", marks),
        ("File", f"{report.filename}, {filesizeformat(len(report.content))}"),
        ("SHA-256", report.sha256),
    )
    link = settings.PUBLIC_URL + reverse("journal:report_view", args=[report.pk])
    schedules = settings.PUBLIC_URL + reverse("journal:reports")
    where = "The file is attached. It is also kept in your journal:" if attach else "Sign in to open it:"
    lines = [
        f"Account report of {name}",
        "",
        *(f"{label}: {value}" for label, value in facts),
        "",
        f"{where} {link}",
        "",
        "Educational record, no advice and no recommendation.",
        f"A schedule in your journal sends this; stop it there: {schedules}",
    ]
    message = EmailMultiAlternatives(subject, "\n".join(lines), to=[schedule.email])
    context = {
        "subject": subject, "account": name, "facts": facts, "attached": attach, "link": link,
        "schedules": schedules,
    }  # fmt: skip
    message.attach_alternative(render_to_string("reports/email.html", context), "text/html")
    if attach:
        kind = MEDIA_TYPES[report.format].split(";")[0]
        message.attach(report.filename, bytes(report.content), kind)
    return message
