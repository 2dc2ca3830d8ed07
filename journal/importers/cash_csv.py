"""A plain CSV of cash movements, read whole: every problem with its line and column, nothing guessed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from journal.importers.fields import Row, columns
from journal.importers.text import CellError, Cells, FileError, decode, needed, records, unpack
from journal.models import CashEntry

MAX_BYTES = 4 * 2**20
MAX_ROWS = 20_000
#: Problems told of one file; the rest is counted.
MAX_PROBLEMS = 200
_ALIASES = {"day": "date", "type": "kind", "id": "external_id"}
_NEEDED = ("date", "kind", "amount")
_KNOWN = (*_NEEDED, "purpose", "note", "external_id", "in_force")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOTE, _ID = 200, 100
_Kind = CashEntry.Kind
#: Kinds a file may take back by a sign against their direction.
_TAKEN_BACK = {
    _Kind.INTEREST_EARNED, _Kind.INTEREST_PAID, _Kind.DIVIDEND, _Kind.FEE, _Kind.OTHER_CREDIT,
    _Kind.OTHER_DEBIT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CashProblem:
    """What is wrong, and where: ``line`` counts from 1, ``column`` is the heading or empty."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class CashRow:
    """One movement: ``amount`` above zero, ``key`` what it is known by when the file comes again.

    ``back`` when its sign goes against its kind: a fee given back, interest taken back.
    """

    line: int
    day: date
    kind: str
    amount: Decimal
    purpose: str = ""
    note: str = ""
    key: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class CashFile:
    """The file's movements; ``left_out`` rows say themselves that they are not in force."""

    rows: tuple[CashRow, ...]
    problems: tuple[CashProblem, ...]
    left_out: int = 0


def read_cash(data: bytes) -> CashFile:
    """Read a CSV with the columns date, kind and amount, and perhaps purpose, note, external_id, in_force.

    Rows are known by their external id, else by a hash of what they say and their ordinal among equal ones.
    """
    if len(data) > MAX_BYTES:
        return _refused(0, f"The file is larger than {MAX_BYTES // 2**20} MiB.")
    try:
        every = list(records(decode(unpack(data))))
    except FileError as error:
        return _refused(error.line, error.message)
    if not every:
        return _refused(0, "The file holds nothing but empty cells.")
    names = [_heading(cell) for cell in every[0].cells]
    problems = _heading_problems(names, every[0])
    if problems:
        return CashFile((), tuple(problems))
    if len(every) - 1 > MAX_ROWS:
        return _refused(every[MAX_ROWS + 1].line, f"The file has more than {MAX_ROWS:,} movements.")
    places, rows, left_out = columns(names), [], 0
    for record in every[1:]:
        if len(record.cells) > len(names):
            text = f"The row has {len(record.cells)} cells, the heading {len(names)}."
            problems.append(CashProblem(record.line, "", text))
            continue
        cells = Row(record, places)
        if cells["in_force"].lower() in {"no", "false"}:
            left_out += 1
            continue
        row = _row(cells, problems)
        if row is not None:
            rows.append(row)
    keyed = _keyed(rows)
    problems += _repeated(keyed)
    if not keyed and not problems and not left_out:
        return _refused(every[0].line, "The file has a heading and no movement.")
    return CashFile(keyed, tuple(sorted(problems, key=lambda one: one.line)), left_out)


def _refused(line: int, message: str) -> CashFile:
    return CashFile((), (CashProblem(line, "", message),))


def _heading(cell: str) -> str:
    name = re.sub(r"[\s-]+", "_", cell.strip().lower())
    return _ALIASES.get(name, name)


def _heading_problems(names: list[str], record: Cells) -> list[CashProblem]:
    found = [
        CashProblem(record.line, name, "The heading lacks this column.")
        for name in _NEEDED
        if name not in names
    ]
    for name, cell in zip(names, record.cells, strict=True):
        if name not in _KNOWN:
            text = f"This column is not known; it may be one of {', '.join(_KNOWN)}."
            found.append(CashProblem(record.line, cell.strip()[:40], text))
    twice = [name for name, count in Counter(names).items() if count > 1 and name in _KNOWN]
    return found + [CashProblem(record.line, name, "This column is there twice.") for name in twice]


def _row(cells: Row, problems: list[CashProblem]) -> CashRow | None:
    """One movement, or None with every problem of its cells added."""
    line, before = cells.record.line, len(problems)

    def wrong(column: str, message: str) -> None:
        problems.append(CashProblem(line, column, message))

    day = _day(cells["date"])
    if day is None:
        wrong("date", f"{cells['date'][:40]!r} is not a date such as 2026-01-31.")
    kind = KINDS.get(_heading(cells["kind"]), "")
    if not kind:
        wrong("kind", f"{cells['kind'][:40]!r} is none of {', '.join(CashEntry.Kind.values)}.")
    amount, back = Decimal(0), False
    try:
        amount = needed(cells["amount"], "amount")
    except CellError as error:
        wrong("amount", error.message)
    else:
        back = _against(kind, cells["amount"])
        if back and kind not in _TAKEN_BACK:
            wrong("amount", f"The sign says the opposite of {kind}.")
    purpose = PURPOSES.get(_heading(cells["purpose"]))
    if purpose is None:
        known = ", ".join(value for value in CashEntry.Purpose.values if value)
        wrong("purpose", f"{cells['purpose'][:40]!r} is none of {known}.")
    note = " ".join(cells["note"].split())
    if len(note) > _NOTE:
        wrong("note", f"The note has {len(note)} characters, at most {_NOTE} are kept.")
    key = cells["external_id"]
    if len(key) > _ID or not key.isprintable():
        wrong("external_id", f"An external id has at most {_ID} printable characters.")
    if day is None or len(problems) > before:
        return None
    return CashRow(line, day, kind, abs(amount), purpose or "", note, key, back)


def _against(kind: str, text: str) -> bool:
    """Whether a written sign goes against the kind's direction; without one the kind alone decides."""
    inwards = kind in CashEntry.INFLOWS
    return text.startswith(("-", "(")) if inwards else text.startswith("+")


def _day(text: str) -> date | None:
    """A day written year-month-day, else None."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


KINDS = {_heading(text): value for value, label in CashEntry.Kind.choices for text in (value, str(label))}
PURPOSES = {
    "": "",
    **{_heading(text): value for value, label in CashEntry.Purpose.choices for text in (value, str(label))},
}


def _keyed(rows: Iterable[CashRow]) -> tuple[CashRow, ...]:
    """Rows without an external id get the hash of what they say and their ordinal among equal ones."""
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        if not row.key:
            text = "|".join(
                (str(row.day), row.kind, f"{'back ' * row.back}{row.amount:.2f}", row.purpose, row.note)
            )
            digest = hashlib.sha256(text.encode()).hexdigest()[:32]
            found.append(replace(row, key=f"row:{digest}:{seen[digest]}"))
            seen[digest] += 1
        else:
            found.append(row)
    return tuple(found)


def _repeated(rows: Iterable[CashRow]) -> list[CashProblem]:
    first: dict[str, int] = {}
    found = []
    for row in rows:
        line = first.setdefault(row.key, row.line)
        if line != row.line:
            found.append(CashProblem(row.line, "external_id", f"The same id stands on line {line}."))
    return found
