"""Imports every module that registers a job handler, so that workers know all kinds."""

from journal.reports import tax
from journal.reports import worker as reports
from journal.services import (
    advice,
    alerts,
    attribution,
    attribution_batch,
    backtests,
    data_export,
    data_import,
    evidence,
    import_commit,
    recovery,
    report_schedules,
    valuation,
)

__all__ = [
    "advice",
    "alerts",
    "attribution",
    "attribution_batch",
    "backtests",
    "data_export",
    "data_import",
    "evidence",
    "import_commit",
    "recovery",
    "report_schedules",
    "reports",
    "tax",
    "valuation",
]
