"""The worker's side of a report: gather, render, store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from hedging.jobs.context import JobContext, JobRetryError
from hedging.jobs.registry import job_handler
from journal.job_kinds import RENDER_REPORT
from journal.selectors.jobs import account_of_job
from journal.selectors.reports import BusyBookError
from journal.services.reports.jobs import ReportOrder, report_store
from journal.services.reports.schedules import mail_request

STORING = 95


@job_handler(RENDER_REPORT)
def render_report(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Render one report; it is stored in the transaction that ends the job."""
    from journal.reports.data import STEPS, report_data
    from journal.reports.render import render

    account = account_of_job(context.job)
    order = ReportOrder.read(context.job.payload)
    try:
        data = report_data(
            account=account, date_from=order.date_from, date_to=order.date_to, as_of=order.as_of,
            generated_at=timezone.now(), generated_by=order.by, progress=context.progress,
        )  # fmt: skip
    except BusyBookError:
        raise JobRetryError("The account changed while its book was read.") from None
    content = render(data, order.form, lambda done, phase: context.progress(done, STEPS, phase))
    context.progress(STORING, STEPS, "storing")
    marks = data.header.marks

    def write() -> dict[str, Any]:
        report = report_store(
            job=context.job, account=account, order=order, content=content,
            as_of=marks.as_of if marks else None,
        )  # fmt: skip
        if order.schedule:
            mail_request(report=report, schedule_id=order.schedule)
        return {
            "report_id": str(report.pk), "filename": report.filename, "sha256": report.sha256,
            "bytes": len(content), "format": report.format,
        }  # fmt: skip

    return write
