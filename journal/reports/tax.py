"""The tax worksheet as CSV and as a printed document."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.utils import timezone

from hedging.jobs.context import JobContext
from hedging.jobs.registry import job_handler
from journal.job_kinds import TAX_PDF
from journal.models import Report, User
from journal.reports.layout import Column, Document, Section, Table, gain, text
from journal.safe_csv import safe_cell
from journal.selectors.jobs import account_of_job
from journal.services.reports.jobs import ReportOrder, report_filename
from journal.services.tax import NOT_ADVICE, TaxLine, TaxYear, tax_year
from journal.templatetags.figures import money_text

_HEAD = (
    "part",
    "line",
    "identification",
    "quantity_at_year_end",
    "realized",
    "year_end_mark",
    "loss",
    "gain",
    "note",
)


def form_lines(year: TaxYear) -> list[tuple[str, str, Decimal | None]]:
    """Form 6781 Part I below the contracts: line, words, dollars (None: to be filled in by hand)."""
    return [
        ("2", "Losses and gains of all contracts", None),
        ("3", "Net gain or loss", year.net),
        ("4", "Adjustments to Forms 1099-B", None),
        ("5", "Lines 3 and 4 together", year.net),
        ("6", "Net loss carried back, if you elect it", None),
        ("7", "Lines 5 and 6 together", year.net),
        ("8", "Short-term part, 40%", year.short_term),
        ("9", "Long-term part, 60%", year.long_term),
    ]


def note_of(line: TaxLine, year: TaxYear) -> str:
    """What a reader must know about a line."""
    if line.realized is None:
        return "the mark at the start of the year is unknown"
    if line.mark is None:
        return ""
    if not year.is_final:
        return f"open, marked on {year.last_session}"
    if line.mark.price is None:
        return f"year-end mark unknown: {line.mark.source}"
    return f"marked at {line.mark.price.normalize():f}, {line.mark.source}"


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Contracts of one root that expire in one month, with notes; dollars, None while one is unknown."""

    name: str
    lines: tuple[tuple[TaxLine, str], ...]
    total: Decimal | None
    open_count: int


def line_groups(year: TaxYear) -> list[LineGroup]:
    """The Section 1256 lines by root and month of expiry, in the order of the lines."""
    groups: dict[str, list[TaxLine]] = {}
    for line in year.lines:
        month = f", {line.spec.expiry:%B %Y}" if line.spec.expiry else ""
        groups.setdefault(f"{line.spec.root}{month}", []).append(line)
    found = []
    for name, lines in groups.items():
        totals = [line.total for line in lines]
        known = [total for total in totals if total is not None]
        found.append(
            LineGroup(
                name,
                tuple((line, note_of(line, year)) for line in lines),
                sum(known, Decimal(0)) if len(known) == len(totals) else None,
                sum(bool(line.result.open_end) for line in lines),
            )
        )
    return found


def render_csv(year: TaxYear) -> bytes:
    """The worksheet as CSV: one row a contract, then the lines of the form, then what stands apart."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD)
    for line in year.lines:
        writer.writerow(["6781-I", "1", *_figures(line), note_of(line, year)])
    writer.writerow(["6781-I", "2", "Totals", "", "", "", f"{-year.losses:.2f}", f"{year.gains:.2f}", ""])
    for number, words, amount in form_lines(year)[1:]:
        writer.writerow(
            ["6781-I", number, words, "", "", "", "", "" if amount is None else f"{amount:.2f}", ""]
        )
    for line in year.securities:
        writer.writerow(["securities", "", *_figures(line), "first in, first out; wash sales not considered"])
    for line in year.uncertain:
        writer.writerow(["uncertain", "", *_figures(line), "treatment uncertain; in no total"])
    if year.unknown:
        writer.writerow(["note", "", f"{year.unknown} contracts are unknown and in no total", *[""] * 6])
    if year.carryback:
        writer.writerow(["note", "", year.carryback, *[""] * 6])
    writer.writerow(["note", "", NOT_ADVICE, *[""] * 6])
    return out.getvalue().encode()


def _figures(line: TaxLine) -> list[str]:
    def amount(value: Decimal | None) -> str:
        return "unknown" if value is None else f"{value:.2f}"

    total = line.total
    return [
        safe_cell(line.spec.symbol), str(line.result.open_end or ""), amount(line.realized),
        amount(line.year_end) if line.result.open_end else "",
        "unknown" if total is None else f"{-total:.2f}" if total < 0 else "",
        "unknown" if total is None else f"{total:.2f}" if total >= 0 else "",
    ]  # fmt: skip


def document(year: TaxYear, generated_at: datetime) -> Document:
    """The worksheet as it is printed."""
    account = year.account
    notices = [NOT_ADVICE]
    if not year.is_final:
        notices.append(f"The year is not over: open contracts are marked on {year.last_session}.")
    if year.unknown:
        notices.append(f"{year.unknown} contracts have no known result; they are in no total.")
    if year.carryback:
        notices.append(year.carryback)
    columns = (
        text("Contract"),
        gain("Realized", "$"),
        gain("Year-end mark", "$"),
        gain("Total", "$"),
        text("Note"),
    )
    rows = tuple(_row(line, note_of(line, year)) for line in year.lines)
    foot = (("All known", "", "", money_text(year.net, signed=True), ""),)
    form = Table(
        (text("Line"), text("Form 6781, Part I"), gain("Amount", "$")),
        tuple(
            (n, words, "" if amount is None else money_text(amount, signed=True))
            for n, words, amount in form_lines(year)
        ),
    )
    return Document(
        title=f"Form 6781 worksheet {year.year}",
        account=account.name,
        period=f"{year.year}-01-01 to {year.year}-12-31",
        meta=(
            ("Account", f"{account.broker} {account.number_masked}".strip()),
            ("Last trading day", str(year.last_session)),
            ("Made", f"{generated_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
        ),
        notices=tuple(notices),
        headline=(
            ("Net Section 1256", money_text(year.net, signed=True), "gain"),
            ("Long-term, 60%", money_text(year.long_term, signed=True), "gain"),
            ("Short-term, 40%", money_text(year.short_term, signed=True), "gain"),
        ),
        sections=(
            Section(
                "Section 1256 contracts", "First in, first out; fees included.",
                Table(columns, rows, foot, layout="wide"), empty="" if rows else "None in this year.",
            ),
            Section("Lines of the form", "Lines 4 and 6 are yours to fill in.", form),
            _apart("Securities", "First in, first out. Wash sales are not considered.", year.securities),
            _apart("Treatment uncertain", "Options on volatility ETPs, in no total.", year.uncertain),
        ),
    )  # fmt: skip


def _row(line: TaxLine, note: str) -> tuple[str, ...]:
    year_end = money_text(line.year_end, signed=True) if line.result.open_end else ""
    return (
        line.spec.symbol, money_text(line.realized, signed=True), year_end,
        money_text(line.total, signed=True), note,
    )  # fmt: skip


def _apart(title: str, intro: str, lines: tuple[TaxLine, ...]) -> Section:
    columns: tuple[Column, ...] = (text("Contract"), gain("Short-term", "$"), gain("Long-term", "$"))
    rows = tuple(
        (
            line.spec.symbol,
            money_text(sum((p.gain for p in line.result.closed if not p.long_term), Decimal(0)), signed=True),
            money_text(sum((p.gain for p in line.result.closed if p.long_term), Decimal(0)), signed=True),
        )
        for line in lines
    )
    return Section(title, intro, Table(columns, rows), empty="" if rows else "None in this year.")


@job_handler(TAX_PDF)
def tax_pdf(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Typeset the worksheet; it is stored like a report."""
    from journal.reports.pdf import render_document

    account = account_of_job(context.job)
    context.progress(0, 3, "working out the year")
    now = timezone.now()
    year = tax_year(account=account, year=int(context.job.payload["year"]), now=now)
    context.progress(1, 3, "typesetting")
    content = render_document(
        document(year, now), time_zone=account.time_zone, simulated=account.is_demo, made=now
    )
    context.progress(2, 3, "storing")
    first, last = date(year.year, 1, 1), date(year.year, 12, 31)
    order = ReportOrder("pdf", first, last, now, str(context.job.payload["by"]))
    user = User.objects.filter(public_id=context.job.requested_by).first()

    def write() -> dict[str, Any]:
        report, _ = Report.objects.get_or_create(
            job_id=context.job.pk,
            defaults={
                "account": account, "format": Report.Format.PDF, "date_from": order.date_from,
                "date_to": order.date_to, "content": content, "sha256": sha256(content).hexdigest(),
                "filename": f"form-6781-{report_filename(account, order)}", "requested_by": user,
            },
        )  # fmt: skip
        return {"report_id": str(report.pk), "filename": report.filename, "format": "pdf"}

    return write
