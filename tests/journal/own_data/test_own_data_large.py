"""Large and hostile exports: read row by row, refused by table, row and column, never written in part."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hedging.jobs.engine import job_run
from hedging.models import Contract, Job
from journal.models import Account, DataTransfer, Fill, User
from journal.services.book.fills import fill_reverse
from journal.services.own_data.export import export_request
from journal.services.own_data.load import import_request
from journal.services.own_data.read import MAX_ROW, MIB, Archive, TransferError
from journal.services.own_data.tables import KEPT, Portable, RowsDigest, canonical, collect, digest_of
from tests.journal.own_data.test_own_data import read_in
from tests.journal.people import make_people, make_user, open_condor

pytestmark = pytest.mark.django_db
Rows = dict[str, list[dict[str, Any]]]


def _exported(user: User) -> bytes:
    job = export_request(user=user, token="t")
    assert job_run(job.pk) == Job.State.DONE
    job.refresh_from_db()
    return bytes(DataTransfer.objects.get(pk=job.result["transfer_id"]).content)


def _zip(rows: Rows, *, raw: dict[str, bytes] | None = None) -> bytes:
    """An archive of these rows with digests that fit."""
    found, out = Portable(rows=rows), io.BytesIO()
    manifest = {"product": "ALVH Journal", "version": 1, "digests": found.digests()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, table in rows.items():
            archive.writestr(f"data/{name}.json", (raw or {}).get(name) or canonical(table))
    return out.getvalue()


def _rows(content: bytes) -> Rows:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {t.name: json.loads(archive.read(f"data/{t.name}.json")) for t in KEPT}


def _history() -> bytes:
    """A condor, and one whose first fill was taken back."""
    people = make_people()
    open_condor(people)
    fill = open_condor(people).fills.first()
    assert fill is not None
    fill_reverse(user=people.owner, fill=fill, reason="typo")
    return _exported(people.owner)


def _many(content: bytes, count: int) -> bytes:
    """The history with so many more fills, in the order of an export."""
    rows = _rows(content)
    plain = next(row for row in rows["fills"] if row["reverses"] is None)
    more = [{**plain, "note": f"fill {number:07d} " + "x" * 120} for number in range(count)]
    placed = sorted(
        enumerate([*rows["fills"], *more]), key=lambda one: canonical({**one[1], "reverses": None})
    )
    names = {f"fills:{old}": f"fills:{new}" for new, (old, _) in enumerate(placed)}
    rows["fills"] = [{**row, "reverses": names.get(row["reverses"])} for _, row in placed]
    return _zip(rows)


def test_memory_does_not_grow_with_the_rows_of_an_export() -> None:
    """8 MiB of rows take less room than themselves; held whole they took several times as much."""
    content = _many(_history(), 19_000)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    assert size > 8 * MIB
    reader = make_user("reader")
    job = import_request(user=reader, name="e.zip", content=content)
    tracemalloc.start()
    try:
        state = job_run(job.pk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    job.refresh_from_db()
    assert (state, job.error) == (Job.State.DONE, "")
    assert Fill.objects.filter(account__in=Account.objects.for_user(reader)).count() > 19_000
    assert peak < size, f"{peak / MIB:.1f} MiB for {size / MIB:.1f} MiB of rows"
    assert collect(reader).digest() == job.result["digest"]


def test_equal_rows_keep_their_order_and_what_names_them() -> None:
    """Two trades that differ in nothing but their fills stay two trades with the same fills each."""
    people = make_people()
    open_condor(people)
    rows = _rows(_exported(people.owner))
    rows["trades"] = [rows["trades"][0], dict(rows["trades"][0])]
    for number in range(5):
        content = _zip(rows)
        reader = make_user(f"reader{number}")
        job = read_in(reader, content)
        assert (job.state, job.error) == (Job.State.DONE, "")
        assert collect(reader).digests()["fills"] == digest_of(rows["fills"])
        assert collect(reader).digests()["trades"] == digest_of(rows["trades"])


@pytest.mark.parametrize(
    ("table", "column", "value", "said"),
    [
        ("fills", "price", "much", ", column price: "),
        ("fills", "price", "-1.000000", ": "),
        ("fills", "quantity", 0, ": "),
        ("fills", "trade", "trades:99", ", column trade: there is no trades:99 in the file"),
        ("fills", "trade", "accounts:0", ", column trade: there is no accounts:0 in the file"),
        ("fills", "trade", {}, ", column trade: "),
        ("fills", "reverses", "fills:99", ", column reverses: there is no fills:99 in the file"),
        ("trades", "protects", ["trades:7"], ", column protects: there is no trades:7 in the file"),
        ("trades", "protects", 7, ", column protects: not a list"),
        ("trades", "kind", "nonsense", ", column kind: "),
        ("fills", "contract", "SPAM", ", column contract: "),
        ("fills", "note", "\ud800", " holds text that is no Unicode"),
    ],
)  # fmt: skip
def test_a_forged_cell_is_named_and_nothing_is_written(
    table: str, column: str, value: Any, said: str
) -> None:
    """Digests and order made to fit do not help."""
    rows = _rows(_history())
    forged = rows[table][-1]
    honest = dict(forged)
    contracts = Contract.objects.count()
    forged[column] = value
    own = {"reverses": None} if table == "fills" else {}
    rows[table].sort(key=lambda row: canonical({k: v for k, v in (row | own).items() if k != "protects"}))
    number = next(at for at, row in enumerate(rows[table], start=1) if row is forged)
    raw = None
    if "Unicode" in said:  # no digest can be made of it
        raw = {table: json.dumps(rows[table]).encode()}
        rows[table][number - 1] = honest
    reader = make_user("reader")
    job = read_in(reader, _zip(rows, raw=raw))
    assert job.state == Job.State.DEAD
    assert f"data/{table}.json, row {number}{said}" in job.error
    assert not Account.objects.for_user(reader).exists()
    assert Contract.objects.count() == contracts


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[{},", "is not JSON"),
        (b"[{}", "is not JSON after row 1"),
        (b"[{} {}]", "is not JSON after row 1"),
        (b"[{}] []", "is not JSON after row 1"),
        (b"[7]", "no list of rows"),
        (b"", "is not JSON"),
        (b"[{\"name\":\"\xff\"}]", "no UTF-8"),
        (b"[" + b"[" * 100_000, "no list of rows"),
        (b'[{"name":' + b"[" * 100_000, "not JSON that can be read"),
        (b'[{"name":[' + b"0," * 1_600_000, "larger than"),
        (b'[{"name":"' + b"x" * (MAX_ROW + MIB), "larger than"),
    ],
)  # fmt: skip
def test_hostile_text_is_refused_by_place(raw: bytes, said: str) -> None:
    content = _zip({"accounts": []}, raw={"accounts": raw or b" "})
    archive = Archive(io.BytesIO(content))
    with pytest.raises(TransferError, match=said) as refusal:
        for _ in archive.rows(KEPT[0]):
            pass
    assert str(refusal.value).startswith("data/accounts.json")


def test_an_archive_of_very_many_names_is_refused_before_they_are_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(66_000):
            archive.writestr(f"x{number}", b"")
    with pytest.raises(TransferError, match="more names"):
        Archive(io.BytesIO(out.getvalue()))


def test_the_digest_of_rows_is_that_of_their_list() -> None:
    rows = [{"a": 1, "b": "é"}, {"a": None}, {"moment": str(datetime(2026, 1, 2, tzinfo=UTC)), "p": str(Decimal("1.50"))}]  # fmt: skip # noqa: E501
    for count in range(4):
        found = RowsDigest()
        for row in rows[:count]:
            found.add(row)
        assert found.value() == digest_of(rows[:count])
