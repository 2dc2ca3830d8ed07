"""Hostile files: none crashes, none is imported in part."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from journal.importers.read import read_file
from journal.importers.rows import BOOKED
from journal.importers.text import MAX_RAW, FileError
from journal.models import CashEntry, Fill, ImportBatch, ImportRow, Trade
from journal.services.imports.commit import import_commit
from journal.services.imports.stage import import_upload
from tests.importers.cases import FILES
from tests.importers.hostile import corpus
from tests.journal.people import make_people

pytestmark = pytest.mark.django_db
KINDS = {"cut", "flipped", "cell", "shuffled", "doubled"}


def test_the_corpus_has_at_least_five_hundred_files_and_is_the_same_each_time() -> None:
    first = [(name, hash(data)) for name, data in corpus()]
    assert len(first) >= 500
    assert first == [(name, hash(data)) for name, data in corpus()]


def memory(name: str) -> int:
    """A figure of this process's memory in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def test_no_hostile_file_crashes_or_is_imported_in_part() -> None:
    people = make_people(time_zone="America/New_York")
    outcomes: dict[str, int] = {}
    Path("/proc/self/clear_refs").write_text("5")  # the peak of the tests before this one is none of ours
    before = memory("VmRSS")
    for name, data in corpus():
        with transaction.atomic():
            batch = import_upload(
                user=people.owner, account=people.account, filename=name, data=data, inline=True
            )
            if batch.state == ImportBatch.State.REFUSED:
                assert batch.problem
                assert batch.problem["message"]
                assert not batch.rows.exists()
            else:
                batch = import_commit(user=people.owner, batch=batch, inline=True)
                assert batch.state == ImportBatch.State.COMMITTED
                recorded = ImportRow.objects.filter(status="recorded")
                legs = sum(len(row.data["legs"]) for row in recorded.exclude(kind="cash"))
                assert Fill.objects.count() >= legs, name
                assert CashEntry.objects.count() == recorded.filter(kind="cash").count(), name
                assert not ImportRow.objects.filter(status="new").exists()
                assert all(len(row.raw) <= MAX_RAW for row in batch.rows.all())
                assert all(row.message for row in batch.rows.filter(status="error"))
            outcomes[batch.state] = outcomes.get(batch.state, 0) + 1
            transaction.set_rollback(True)
        assert (Fill.objects.count(), Trade.objects.count(), ImportRow.objects.count()) == (0, 0, 0)
        assert not CashEntry.objects.exists()
    assert outcomes["refused"] > 50
    assert outcomes["committed"] > 150
    assert memory("VmHWM") - before < 512 * 1024


@pytest.mark.parametrize("name", FILES)
def test_the_good_files_themselves_have_no_error(name: str) -> None:
    people = make_people()
    batch = import_upload(user=people.owner, account=people.account, filename=name, data=FILES[name].encode())
    errors = [(row.line, row.message) for row in batch.rows.filter(status="error")]
    assert (batch.state, errors) == ("staged", [])
    assert all(total["difference"] in ("0.00", "0") for total in batch.totals)
    assert batch.plan["reconciliation"]["difference"] in ("0.00", None)


def test_every_record_of_a_file_that_is_read_is_kept() -> None:
    for name, data in corpus():
        if not KINDS & set(name.split()):
            continue
        try:
            parsed = read_file(data)
        except FileError:
            continue
        assert len(set(parsed.keys)) == len(parsed.rows)
        assert all(row.message or row.legs or row.kind in {"note", "cash"} for row in parsed.rows), name
        assert all(row.legs for row in parsed.rows if row.kind in BOOKED)
