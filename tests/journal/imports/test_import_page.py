"""What the page of an import offers at each step."""

from __future__ import annotations

import pytest

from hedging.models import Job
from journal.models import ImportBatch
from journal.selectors.imports.page import ImportPage

State = ImportBatch.State
OFFERS = (
    "may_record", "may_undo", "may_discard", "may_restore", "may_release", "may_reread", "may_fix",
)  # fmt: skip


def page(state: str, *, job: Job | None = None, may_write: bool = True, **counts: int) -> ImportPage:
    return ImportPage(
        batch=ImportBatch(state=state, counts=counts), job=job, may_write=may_write, rows_shown=""
    )


def offers(shown: ImportPage) -> set[str]:
    return {name for name in OFFERS if getattr(shown, name)}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.READING, {"may_discard"}),
        (State.STAGED, {"may_record", "may_discard", "may_reread", "may_fix"}),
        (State.REFUSED, {"may_discard", "may_reread"}),
        (State.COMMITTING, {"may_release"}),
        (State.COMMITTED, {"may_undo"}),
        (State.UNDONE, set()),
        (State.DISCARDED, {"may_restore"}),
    ],
)
def test_each_step_offers_what_can_be_done_then(state: str, expected: set[str]) -> None:
    assert offers(page(state, new=3)) == expected
    assert offers(page(state, new=3, may_write=False)) == set()


@pytest.mark.parametrize("state", [State.READING, State.COMMITTING])
def test_nothing_is_offered_while_a_worker_is_at_it(state: str) -> None:
    assert offers(page(state, job=Job(state=Job.State.RUNNING), new=3)) == set()


@pytest.mark.parametrize(
    ("state", "here", "done"),
    [
        (State.REFUSED, ["Read"], []),
        (State.STAGED, ["Check"], ["Read"]),
        (State.COMMITTED, ["Recorded"], ["Read", "Check"]),
        (State.UNDONE, ["Undone"], ["Read", "Check", "Recorded"]),
    ],
)
def test_the_steps_say_where_the_import_is(state: str, here: list[str], done: list[str]) -> None:
    steps = page(state).steps
    assert [step.text for step in steps if step.is_current] == here
    assert [step.text for step in steps if step.is_done] == done


def test_a_file_with_nothing_new_says_why() -> None:
    assert page(State.STAGED, new=1).nothing_new == ""
    assert "not understood" in page(State.STAGED, error=1, duplicate=1).nothing_new
    assert "recorded already" in page(State.STAGED, duplicate=2).nothing_new
    assert page(State.COMMITTED).nothing_new == ""
