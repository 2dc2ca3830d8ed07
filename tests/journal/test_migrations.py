"""Every migration can be taken back and made again, with data in the tables and guards in force after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import own_database
from tests.site import ROOT, fill, manage, site_environment

#: Triggers, columns, indexes and constraints, one a line.
SHAPE = """
from django.db import connection
asked = {
    "sqlite": (
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL",
        "SELECT t.name, c.name, c.type, c.\\"notnull\\" FROM sqlite_master t, pragma_table_info(t.name) c"
        " WHERE t.type = 'table'",
    ),
    "postgresql": (
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public'",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
    ),
}
with connection.cursor() as cursor:
    for question in asked[connection.vendor]:
        cursor.execute(question)
        print(*sorted(map(repr, cursor.fetchall())), sep="\\n")
"""
READ = "from journal.models import User\nwhile True: list(User.objects.values('username')[:5])"


def shape(environment: dict[str, str]) -> list[str]:
    lines = manage("shell", "-v", "0", "-c", SHAPE, environment=environment).splitlines()
    assert sum("CREATE TRIGGER" in line for line in lines) >= 8
    assert len(lines) > 500
    return lines


@pytest.mark.each_database
def test_migrations_go_back_and_forth_with_data_and_a_reader(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    environment = site_environment(tmp_path / "state", 0, **own_database())

    def migrate(*target: str) -> None:
        manage("migrate", *target, "--verbosity", "0", environment=environment)

    fill(environment)
    before = shape(environment)
    reader = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", READ],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        migrate("journal", "0012")
        migrate()
        assert reader.poll() is None, "the reader was broken by a migration"
    finally:
        reader.kill()
        reader.wait(10)
    assert shape(environment) == before
    migrate("journal", "zero")
    migrate("hedging", "zero")
    migrate()
    assert shape(environment) == before
