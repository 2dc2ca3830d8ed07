"""Stored files as answers: same bytes, safe headers, for pages and API alike."""

from __future__ import annotations

import csv
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from django.http import HttpResponse

from journal.models import Report
from journal.safe_csv import safe_cell
from journal.services.reports.jobs import MEDIA_TYPES, report_content

#: A stored report loads nothing, and a page of one runs no script. Its own style is named by its hash; pages
#: of older versions link the site's style sheet.
#: A PDF is not sandboxed: browsers show it in a viewer of their own, which a sandbox switches off.
_POLICY = "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_SANDBOX = "; sandbox"
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


def report_response(report: Report, disposition: str) -> HttpResponse:
    """The stored bytes, checked against their hash; ``disposition`` is inline or attachment."""
    content = report_content(report)
    response = HttpResponse(content, content_type=MEDIA_TYPES[report.format])
    is_pdf = report.format == Report.Format.PDF
    style = _STYLE.search(content) if report.format == Report.Format.HTML else None
    source = f"'sha256-{b64encode(sha256(style[1]).digest()).decode()}'" if style else "'self'"
    response["Content-Security-Policy"] = _POLICY.format(source) + ("" if is_pdf else _SANDBOX)
    response["Content-Disposition"] = f'{disposition}; filename="{report.filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = f'"{report.sha256}"'
    return response


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A table as a CSV file; texts are made harmless for spreadsheets, figures stay figures."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return response


def _cell(value: Any) -> Any:
    """Texts that are no figure lose what a spreadsheet would compute; everything else stays."""
    if not isinstance(value, str):
        return value
    try:
        float(value)
    except ValueError:
        return safe_cell(value)
    return value
