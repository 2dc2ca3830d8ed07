"""Discarding a staged file and Undo: nothing recorded, nothing lost for a week, then gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import AuditEvent, Fill, ImportBatch, ImportRow
from journal.services.imports.commit import import_commit
from journal.services.imports.discard import KEPT, import_discard, import_restore, imports_purge
from journal.services.imports.stage import import_upload, row_fix
from tests.importers.cases import BROKEN, HEADER, OPEN
from tests.journal.people import People, answers, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def staged(people: People, *lines: str) -> ImportBatch:
    data = "\n".join([HEADER, *lines, ""]).encode()
    return import_upload(user=people.owner, account=people.account, filename="history.csv", data=data)


def post(client: Client, batch: ImportBatch, action: str, **fields: Any) -> str:
    answer = client.post(f"/imports/{batch.pk}/{action}/", fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_undo_brings_a_file_back_with_what_was_mended(people: People, client: Client) -> None:
    client.force_login(people.owner)
    batch = staged(people, *OPEN, BROKEN)
    row_fix(user=people.owner, batch=batch, row_id=batch.rows.get(status="error").pk, values={"kind": "note"})
    batch.refresh_from_db()
    before = list(ImportRow.objects.values("key", "status", "data", "fixed"))
    counts = batch.counts
    page = post(client, batch, "discard", version=batch.version)
    assert "was discarded" in page
    assert "Undo" in client.get("/imports/").content.decode()
    assert "Record 2 rows" not in page
    batch.refresh_from_db()
    assert batch.state == "discarded"
    page = post(client, batch, "restore", version=batch.version)
    assert "Record 2 rows" in page
    batch.refresh_from_db()
    assert (batch.state, batch.counts, batch.discarded_at) == ("staged", counts, None)
    assert list(ImportRow.objects.values("key", "status", "data", "fixed")) == before
    assert Fill.objects.count() == 0
    assert list(
        AuditEvent.objects.filter(object_id=str(batch.pk), action__in=("import.discard", "import.restore"))
        .order_by("pk").values_list("action", "actor_name")
    ) == [("import.discard", "owner"), ("import.restore", "owner")]  # fmt: skip


def test_double_clicks_and_stale_tabs_change_nothing_twice(people: People, client: Client) -> None:
    client.force_login(people.owner)
    batch = staged(people, *OPEN)
    old = batch.version
    for _ in range(2):
        post(client, batch, "discard", version=old)
    batch.refresh_from_db()
    assert (batch.state, batch.version) == ("discarded", old + 1)
    assert "changed meanwhile" in post(client, batch, "commit", version=old)
    assert "discarded; that cannot be done now" in post(client, batch, "commit")
    assert "changed meanwhile" in post(client, batch, "restore", version=old)
    for _ in range(2):
        post(client, batch, "restore", version=old + 1)
    batch.refresh_from_db()
    assert batch.state == "staged"
    assert "changed meanwhile" in post(client, batch, "discard", version=old)
    assert Fill.objects.count() == 0
    assert AuditEvent.objects.filter(action__in=("import.discard", "import.restore")).count() == 2


def test_what_was_recorded_meanwhile_is_a_duplicate_after_undo(people: People) -> None:
    batch, again = staged(people, *OPEN), staged(people, *OPEN)
    import_discard(user=people.owner, batch=batch)
    import_commit(user=people.owner, batch=again)
    back = import_restore(user=people.owner, batch=batch)
    back.refresh_from_db()
    assert (back.counts["new"], back.counts["duplicate"]) == (0, 2)
    with pytest.raises(RuleError):
        import_discard(user=people.owner, batch=again)
    with pytest.raises(ConflictError):
        import_discard(user=people.owner, batch=back, version=1)


def test_an_unreadable_file_comes_back_unreadable(people: People) -> None:
    batch = import_upload(user=people.owner, account=people.account, filename="x.csv", data=b"nothing,known")
    assert batch.state == "refused"
    import_discard(user=people.owner, batch=batch)
    assert import_restore(user=people.owner, batch=batch).state == "refused"


def test_only_what_was_thrown_away_a_week_ago_is_deleted(people: People) -> None:
    kept, gone, waiting = staged(people, *OPEN), staged(people, *OPEN), staged(people, *OPEN)
    for batch in (kept, gone):
        import_discard(user=people.owner, batch=batch)
    now = timezone.now()
    ImportBatch.objects.filter(pk=gone.pk).update(discarded_at=now - KEPT)
    ImportBatch.objects.filter(pk=kept.pk).update(discarded_at=now - KEPT + timedelta(seconds=1))
    assert imports_purge(now=now) == 1
    assert imports_purge(now=now) == 0
    assert set(ImportBatch.objects.values_list("pk", flat=True)) == {kept.pk, waiting.pk}
    assert not ImportRow.objects.filter(batch_id=gone.pk).exists()
    event = AuditEvent.objects.get(action="import.purge")
    assert (event.object_id, event.actor_name) == (str(gone.pk), "system")


def test_three_users_and_the_api(people: People, client: Client) -> None:
    batch = staged(people, *OPEN)
    for action, state in (("discard", "discarded"), ("restore", "staged")):
        address = f"/api/v1/imports/{batch.pk}/{action}/"
        found = answers(client, "post", address, people, content_type="application/json")
        assert found["stranger"] == 404
        assert found["owner"] == 200
        batch.refresh_from_db()
        assert batch.state == state
    client.force_login(people.owner)
    stale = client.post(
        f"/api/v1/imports/{batch.pk}/discard/", {"version": 1}, content_type="application/json"
    )
    assert stale.status_code == 409
