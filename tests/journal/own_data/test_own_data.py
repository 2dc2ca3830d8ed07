"""A user's whole data: exported, read into an empty login with equal digests, deleted after a while."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from hedging.jobs.engine import job_run
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import DATA_EXPORT, DATA_IMPORT, VALUE_ACCOUNT
from journal.models import (
    Account,
    Attachment,
    AuditEvent,
    DataTransfer,
    DeletionRequest,
    Fill,
    ImportRow,
    Role,
    SavedView,
    Trade,
    User,
)
from journal.services.accounts import member_add
from journal.services.book.fills import fill_reverse
from journal.services.book.trades import trade_create
from journal.services.demo import demo_guest, demo_remove
from journal.services.imports.commit import import_commit
from journal.services.imports.stage import import_upload
from journal.services.own_data.erasure import deletion_request, deletions_due
from journal.services.own_data.export import export_request
from journal.services.own_data.load import import_request
from journal.services.own_data.read import MAX_UNPACKED
from journal.services.own_data.tables import KEPT, LEFT_OUT, RECORDED, Portable, collect
from journal.services.review.attachments import attachment_add
from journal.services.review.notes import note_create, note_edit
from journal.services.review.playbooks import playbook_save
from journal.services.review.reviews import checklist_store, range_tag, trade_rate, trade_tag
from journal.services.saved_views import view_save
from journal.services.tax import year_end_mark_set
from tests.importers.cases import FILES
from tests.journal.people import (
    People,
    answers,
    close_condor,
    make_people,
    make_user,
    open_condor,
    order,
    png,
    vix_call,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    """An account with everything that can be recorded."""
    found = make_people()
    owner, account = found.owner, found.account
    condor = open_condor(found, reason="calm")
    trade_create(
        user=owner, account=account, kind=Trade.Kind.HEDGE, layer=1, instrument="vix_calls",
        order=order([vix_call()]), protects=[condor],
    )  # fmt: skip
    wrong = open_condor(found)
    fill = wrong.fills.first()
    assert fill is not None
    fill_reverse(user=owner, fill=fill, reason="typo")
    close_condor(found, open_condor(found))
    trade_tag(user=owner, trade=condor, name="motion")
    trade_rate(user=owner, trade=condor, rating=4)
    range_tag(
        user=owner, account=account, name="press", date_from=date(2026, 11, 2), date_to=date(2026, 11, 4)
    )
    note = note_create(user=owner, account=account, trade=condor, text="first")
    note_edit(user=owner, note=note, text="second, =cmd", version=1)
    note_create(user=found.owner, account=account, day=date(2026, 11, 2), text="day")
    attachment_add(user=owner, account=account, trade=condor, name="a.png", content=png())
    playbook = playbook_save(user=owner, account=account, name="45 DTE", text="x", items=["Calm?"])
    checklist_store(user=owner, trade=condor, playbook=playbook, checked=[0], at_entry=True)
    view_save(user=owner, name="Mine", query=f"account={account.pk}&status=open")
    year_end_mark_set(user=owner, account=account, contract=fill.contract, year=2026, price=Decimal("1.25"))
    return found


def _export(user: User, token: str = "t") -> DataTransfer:
    job = export_request(user=user, token=token)
    assert job_run(job.pk) == Job.State.DONE
    job.refresh_from_db()
    return DataTransfer.objects.get(pk=job.result["transfer_id"])


def read_in(user: User, content: bytes) -> Job:
    job = import_request(user=user, name="export.zip", content=content)
    job_run(job.pk)
    job.refresh_from_db()
    return job


def test_every_table_is_exported_or_left_out_with_a_reason() -> None:
    known = [*(table.model.__name__ for table in KEPT), *(m.__name__ for m in (*RECORDED, *LEFT_OUT))]
    models = {m.__name__ for m in apps.get_app_config("journal").get_models()}
    assert len(known) == len(set(known))
    assert models == set(known), "say in journal/services/own_data/tables.py what becomes of these tables"


def test_an_export_read_into_an_empty_login_is_equal(people: People) -> None:
    exported = _export(people.owner)
    reader = make_user("reader")
    job = read_in(reader, bytes(exported.content))
    assert (job.state, job.error) == (Job.State.DONE, "")
    again = collect(reader)
    assert again.digests() == collect(people.owner).digests()
    assert again.digest() == exported.digest == job.result["digest"]
    mine = Account.objects.for_user(reader).get()
    assert mine.pk != people.account.pk
    hedge = Trade.objects.get(account=mine, kind="hedge_layer")
    assert hedge.protects.get().review.rating == 4
    assert Fill.objects.filter(account=mine, reverses__isnull=False).count() == 1
    assert SavedView.objects.get(user=reader).query == f"account={mine.pk}&status=open"
    picture = Attachment.objects.get(account=mine)
    assert bytes(picture.content) == png()
    assert picture.thumbnail
    created = Trade.objects.filter(account=people.account).order_by("created_at").first()
    copied = Trade.objects.filter(account=mine).order_by("created_at").first()
    assert created is not None
    assert copied is not None
    assert created.created_at == copied.created_at
    assert Job.objects.filter(kind=VALUE_ACCOUNT, scope=account_scope(mine.pk)).exists()


@pytest.mark.parametrize("name", FILES)
def test_imported_files_are_read_back(name: str) -> None:
    people = make_people()
    batch = import_upload(user=people.owner, account=people.account, filename=name, data=FILES[name].encode())
    import_commit(user=people.owner, batch=batch)
    export, reader = _export(people.owner), make_user("reader")
    job = read_in(reader, bytes(export.content))
    assert (job.state, job.error) == (Job.State.DONE, "")
    assert _export(reader, "u").digest == export.digest
    rows = ImportRow.objects.for_user(reader)
    assert rows.count() == batch.rows.count() > 0


def test_the_digest_says_whether_anything_differs(people: People) -> None:
    before = collect(people.owner).digests()
    assert before == collect(people.owner).digests()
    trade = Trade.objects.filter(account=people.account).first()
    assert trade is not None
    trade_rate(user=people.owner, trade=trade, rating=1)
    after = collect(people.owner).digests()
    changed = {name for name in after if after[name] != before[name]}
    assert "reviews" in changed
    assert not changed & {"accounts", "trades", "fills"}


def test_the_zip_has_json_csv_files_and_a_record_without_secrets(people: People) -> None:
    with zipfile.ZipFile(io.BytesIO(bytes(_export(people.owner).content))) as archive:
        names = set(archive.namelist())
        assert {"manifest.json", "data/fills.json", "csv/fills.csv", "record/auditevent.json"} <= names
        assert json.loads(archive.read("manifest.json"))["counts"]["accounts"] == 1
        assert "'=" not in archive.read("csv/fills.csv").decode()
        assert len([name for name in names if name.startswith("files/")]) == 1
        whole = b"".join(archive.read(name) for name in names)
    assert people.owner.password.encode() not in whole or not people.owner.password
    assert b"Elsewhere" not in whole


def test_a_login_with_accounts_reads_nothing_in(people: People) -> None:
    content = bytes(_export(people.owner).content)
    for user in (people.owner, people.stranger):
        with pytest.raises(RuleError, match="without accounts"):
            import_request(user=user, name="e.zip", content=content)


def _changed(content: bytes, name: str, new: bytes | None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as made:
        for entry in old.namelist():
            body = new if entry == name else old.read(entry)
            if body is not None:
                made.writestr(entry, body)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "new", "said"),
    [
        ("data/fills.json", b"[]", "not as it was exported"),
        ("data/fills.json", None, "data/fills.json is missing"),
        ("data/tags.json", b"{", "not JSON"),
        ("data/tags.json", b"{}", "no list of rows"),
    ],
)
def test_a_damaged_export_is_named_and_nothing_is_written(
    people: People, name: str, new: bytes | None, said: str
) -> None:
    reader = make_user("reader")
    job = read_in(reader, _changed(bytes(_export(people.owner).content), name, new))
    assert job.state == Job.State.DEAD
    assert said in job.error
    assert not Account.objects.for_user(reader).exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100])
def test_what_is_no_export_is_refused_at_once(people: People, content: bytes) -> None:
    with pytest.raises(RuleError, match="zip"):
        import_request(user=make_user("reader"), name="e.zip", content=content)


@pytest.mark.parametrize("name", ["manifest.json", "data/fills.json", "files/big"])
def test_what_unpacks_to_more_than_is_read_is_refused_at_once(people: People, name: str) -> None:
    start = next(one for one in MAX_UNPACKED if name.startswith(one))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, bytes(MAX_UNPACKED[start] + 1))
    assert len(out.getvalue()) < 2**20
    with pytest.raises(RuleError, match=f"{start} of the archive unpacks to more than"):
        import_request(user=make_user("reader"), name="e.zip", content=out.getvalue())


def test_a_forged_row_is_refused_whole(people: People) -> None:
    """Digests made to fit do not help: fields are checked like input."""
    content = bytes(_export(people.owner).content)
    found = collect(people.owner)
    found.rows["trades"][0]["kind"] = "nonsense"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["digests"] = found.digests()
    forged = _changed(content, "data/trades.json", json.dumps(found.rows["trades"]).encode())
    forged = _changed(forged, "manifest.json", json.dumps(manifest).encode())
    job = read_in(make_user("reader"), forged)
    assert job.state == Job.State.DEAD
    assert "data/trades.json, row 1" in job.error
    assert Trade.objects.exclude(account=people.account).count() == 0


def _reshaped(content: bytes, change: Callable[[dict[str, list[dict[str, Any]]]], None]) -> bytes:
    """The export as another version would have written it: other tables and columns, digests that fit."""
    found = Portable()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        found.rows = {t.name: json.loads(archive.read(f"data/{t.name}.json")) for t in KEPT}
    names = set(found.rows)
    change(found.rows)
    manifest["digests"] = found.digests()
    content = _changed(content, "manifest.json", json.dumps(manifest).encode())
    for name in names:
        rows = found.rows.get(name)
        content = _changed(content, f"data/{name}.json", None if rows is None else json.dumps(rows).encode())
    return content


def test_an_export_from_before_later_tables_and_columns_is_read_with_their_defaults(people: People) -> None:
    def older(rows: dict[str, list[dict[str, Any]]]) -> None:
        for name in ("cash_imports", "cash_entries", "trade_links"):
            assert rows.pop(name) == []
        for row in rows["accounts"]:
            del row["residual_share_pct"], row["residual_limit"]
        for row in rows["trades"]:
            del row["title"]

    reader = make_user("reader")
    job = read_in(reader, _reshaped(bytes(_export(people.owner).content), older))
    assert (job.state, job.error) == (Job.State.DONE, "")
    assert collect(reader).digests() == collect(people.owner).digests()


def test_a_column_without_a_default_is_missed_by_name(people: People) -> None:
    def without(rows: dict[str, list[dict[str, Any]]]) -> None:
        del rows["fills"][1]["price"]

    reader = make_user("reader")
    job = read_in(reader, _reshaped(bytes(_export(people.owner).content), without))
    assert job.state == Job.State.DEAD
    assert "data/fills.json, row 2: the column price is missing" in job.error
    assert not Account.objects.for_user(reader).exists()


def test_a_column_of_a_newer_version_is_refused_by_name(people: People) -> None:
    def newer(rows: dict[str, list[dict[str, Any]]]) -> None:
        rows["trades"][0]["mood"] = "calm"

    job = read_in(make_user("reader"), _reshaped(bytes(_export(people.owner).content), newer))
    assert job.state == Job.State.DEAD
    assert "no column mood" in job.error


def test_only_the_newest_exports_are_kept(people: People) -> None:
    for number in range(5):
        _export(people.owner, token=f"t{number}")
    assert DataTransfer.objects.filter(kind="export").count() == 3


def test_a_deleted_login_is_gone_after_the_grace_period_and_audited(people: People) -> None:
    with pytest.raises(RuleError):
        deletion_request(user=people.stranger, typed="wrong")
    deletion_request(user=people.stranger, typed="stranger")
    assert deletions_due() == 0
    DeletionRequest.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert deletions_due() == 1
    assert not User.objects.filter(username="stranger").exists()
    assert not Account.objects.filter(name="Elsewhere").exists()
    actions = set(AuditEvent.objects.filter(actor_name="stranger").values_list("action", flat=True))
    assert {"user.deletion_request", "account.delete", "user.delete"} <= actions


def test_an_owner_leaves_nothing_of_a_full_account(people: People) -> None:
    people.account.memberships.exclude(user=people.owner).delete()
    deletion_request(user=people.owner, typed="owner")
    DeletionRequest.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert deletions_due() == 1
    assert not Account.objects.filter(pk=people.account.pk).exists()
    assert not Fill.objects.exists()


def test_a_shared_account_needs_another_owner_first(people: People) -> None:
    with pytest.raises(RuleError, match="Main"):
        deletion_request(user=people.owner, typed="owner")
    member_add(user=people.owner, account=people.account, member=people.teammate, role=Role.OWNER)
    deletion_request(user=people.owner, typed="owner")
    DeletionRequest.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert deletions_due() == 1
    assert Account.objects.for_user(people.teammate).get() == people.account
    assert Trade.objects.filter(account=people.account).count() == 4


def test_the_request_is_withdrawn_by_one_press(people: People, client: Client) -> None:
    client.force_login(people.stranger)
    client.post("/your-data/delete/", {"typed": "stranger"})
    first = DeletionRequest.objects.get().due_at
    client.post("/your-data/delete/", {"typed": "stranger"})
    assert DeletionRequest.objects.get().due_at == first
    assert "Keep my data" in client.get("/your-data/").content.decode()
    client.post("/your-data/delete/", {"withdraw": "1"})
    assert not DeletionRequest.objects.exists()
    assert AuditEvent.objects.filter(action="user.deletion_withdraw").count() == 1


def test_three_users_on_an_export(people: People, client: Client) -> None:
    row = _export(people.owner)
    found = answers(client, "get", f"/your-data/{row.pk}/", people)
    assert found == {"owner": 200, "teammate": 404, "stranger": 404, "nobody": 302}
    job = Job.objects.get(kind=DATA_EXPORT)
    found = answers(client, "get", f"/jobs/{job.pk}/", people)
    assert found == {"owner": 200, "teammate": 404, "stranger": 404, "nobody": 302}
    found = answers(client, "get", "/your-data/", people)
    assert found == {"owner": 200, "teammate": 200, "stranger": 200, "nobody": 302}


def test_a_file_is_read_in_through_the_page(people: People, client: Client) -> None:
    content = bytes(_export(people.owner).content)
    reader = make_user("reader")
    client.force_login(reader)
    client.post("/your-data/import/", {"file": SimpleUploadedFile("e.zip", content)})
    job = Job.objects.get(kind=DATA_IMPORT)
    assert job_run(job.pk) == Job.State.DONE
    assert Account.objects.for_user(reader).count() == 1
    assert client.post("/your-data/import/").status_code == 302


def test_a_demo_login_leaves_no_export_behind() -> None:
    guest = demo_guest()
    _export(guest)
    demo_remove(user=guest)
    assert not Job.objects.exists()
    assert not DataTransfer.objects.exists()
    assert not AuditEvent.objects.exists()
