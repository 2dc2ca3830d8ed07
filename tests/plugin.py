"""Early pytest plugin: the real servers the suite runs against.

Loaded with ``-p tests.plugin`` before Django reads its settings. It gives the run a state folder
of its own, starts a real Redis, and with ``ALVH_TEST_DB=postgres`` a real PostgreSQL. The
processes belong to the pytest controller; xdist workers inherit their addresses.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.clock import sitecustomize
from tests.servers import Postgres, start_redis

#: A Wednesday at noon in New York: every run begins here.
BEGIN = datetime(2026, 11, 25, 17, tzinfo=UTC)


def _set_clock() -> None:
    """Begin the run at ``BEGIN``, here and in every Python process that a test starts."""
    path = (str(Path(sitecustomize.__file__).parent), os.environ.get("PYTHONPATH"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    os.environ[sitecustomize.OFFSET] = str(BEGIN.timestamp() - time.time())
    sitecustomize.travel()


def _start() -> None:
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return
    _set_clock()
    state = Path(tempfile.mkdtemp(prefix="alvh-test-"))
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    os.environ["STATE_DIR"] = str(state / "state")
    os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 40
    for name in ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "HTTPS", "DEBUG"):
        os.environ.pop(name, None)
    # A job run inside a test's transaction cannot renew its lease from outside: it must not need to.
    os.environ["JOB_LEASE_SECONDS"] = "300"
    redis = start_redis(state / "redis")
    atexit.register(redis.stop)
    os.environ["REDIS_URL"] = redis.url
    wanted = os.environ.get("ALVH_TEST_DB", "sqlite")
    if wanted == "postgres":
        postgres = Postgres(state / "postgres")
        atexit.register(postgres.stop)
        os.environ["DATABASE_URL"] = postgres.url
    elif wanted != "sqlite":
        raise SystemExit(f"ALVH_TEST_DB must be sqlite or postgres, not {wanted!r}")


_start()


def pytest_report_header() -> str:
    """Say which database the run used."""
    return f"servers: {os.environ.get('ALVH_TEST_DB', 'sqlite')}, Redis at {os.environ['REDIS_URL']}"
