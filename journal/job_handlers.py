"""Imports every module that registers a job handler, so that workers know all kinds."""

from journal.reports import tax
from journal.reports import worker as reports
from journal.services import backtests, valuation
from journal.services.alerts import alerts
from journal.services.attribution import batch as attribution_batch
from journal.services.attribution import jobs as attribution
from journal.services.governance import advice, evidence, recovery
from journal.services.imports import commit as import_commit
from journal.services.own_data import export as data_export
from journal.services.own_data import load as data_import
from journal.services.reports import schedules as report_schedules

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
