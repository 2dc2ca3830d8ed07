"""What the pages of imports decide: the step of one, what may be done, and which rows it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hedging.models import Job
from journal.models import ImportBatch

_State = ImportBatch.State
#: Rows by what became of them, in the order of the tabs, with a name where the status is not one.
_TABS = {
    "new": "new", "duplicate": "duplicate", "error": "error", "outside": "outside the journal",
    "other": "nothing to record", "recorded": "recorded", "waiting": "waiting", "undone": "undone",
}  # fmt: skip
#: The count of the first tile by state, where it is not the recorded rows.
_FIRST = {
    _State.STAGED: ("New", "new"), _State.COMMITTING: ("New", "new"), _State.DISCARDED: ("New", "new"),
    _State.UNDONE: ("Undone", "undone"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListedImport:
    """An import in the list; ``may_write`` in its account."""

    batch: ImportBatch
    may_write: bool

    @property
    def may_restore(self) -> bool:
        """Whether it was discarded and can be brought back."""
        return self.may_write and self.batch.state == _State.DISCARDED

    @property
    def is_reviewed(self) -> bool:
        """Whether its trades are there to be looked at."""
        return self.batch.state in {_State.STAGED, _State.COMMITTED}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the wizard: where the import is, or past it."""

    text: str
    is_current: bool = False
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class RowsTab:
    """A kind of rows to look at. ``count`` is None where it is not counted."""

    key: str
    text: str
    count: int | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ImportPage:
    """An import for its page: ``job`` reads or records it, ``rows_shown`` are the rows asked for."""

    batch: ImportBatch
    job: Job | None
    may_write: bool
    rows_shown: str

    @property
    def is_moving(self) -> bool:
        """Whether a worker reads or records it, so that the page asks again."""
        return self._is(_State.READING, _State.COMMITTING)

    @property
    def is_refused(self) -> bool:
        """Whether the file could not be read."""
        return self._is(_State.REFUSED)

    @property
    def is_recorded(self) -> bool:
        """Whether its rows are in the journal."""
        return self._is(_State.COMMITTED)

    @property
    def may_record(self) -> bool:
        """Whether there are checked rows to record."""
        return self.may_write and self._is(_State.STAGED) and bool(self.batch.counts.get("new"))

    @property
    def may_undo(self) -> bool:
        """Whether it is recorded."""
        return self.may_write and self.is_recorded

    @property
    def may_discard(self) -> bool:
        """Whether it can be discarded: nothing is recorded, and no worker is at it."""
        rests = self._is(_State.STAGED, _State.REFUSED) or (self._is(_State.READING) and not self._is_open)
        return self.may_write and rests

    @property
    def may_restore(self) -> bool:
        """Whether it was discarded and can be brought back."""
        return self.may_write and self._is(_State.DISCARDED)

    @property
    def may_release(self) -> bool:
        """Whether recording ended without a result, and checking can go on."""
        return self.may_write and self._is(_State.COMMITTING) and not self._is_open

    @property
    def may_reread(self) -> bool:
        """Whether the file can be read another way."""
        return self.may_write and self._is(_State.STAGED, _State.REFUSED)

    @property
    def may_group(self) -> bool:
        """Whether trades of the file can be named, merged and confirmed."""
        return self.may_write and not self._is(_State.DISCARDED)

    @property
    def may_merge(self) -> bool:
        """Whether there are trades to merge."""
        return self.may_group and len(self.batch.plan.get("shown") or ()) > 1

    @property
    def may_fix(self) -> bool:
        """Whether rows can be changed."""
        return self.may_write and self._is(_State.STAGED)

    @property
    def nothing_new(self) -> str:
        """Why there is nothing to record, empty while there is something."""
        counts = self.batch.counts
        if not self._is(_State.STAGED) or counts.get("new"):
            return ""
        if counts.get("error"):
            return "the rows that are not understood come first."
        if counts.get("duplicate"):
            return "every row of this file is recorded already."
        return "no row of this file belongs into the journal."

    @property
    def perhaps_twice(self) -> list[int]:
        """Lines whose money the cash ledger may hold already, while they are checked."""
        moved = self.batch.plan.get("cash_movements") or {}
        return list(moved.get("perhaps_twice") or ()) if self._is(_State.STAGED) else []

    @property
    def possible_rolls(self) -> list[dict[str, Any]]:
        """Rolls seen in the file before it is recorded."""
        return list(self.batch.plan.get("rolls") or ()) if self._is(_State.STAGED) else []

    @property
    def first_count(self) -> tuple[str, int]:
        """Name and number of the first tile: rows to record, recorded or undone."""
        name, key = _FIRST.get(_State(self.batch.state), ("Recorded", "recorded"))
        return name, int(self.batch.counts.get(key) or 0)

    @property
    def waiting(self) -> int:
        """Rows that wait for the opening of their position: as planned, or as recorded."""
        planned = self._is(_State.STAGED, _State.DISCARDED)
        return int((self.batch.plan if planned else self.batch.counts).get("waiting") or 0)

    @property
    def steps(self) -> list[Step]:
        """Read, check, recorded; or how it ended otherwise."""
        ended = self._is(_State.UNDONE, _State.DISCARDED)
        reading, recorded = self._is(_State.READING, _State.REFUSED), self._is(_State.COMMITTED)
        checked = self._is(_State.STAGED, _State.COMMITTING)
        undone = self._is(_State.UNDONE)
        found = [Step("Read", reading, not reading), Step("Check", checked, recorded or undone)]
        if not self._is(_State.DISCARDED):
            found.append(Step("Recorded", recorded, undone))
        return [*found, Step(self.batch.get_state_display(), is_current=True)] if ended else found

    @property
    def tabs(self) -> Iterator[RowsTab]:
        """All rows, those of each status there is, and the cash movements."""
        shown = self.rows_shown or "all"
        yield RowsTab("all", "all", None, shown == "all")
        for key, text in _TABS.items():
            if count := self.batch.counts.get(key):
                yield RowsTab(key, text, count, shown == key)
        yield RowsTab("cash", "cash movements", None, shown == "cash")

    @property
    def _is_open(self) -> bool:
        return self.job is not None and self.job.is_open

    def _is(self, *states: ImportBatch.State) -> bool:
        return self.batch.state in states
