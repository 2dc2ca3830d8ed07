"""Asking for reports, and the worker's job that renders them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from hedging.models import Job
from hedging.services.jobs import JobContext, JobError, job_handler, job_request
from journal.models import Account, Report, User
from journal.services.audit import audit_record
from journal.services.errors import RuleError
from journal.services.valuation import account_of_scope

RENDER_REPORT = "journal.render_report"
MEDIA_TYPES = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
_NAME = re.compile(r"[^A-Za-z0-9]+")


@transaction.atomic
def report_request(
    *, user: User, account: Account, form: str, date_from: date, date_to: date, token: str = ""
) -> Job:
    """Ask for a report; the same token asks once. Raises RuleError for an impossible period."""
    if form not in Report.Format.values:
        raise RuleError("The format is html, pdf or csv.", "format")
    if date_from > date_to:
        raise RuleError("The period ends before it starts.", "to")
    if (date_to - date_from).days > 366 * 20:
        raise RuleError("A report covers at most twenty years.", "from")
    job, made = job_request(
        kind=RENDER_REPORT, scope=f"account:{account.pk}", as_of=f"{date_from}/{date_to}",
        input_revision=f"{form}:{token or secrets.token_urlsafe(9)}", requested_by=str(user.public_id),
        payload={"format": form, "from": date_from.isoformat(), "to": date_to.isoformat(), "by": user.get_username()},
    )
    if made:
        audit_record(
            actor=user, action="report.request", account=account, summary=f"{form} {date_from} to {date_to}"
        )
    return job


@job_handler(RENDER_REPORT)
def render_report(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Gather, render and store one report."""
    from journal.reports.data import report_data
    from journal.reports.render import render

    payload = context.job.payload
    account = Account.objects.filter(pk=account_of_scope(context.job.scope)).first()
    if account is None:
        raise JobError("The account is gone.")
    data = report_data(
        account=account, date_from=date.fromisoformat(payload["from"]), date_to=date.fromisoformat(payload["to"]),
        generated_at=timezone.now(), generated_by=payload["by"], progress=context.progress,
    )
    context.progress(3, 5, "typesetting")
    content = render(data, payload["format"])
    context.progress(4, 5, "storing")
    name = _NAME.sub("-", account.name).strip("-").lower() or "account"

    def write() -> dict[str, Any]:
        user = User.objects.filter(public_id=context.job.requested_by or None).first()
        report, _ = Report.objects.get_or_create(
            job_id=context.job.pk,
            defaults={
                "account": account, "format": payload["format"], "date_from": data.date_from,
                "date_to": data.date_to, "as_of": data.as_of, "content": content,
                "filename": f"{name}-{data.date_from}-{data.date_to}.{payload['format']}",
                "sha256": hashlib.sha256(content).hexdigest(), "requested_by": user,
            },
        )
        return {"report_id": str(report.pk), "filename": report.filename, "sha256": report.sha256, "bytes": len(content)}

    return write
