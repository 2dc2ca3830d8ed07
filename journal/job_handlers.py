"""Imports every module that registers a job handler, so that workers can do all kinds."""

import journal.reports.tax
import journal.reports.worker
import journal.services.alerts.alerts
import journal.services.attribution.batch
import journal.services.attribution.jobs
import journal.services.backtests
import journal.services.governance.advice
import journal.services.governance.evidence
import journal.services.governance.recovery
import journal.services.imports.commit
import journal.services.own_data.export
import journal.services.own_data.load
import journal.services.reports.schedules
import journal.services.risk.sheet
import journal.services.valuation  # noqa: F401
