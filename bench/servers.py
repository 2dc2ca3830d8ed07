"""A site of this run's own: its database, Redis and tables, gone when the run ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def site(*, sqlite: bool = False, **settings: str) -> None:
    """Start PostgreSQL (with ``settings``) or make an SQLite file, start Redis, and make the tables."""
    from tests.servers import Postgres, start_redis

    state = Path(tempfile.mkdtemp(prefix="alvh-bench-"))
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    url = f"sqlite:///{state / 'bench.sqlite3'}"
    if not sqlite:
        postgres = Postgres(state / "postgres", **settings)
        atexit.register(postgres.stop)
        url = postgres.url
    redis = start_redis(state / "redis")
    atexit.register(redis.stop)
    os.environ |= {
        "STATE_DIR": str(state / "state"), "DATABASE_URL": url, "REDIS_URL": redis.url,
        "SECRET_KEY": "only-for-the-bench-" + "x" * 40, "DJANGO_SETTINGS_MODULE": "alvh_site.settings",
    }  # fmt: skip
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
