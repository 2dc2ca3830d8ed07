"""Early pytest plugin: the real servers the suite runs against.

Loaded with ``-p tests.plugin`` before Django reads its settings. The controller of a run sets the
suite's clock and starts a real Redis and, where asked for, a real PostgreSQL. ``ALVH_TEST_DB`` says what
the tests run on: ``sqlite`` (as without it), ``postgres``, or ``both``, which takes xdist workers
(``-n 2``): they stand on PostgreSQL and SQLite by turns, and ``tests.spread`` gives each what belongs on
it. Every worker has a state folder, a number in Redis, a database and ports of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import spread
from tests.clock import sitecustomize
from tests.servers import POSTGRES, Postgres, start_redis
from tests.site import RUN

#: A Wednesday at noon in New York: every run begins here.
BEGIN = datetime(2026, 11, 25, 17, tzinfo=UTC)


def _set_clock() -> None:
    """Begin the run at ``BEGIN``, here and in every Python process that a test starts."""
    path = (str(Path(sitecustomize.__file__).parent), os.environ.get("PYTHONPATH"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    os.environ[sitecustomize.OFFSET] = str(BEGIN.timestamp() - time.time())
    sitecustomize.travel()


def _environment(state: Path, *, database: str, number: int) -> dict[str, str]:
    """What settings read in one process of the run: ``number`` is its database in Redis."""
    redis = os.environ["ALVH_TEST_REDIS"]
    found = {"STATE_DIR": str(state), "REDIS_URL": f"{redis}/{number}", "ALVH_TEST_DB": database}
    if database == "postgres":
        found["DATABASE_URL"] = os.environ[POSTGRES]
    return found


def _start() -> Path | None:
    """Folder of the run, or nothing in a worker: all it needs came with its environment."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return None
    _set_clock()
    state = Path(tempfile.mkdtemp(prefix="alvh-test-"))
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    os.environ[RUN] = str(state)
    os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 40
    for name in ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "HTTPS", "DEBUG", POSTGRES):
        os.environ.pop(name, None)
    # A job run inside a test's transaction cannot renew its lease from outside: it must not need to.
    os.environ["JOB_LEASE_SECONDS"] = "300"
    redis = start_redis(state / "redis")
    atexit.register(redis.stop)
    os.environ["ALVH_TEST_REDIS"] = redis.url
    wanted = os.environ.setdefault("ALVH_TEST_DB", "sqlite")
    if wanted not in {"sqlite", "postgres", "both"}:
        raise SystemExit(f"ALVH_TEST_DB must be sqlite, postgres or both, not {wanted!r}")
    if wanted != "sqlite":
        postgres = Postgres(state / "postgres")
        atexit.register(postgres.stop)
        os.environ[POSTGRES] = postgres.url
    first = "sqlite" if wanted == "both" else wanted
    os.environ.update(_environment(state / "state", database=first, number=0) | {"ALVH_TEST_DB": wanted})
    return state


STATE = _start()


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a run on both databases without two workers; else let it be shared out."""
    if STATE is None or os.environ["ALVH_TEST_DB"] != "both":
        return
    if len(config.getoption("tx", None) or ()) < 2:
        raise pytest.UsageError("ALVH_TEST_DB=both needs a worker for each database: add -n 2")
    config.pluginmanager.register(spread.Sharing(), "alvh-sharing")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Give every worker its own state folder, Redis number and kind of database."""
    assert STATE is not None
    wanted = os.environ["ALVH_TEST_DB"]
    for number, spec in enumerate(specs, 1):
        database = spread.DATABASES[number % 2] if wanted == "both" else wanted
        spec.env.update(_environment(STATE / f"worker-{number}", database=database, number=number))
        spec.env["ALVH_TEST_SPREAD"] = "both" if wanted == "both" else ""


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """In a run on both databases, a test that uses the database exists once for each."""
    if os.environ.get("ALVH_TEST_SPREAD") == "both":
        spread.on_each_database(metafunc)


def pytest_report_header() -> str:
    """Say which database the run used."""
    return f"servers: {os.environ['ALVH_TEST_DB']}, Redis at {os.environ['ALVH_TEST_REDIS']}"
