"""Tables of the journal app."""

from journal.models.accounts import (
    MANAGE_ROLES,
    WRITE_ROLES,
    Account,
    AccountQuerySet,
    Membership,
    Role,
)
from journal.models.alerts import Alert, AlertChannel, AlertDelivery
from journal.models.audit import AuditEvent
from journal.models.backtest import BacktestPart, BacktestRun
from journal.models.capital import CapitalDay, CashEntry, CashImport
from journal.models.governance import (
    AdviceRun,
    ApprovalChange,
    Decision,
    Outcome,
    Recommendation,
    RulesetVersion,
    Signature,
)
from journal.models.imports import (
    GroupChoice,
    GroupLabel,
    ImportBatch,
    ImportRow,
    ImportSetting,
    TradeLink,
)
from journal.models.marks import AttributionDay, DailyMark
from journal.models.personal import (
    BulkChange,
    DataTransfer,
    DeletionRequest,
    PersonalQuerySet,
    SavedView,
)
from journal.models.results import AccountRisk, IdempotencyKey, Report, Valuation
from journal.models.review import (
    Attachment,
    Note,
    NoteRevision,
    Playbook,
    Tag,
    Tagging,
    TradeReview,
)
from journal.models.risk import (
    BreachCase,
    BreachComment,
    Measure,
    RiskGroup,
    RiskLimit,
    RiskRow,
    RiskSheet,
)
from journal.models.schedules import ReportSchedule
from journal.models.tax import YearEndMark
from journal.models.trades import Fill, OwnedQuerySet, Trade
from journal.models.users import MARKET_GROUP, RISK_GROUP, RISK_OFFICER_GROUP, User

__all__ = [
    "MANAGE_ROLES",
    "MARKET_GROUP",
    "RISK_GROUP",
    "RISK_OFFICER_GROUP",
    "WRITE_ROLES",
    "Account",
    "AccountQuerySet",
    "AccountRisk",
    "AdviceRun",
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "ApprovalChange",
    "Attachment",
    "AttributionDay",
    "AuditEvent",
    "BacktestPart",
    "BacktestRun",
    "BreachCase",
    "BreachComment",
    "BulkChange",
    "CapitalDay",
    "CashEntry",
    "CashImport",
    "DailyMark",
    "DataTransfer",
    "Decision",
    "DeletionRequest",
    "Fill",
    "GroupChoice",
    "GroupLabel",
    "IdempotencyKey",
    "ImportBatch",
    "ImportRow",
    "ImportSetting",
    "Measure",
    "Membership",
    "Note",
    "NoteRevision",
    "Outcome",
    "OwnedQuerySet",
    "PersonalQuerySet",
    "Playbook",
    "Recommendation",
    "Report",
    "ReportSchedule",
    "RiskGroup",
    "RiskLimit",
    "RiskRow",
    "RiskSheet",
    "Role",
    "RulesetVersion",
    "SavedView",
    "Signature",
    "Tag",
    "Tagging",
    "Trade",
    "TradeLink",
    "TradeReview",
    "User",
    "Valuation",
    "YearEndMark",
]
