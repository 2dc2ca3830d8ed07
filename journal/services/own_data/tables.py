"""A user's data as plain rows without ids, so that the same data has the same digest anywhere.

Rows name each other by ``table:number``; the number is the row's place after sorting the table by its
content. Ids inside JSON become such names too. Accounts are exported with their trades by those who own
them; what an installation computed or decided is written down beside it, and not read back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from django.db import models
from django.db.models import QuerySet

from hedging.models import Contract
from journal import models as tables
from journal.models import MANAGE_ROLES, Account, Membership, Trade, User

Row = dict[str, Any]
VERSION = 1
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME = re.compile(r"@@([a-z_]+:[0-9]+)@@")


@dataclass(frozen=True, slots=True)
class KeptTable:
    """One kept table: its name in the file, its model, fields that are made anew, and its owner."""

    name: str
    model: type[models.Model]
    without: frozenset[str] = frozenset()
    personal: bool = False
    #: Rows that may hold megabytes: they are read one at a time.
    heavy: bool = False


def _table(
    name: str, model: type[models.Model], *without: str, personal: bool = False, heavy: bool = False
) -> KeptTable:
    return KeptTable(name, model, frozenset(without), personal, heavy)


#: Tables that are read back, those that are named before those that name them.
KEPT = (
    _table("accounts", Account),
    _table("trades", Trade),
    _table("fills", tables.Fill),
    _table("cash_imports", tables.CashImport, heavy=True),
    _table("cash_entries", tables.CashEntry),
    _table("import_batches", tables.ImportBatch, "job_id", heavy=True),
    _table("import_rows", tables.ImportRow),
    _table("import_settings", tables.ImportSetting),
    _table("group_choices", tables.GroupChoice),
    _table("group_labels", tables.GroupLabel),
    _table("trade_links", tables.TradeLink),
    _table("tags", tables.Tag),
    _table("playbooks", tables.Playbook),
    _table("reviews", tables.TradeReview),
    _table("taggings", tables.Tagging),
    _table("notes", tables.Note),
    _table("note_revisions", tables.NoteRevision),
    _table("attachments", tables.Attachment, "thumbnail", heavy=True),
    _table("year_end_marks", tables.YearEndMark),
    _table("saved_views", tables.SavedView, personal=True),
)
#: Tables that are written down and not read back, with the way from a row to its account.
RECORDED: dict[type[models.Model], str] = {
    Membership: "account",
    tables.AuditEvent: "",
    tables.RulesetVersion: "account",
    tables.AdviceRun: "account",
    tables.Recommendation: "account",
    tables.Signature: "account",
    tables.ApprovalChange: "account",
    tables.Decision: "account",
    tables.Outcome: "account",
    tables.Alert: "account",
    tables.AlertDelivery: "alert__account",
    tables.Report: "account",
    tables.ReportSchedule: "account",
    tables.CapitalDay: "account",
    tables.AttributionDay: "account",
    tables.DailyMark: "account",
    tables.BacktestRun: "account",
    tables.BacktestPart: "run__account",
    tables.BreachCase: "account",
    tables.BreachComment: "case__account",
}
#: Tables that are not in the file, and why.
LEFT_OUT: dict[type[models.Model], str] = {
    User: "the profile is written apart, without password and sessions",
    tables.AlertChannel: "holds addresses and secrets of channels",
    tables.IdempotencyKey: "answers to requests of the API, kept for repeats only",
    tables.BulkChange: "undo records end after half an hour",
    tables.Valuation: "computed again from the fills",
    tables.AccountRisk: "computed again from the fills",
    tables.RiskRow: "computed again from the fills",
    tables.RiskSheet: "the risk desk's, of all accounts",
    tables.RiskGroup: "the risk desk's, of many accounts",
    tables.RiskLimit: "the risk desk's, set for the firm",
    tables.DataTransfer: "the exports themselves",
    tables.DeletionRequest: "concerns the login, not its data",
}


def owned_accounts(user: User) -> QuerySet[Account]:
    """Accounts whose data are the user's own."""
    return Account.objects.for_user(user, MANAGE_ROLES)


@dataclass(slots=True)
class Portable:
    """Kept tables as rows, the files they name by SHA-256, and digests of the rows."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def digests(self) -> dict[str, str]:
        """SHA-256 of each table's rows in their order."""
        return {name: digest_of(rows) for name, rows in sorted(self.rows.items())}

    def digest(self) -> str:
        """One SHA-256 over all tables."""
        return digest_of(self.digests())

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return {name: len(rows) for name, rows in self.rows.items()}


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the same value is the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: Any) -> str:
    """SHA-256 of a value's canonical text."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


class RowsDigest:
    """The digest of a list of rows, row by row."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"[")
        self.count = 0

    def add(self, row: Row) -> None:
        """Take the next row. Raises UnicodeEncodeError for text that is no Unicode."""
        self._hash.update((b"," if self.count else b"") + canonical(row).encode())
        self.count += 1

    def value(self) -> str:
        """The digest of the rows so far: that of ``digest_of`` for their list."""
        found = self._hash.copy()
        found.update(b"]")
        return found.hexdigest()


class ChangedMeanwhileError(RuntimeError):
    """A row names another one that was not there when its table was read."""


def collect(
    user: User, *, progress: Callable[[int, int, str], None] = lambda done, total, phase: None
) -> Portable:
    """Read everything the user owns. Raises ChangedMeanwhileError when it changed under the reading."""
    found, names = Portable(), _Names()
    accounts = list(owned_accounts(user).values_list("pk", flat=True))
    for number, table in enumerate(KEPT):
        progress(number, len(KEPT) + 2, table.name.replace("_", " "))
        objects = owned_rows(table, user, accounts)
        found.rows[table.name] = _encode(table, objects, user, names, found.files)
    return found


def owned_rows(table: KeptTable, user: User, accounts: Sequence[Any]) -> QuerySet[Any]:
    """Rows of a table that are the user's own, ``accounts`` being the keys of the owned accounts."""
    manager = table.model._default_manager  # noqa: SLF001
    if table.personal:
        return manager.filter(user=user)
    return manager.filter(**{"pk__in" if table.model is Account else "account__in": accounts})


class Names(Protocol):
    """How rows are named: by model and id, and where a text holds an id."""

    def of(self, model: type[models.Model], pk: Any) -> str:
        """The name of a row."""

    def swapped(self, text: str) -> str:
        """The text with names for the ids of rows."""


class _Names:
    """Names of rows by table and id, and names inside JSON."""

    def __init__(self) -> None:
        self.by_id: dict[tuple[type[models.Model], Any], str] = {}
        self.by_text: dict[str, str] = {}

    def add(self, model: type[models.Model], pk: Any, name: str) -> None:
        self.by_id[model, pk] = name
        if isinstance(pk, UUID):
            self.by_text[str(pk)] = f"@@{name}@@"

    def of(self, model: type[models.Model], pk: Any) -> str:
        try:
            return self.by_id[model, pk]
        except KeyError:
            raise ChangedMeanwhileError(f"{model.__name__} {pk}") from None

    def swapped(self, text: str) -> str:
        return UUID_TEXT.sub(lambda match: self.by_text.get(match[0], match[0]), text)


def plain_fields(table: KeptTable) -> list[Any]:
    """Columns of a table that are data: no id, nothing the database writes by itself."""
    return [
        f
        for f in table.model._meta.concrete_fields  # noqa: SLF001
        if not f.primary_key and f.name not in table.without and not getattr(f, "auto_now", False)
    ]


def plain_default(f: Any) -> Any:
    """What a column holds where nothing was said, as it is written in a row."""
    value = None if f.is_relation else f.get_default()
    if isinstance(f, models.DecimalField) and value is not None:
        return f"{Decimal(value):.{f.decimal_places}f}"
    return value


def _encode(
    table: KeptTable, objects: QuerySet[Any], user: User, names: _Names, files: dict[str, bytes]
) -> list[Row]:
    symbols = symbols_of(table, objects)
    pairs: list[tuple[str, Row, Any]] = []
    for item in objects.iterator(chunk_size=500):
        row = plain_row(table, item, user, names, symbols, files)
        pairs.append((canonical(row), row, item))
    pairs.sort(key=lambda pair: (pair[0], str(pair[2].pk)))
    for number, (_, _, item) in enumerate(pairs):
        names.add(table.model, item.pk, f"{table.name}:{number}")
    for _, row, item in pairs:
        name_own(table, item, row, names)
    if table.model is Trade:
        add_links({item.pk: row for _, row, item in pairs}, names)
    return [row for _, row, _ in pairs]


def plain_row(
    table: KeptTable, item: Any, user: User, names: Names, symbols: Mapping[int, str],
    files: dict[str, bytes] | None,
) -> Row:  # fmt: skip
    """A row without what it says about rows of its own table; its files are put into ``files``, if asked."""
    return {f.name: _value(f, item, table, user, names, symbols, files) for f in plain_fields(table)}


def own_fields(table: KeptTable) -> list[Any]:
    """Columns that name rows of the same table."""
    return [f for f in plain_fields(table) if f.is_relation and f.related_model is table.model]


def name_own(table: KeptTable, item: Any, row: Row, names: Names) -> None:
    """Name the rows of the same table, once all of them have names."""
    for f in own_fields(table):
        if getattr(item, f.attname) is not None:
            row[f.name] = names.of(table.model, getattr(item, f.attname))


def symbols_of(table: KeptTable, objects: QuerySet[Any]) -> dict[int, str]:
    """Symbols of the contracts the rows name, in one query."""
    related = [f for f in plain_fields(table) if f.is_relation and f.related_model is Contract]
    if not related:
        return {}
    wanted = objects.order_by().values("contract_id").distinct()
    return dict(Contract.objects.filter(pk__in=wanted).values_list("pk", "symbol"))


def add_links(rows: Mapping[Any, Row], names: Names) -> None:
    """Say in rows of trades, given by id, what each protects."""
    for row in rows.values():
        row["protects"] = []
    through = Trade.protects.through
    for link in through.objects.filter(from_trade__in=list(rows)).iterator():
        rows[link.from_trade_id]["protects"].append(names.of(Trade, link.to_trade_id))
    for row in rows.values():
        row["protects"].sort()


def _value(
    f: Any, item: Any, table: KeptTable, user: User, names: Names, symbols: Mapping[int, str],
    files: dict[str, bytes] | None,
) -> Any:  # fmt: skip
    value = getattr(item, f.attname)
    if f.is_relation:
        return _relation(f, value, table, user, names, symbols)
    if value is None or isinstance(value, bool | int | str):
        return names.swapped(str(value)) if f.name == "query" else value
    if isinstance(value, Decimal):
        return f"{value:.{f.decimal_places}f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(f, models.BinaryField):
        content = bytes(value)
        digest = hashlib.sha256(content).hexdigest()
        if files is not None:
            files[digest] = content
        return {"file": digest}
    if isinstance(f, models.JSONField):
        return json.loads(names.swapped(canonical(value)))
    return str(value)


def _relation(
    f: Any, value: Any, table: KeptTable, user: User, names: Names, symbols: Mapping[int, str]
) -> str | None:
    """How a row names another one: people as ``me`` or nobody, contracts by symbol, rows by name."""
    if value is None or f.related_model is table.model:
        return None
    if f.related_model is User:
        return "me" if value == user.pk else None
    if f.related_model is Contract:
        return symbols[value]
    return names.of(f.related_model, value)


def swapped_back(value: Any, find: Callable[[str], UUID | None]) -> Any:
    """Names inside JSON or an address as the ids of this installation, as far as ``find`` knows them."""
    text = canonical(value)
    return json.loads(_NAME.sub(lambda match: str(find(match[1]) or match[0]), text))
