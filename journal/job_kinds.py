"""The kinds of job of the journal app: what people read, where the result is shown, the lease."""

from __future__ import annotations

from hedging.jobs.registry import Payload, job_kind


def _report_title(asked: Payload) -> str:
    return f"{asked['format'].upper()} report, {asked['date_from']} to {asked['date_to']}"


VALUE_ACCOUNT = job_kind("journal.value_account", title="Valuation", page="journal:trades")
ATTRIBUTE = job_kind("journal.attribute", title="P&L attribution", page="journal:attribution")
ATTRIBUTE_DAY = job_kind("journal.attribute_day", title="P&L attribution of a session")
ADVISE = job_kind("journal.advise", title="Recommendations", page="journal:hedge", refreshes_page=True)
EVIDENCE = job_kind(
    "journal.ruleset_evidence", title="Replay of the rules", page="journal:rules_version", page_key="version",
    refreshes_page=True,
)  # fmt: skip
BACKTEST = job_kind("journal.backtest", title="Backtest", page="journal:backtest_run", page_key="run")
BACKTEST_PART = job_kind(
    "journal.backtest_part", title="Backtest of parameter sets", page="journal:backtest_run", page_key="run"
)
IMPORT_READ = job_kind(
    "journal.import_read", title="Reading the file", page="journal:import_view", page_key="batch",
    lease_seconds=30,
)  # fmt: skip
IMPORT_COMMIT = job_kind(
    "journal.import_commit", title="Recording the import", page="journal:import_view", page_key="batch",
    lease_seconds=30,
)  # fmt: skip
RENDER_REPORT = job_kind(
    "journal.render_report", title=_report_title, page="journal:reports", lease_seconds=15
)
MAIL_REPORT = job_kind(
    "journal.mail_report", title="E-mail of a report", page="journal:reports", lease_seconds=60
)
TAX_PDF = job_kind("journal.tax_pdf", title="Form 6781 worksheet", page="journal:tax", lease_seconds=15)
DELIVER_ALERT = job_kind("journal.deliver_alert", title="Alert", page="journal:alerts")
NOTIFY_SIGNER = job_kind("journal.tell_signer", title="E-mail to a signer", page="journal:alerts")
DATA_EXPORT = job_kind(
    "journal.data_export", title="Export of your data", page="journal:own_data", lease_seconds=30
)
#: The lease outlasts the writing of the largest file: one transaction, which nothing can prolong.
DATA_IMPORT = job_kind(
    "journal.data_import", title="Import of your data", page="journal:own_data", lease_seconds=300
)
RISK_SHEET = job_kind("journal.risk_sheet", title="Risk of all accounts", page="journal:risk")
