"""Whole-site backups: one file of everything, taken while the site runs, read back into an empty database.

SQLite is copied by its own online backup, PostgreSQL by ``pg_dump`` and ``pg_restore`` (from ``PG_BIN`` or
the search path); both see one moment of the database. Redis holds nothing that is not in the database.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from journal.errors import RuleError

_BATCH = 2_000
#: Rows of processes that live: they differ from one moment to the next.
_FLEETING = frozenset({"django_session"})


@dataclass(frozen=True, slots=True)
class DatabaseDigest:
    """``tables`` are (name, rows, SHA-256 in hex over the rows in any order), by name."""

    tables: tuple[tuple[str, int, str], ...]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(rows for _, rows, _ in self.tables)

    @property
    def text(self) -> str:
        """One SHA-256 (hex) over the tables."""
        return hashlib.sha256(repr(self.tables).encode()).hexdigest()


def database_digest() -> DatabaseDigest:
    """What the database holds, comparable with another of the same kind and version."""
    names = sorted(set(connection.introspection.table_names()) - _FLEETING)
    return DatabaseDigest(tuple((name, *_table_digest(name)) for name in names))


def _table_digest(name: str) -> tuple[int, str]:
    total = rows = 0
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608  # a table's own name
        while found := cursor.fetchmany(_BATCH):
            for row in found:
                plain = [bytes(one) if isinstance(one, memoryview) else one for one in row]
                total += int.from_bytes(hashlib.sha256(repr(plain).encode()).digest())
            rows += len(found)
    return rows, f"{total % 2**256:064x}"


def backup_write(*, path: Path) -> None:
    """Write a backup to ``path``, which appears only once it is whole.

    Raises RuleError when the file is there already or the database cannot be copied.
    """
    if path.exists():
        raise RuleError(f"{path} is there already")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(_sqlite_name(), part)
        else:
            _run_postgres("pg_dump", "--format=custom", f"--file={part}")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def backup_restore(*, path: Path) -> None:
    """Read a backup into the empty database of these settings, whole or not at all.

    Raises RuleError when the database holds tables already or the file is no whole backup of this kind.
    """
    if not path.is_file():
        raise RuleError(f"{path} is missing")
    if connection.introspection.table_names():
        raise RuleError("the database is not empty; restore into a new one")
    connection.close()
    if connection.vendor == "sqlite":
        _check_sqlite(path)
        _copy_sqlite(path, _sqlite_name())
    else:
        name = str(connection.settings_dict["NAME"])
        _run_postgres("pg_restore", "--single-transaction", "--no-owner", f"--dbname={name}", str(path))


def _sqlite_name() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def _check_sqlite(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as found:
            answer = found.execute("PRAGMA integrity_check").fetchone()[0]
            tables = found.execute("SELECT count(*) FROM sqlite_master WHERE name = 'django_migrations'")
            whole = answer == "ok" and tables.fetchone()[0] == 1
    except sqlite3.DatabaseError:
        whole = False
    if not whole:
        raise RuleError(f"{path} is not a whole backup of an SQLite database")


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(target)) as taken:
        given.backup(taken)


def _run_postgres(program: str, *arguments: str) -> None:
    folder = os.environ.get("PG_BIN")
    found = shutil.which(program, path=folder)
    if found is None:
        raise RuleError(f"no {program} in {folder or 'the search path'}; set PG_BIN to PostgreSQL's programs")
    given = connection.settings_dict
    asked = {
        "PGHOST": given["HOST"], "PGPORT": given["PORT"], "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"], "PGDATABASE": given["NAME"],
    }  # fmt: skip
    known = {name: str(value) for name, value in asked.items() if value}
    done = subprocess.run(  # noqa: S603  # PostgreSQL's own program, arguments of ours
        [found, *arguments], env=os.environ | known, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuleError(f"{program} failed: {done.stderr.strip()}")
