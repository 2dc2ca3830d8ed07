"""Asking for reports and keeping them. What they look like is journal.reports."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from unicodedata import normalize

from django.db import transaction
from django.utils import timezone

from hedging.jobs.engine import job_request
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import RENDER_REPORT
from journal.models import Account, Report, User
from journal.selectors.reports import period_as_of
from journal.services.audit import audit_record

#: What the browser is told about a stored report, and the suffix of its file.
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "csv": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SUFFIXES = {"html": "html", "pdf": "pdf", "csv": "zip", "xlsx": "xlsx"}
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2035, 12, 30)
_NAME = re.compile(r"[^A-Za-z0-9]+")
_NAME_LENGTH = 60


class DamagedReportError(RuntimeError):
    """Stored bytes that no longer have the hash they were stored with."""


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """What was asked for; it travels as the job's payload."""

    form: str
    date_from: date
    date_to: date
    as_of: datetime
    by: str
    schedule: str = ""

    def payload(self) -> dict[str, str]:
        """Write the order as plain JSON values."""
        return {
            "format": self.form, "date_from": self.date_from.isoformat(), "by": self.by,
            "date_to": self.date_to.isoformat(), "as_of": self.as_of.isoformat(),
            "schedule": self.schedule,
        }  # fmt: skip

    @classmethod
    def read(cls, payload: dict[str, str]) -> ReportOrder:
        """Read an order back from a payload."""
        return cls(
            payload["format"], date.fromisoformat(payload["date_from"]),
            date.fromisoformat(payload["date_to"]), datetime.fromisoformat(payload["as_of"]),
            payload["by"], payload.get("schedule", ""),
        )  # fmt: skip


def report_check(*, form: str, date_from: date, date_to: date) -> None:
    """Raise RuleError for a format or a period no report can have."""
    if form not in Report.Format.values:
        raise RuleError("The format is html, pdf, csv or xlsx.", "format")
    if date_from > date_to:
        raise RuleError("The period ends before it starts.", "date_to")
    if date_from < FIRST_DAY:
        raise RuleError(f"A period starts on {FIRST_DAY} at the earliest.", "date_from")
    if date_to > LAST_DAY:
        raise RuleError(f"A period ends on {LAST_DAY} at the latest.", "date_to")


@transaction.atomic
def report_request(
    *,
    user: User,
    account: Account,
    date_from: date,
    date_to: date,
    format: str,  # noqa: A002  # the word of the form and the API
    token: str = "",
) -> Job:
    """Ask for a report of the account; raises RuleError naming the input.

    The same token of the same user is the same job, so that a double click asks once; without a token
    every request is a new job. Positions and marks are fixed at the moment of asking, so that a
    retry renders what was asked for.
    """
    report_check(form=format, date_from=date_from, date_to=date_to)
    order = ReportOrder(
        format, date_from, date_to, period_as_of(date_to, timezone.now()), user.get_username()
    )
    nonce = token or secrets.token_urlsafe(18)
    digest = hashlib.sha256(f"{user.public_id}:{nonce}".encode()).hexdigest()[:32]
    job, made = job_request(
        kind=RENDER_REPORT, scope=account_scope(account.pk), as_of=f"{date_from}/{date_to}",
        input_revision=f"{format}:{digest}", requested_by=str(user.public_id),
        payload=order.payload(), max_attempts=2,
    )  # fmt: skip
    if made:
        audit_record(
            actor=user, action="report.request", account=account,
            summary=f"{format} {date_from} to {date_to}",
            changes={"job": str(job.pk), "book_revision": account.book_revision},
        )  # fmt: skip
    return job


def report_store(
    *, job: Job, account: Account, order: ReportOrder, content: bytes, as_of: datetime | None
) -> Report:
    """Keep a rendered report: one a job, never changed afterwards.

    ``as_of`` is the moment of its marks, None without market data.
    """
    asked_by = job.requested_by
    user = User.objects.filter(public_id=asked_by).first() if asked_by else None
    report, _ = Report.objects.get_or_create(
        job_id=job.pk,
        defaults={
            "account": account, "format": order.form, "date_from": order.date_from,
            "date_to": order.date_to, "as_of": as_of, "content": content,
            "filename": report_filename(account, order),
            "sha256": hashlib.sha256(content).hexdigest(), "requested_by": user,
        },
    )  # fmt: skip
    return report


def report_filename(account: Account, order: ReportOrder) -> str:
    """Name the file in plain letters, whatever the account is called."""
    plain = normalize("NFKD", account.name).encode("ascii", "ignore").decode()
    name = _NAME.sub("-", plain).strip("-").lower()[:_NAME_LENGTH].strip("-") or "account"
    return f"{name}-{order.date_from}-{order.date_to}.{SUFFIXES[order.form]}"


def report_content(report: Report) -> bytes:
    """Read the stored bytes, proven against their hash; raises DamagedReportError."""
    content = bytes(report.content)
    if hashlib.sha256(content).hexdigest() != report.sha256:
        raise DamagedReportError(str(report.pk))
    return content
