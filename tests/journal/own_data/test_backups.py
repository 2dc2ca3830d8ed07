"""The backup drill on real databases: what is restored is what was there, and nothing half."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.servers import own_database, postgres_programs
from tests.site import SiteError, fill, manage, site_environment


def place(folder: Path, name: str) -> dict[str, str]:
    """Environment of an empty site."""
    (folder / name).mkdir()
    return site_environment(folder / name, 0, PG_BIN=str(postgres_programs()), **own_database())


@pytest.mark.each_database
def test_a_restored_site_holds_the_same_rows_and_refuses_what_the_first_refused(tmp_path: Path) -> None:
    first, second = place(tmp_path, "first"), place(tmp_path, "second")
    fill(first)
    file, cut = str(tmp_path / "site.backup"), tmp_path / "cut.backup"
    manage("backup", file, environment=first)
    cut.write_bytes(Path(file).read_bytes()[:100_000])
    digest = manage("digest", environment=first)
    assert int(digest.split()[0].replace(",", "")) > 1_000
    with pytest.raises(SiteError, match=r"not a whole backup|pg_restore failed"):
        manage("restore", str(cut), environment=second)
    assert manage("restore", file, environment=second) == digest
    assert manage("digest", environment=second) == digest
    manage("migrate", "--check", environment=second)
    with pytest.raises(SiteError, match="cannot be changed"):
        manage("shell", "-c", UPDATE, environment=second)
    with pytest.raises(SiteError, match="is not empty"):
        manage("restore", file, environment=second)
    with pytest.raises(SiteError, match="is there already"):
        manage("backup", file, environment=first)


UPDATE = (
    "from journal.models import AuditEvent; assert AuditEvent.objects.exists(), 'no audit row'; "
    "AuditEvent.objects.update(summary='changed')"
)


@pytest.mark.each_database
def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    site = place(tmp_path, "other")
    foreign = tmp_path / "foreign.sqlite3"
    with sqlite3.connect(foreign) as made:
        made.execute("CREATE TABLE mine (id INTEGER)")
    with pytest.raises(SiteError, match=r"not a whole backup|pg_restore failed"):
        manage("restore", str(foreign), environment=site)
    with pytest.raises(SiteError, match="is missing"):
        manage("restore", str(tmp_path / "nowhere"), environment=site)
