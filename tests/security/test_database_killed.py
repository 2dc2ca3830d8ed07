"""PostgreSQL's backends and server killed under a running site: every 2xx is stored exactly once."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.servers import Postgres
from tests.site import manage, running_site

WRITERS = 3
BACKENDS, SERVERS = 20, 5
RECOVERY = 30.0  # seconds


@dataclass
class Writer:
    """Deposits cents one by one, each under a key of its own, asking again until it is answered 201."""

    url: str
    token: str
    number: int
    stopping: threading.Event
    stored: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    unexpected: str = ""

    def run(self) -> None:
        while not self.stopping.is_set():
            note, key = f"killed {self.number}-{len(self.stored)}", str(uuid4())
            began = time.monotonic()
            while self._post(note, key) != 201:
                if self.unexpected or time.monotonic() - began > 2 * RECOVERY:
                    return
                time.sleep(0.1)
            self.longest = max(self.longest, time.monotonic() - began)
            self.stored.append(note)

    def _post(self, note: str, key: str) -> int:
        body = {"kind": "deposit", "amount": "0.01", "day": "2026-01-05", "note": note}
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            self.url, json.dumps(body).encode(), headers | {"Idempotency-Key": key}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                code = answer.status
        except urllib.error.HTTPError as error:
            code = error.code
            if code != 503 or not error.headers["Retry-After"]:
                self.unexpected = f"{code} {error.headers}\n{error.read().decode()[:2000]}"
        self.answers[code] += 1
        return code


@pytest.mark.worker
def test_every_answered_write_is_stored_once_while_the_database_is_killed(tmp_path: Path) -> None:
    database = Postgres(tmp_path / "postgres")
    try:
        with running_site(tmp_path / "site", DATABASE_URL=database.url) as (url, environment):
            token = manage("api_token", "demo", environment=environment).split()[-1]
            with psycopg.connect(database.url, autocommit=True) as asked:
                account = asked.execute("SELECT id FROM journal_account LIMIT 1").fetchone()
            stopping = threading.Event()
            writers = [
                Writer(f"{url}/api/v1/accounts/{account[0]}/cash/", token, n, stopping)
                for n in range(WRITERS)
            ]
            threads = [threading.Thread(target=writer.run) for writer in writers]
            for thread in threads:
                thread.start()
            for number in range(BACKENDS):
                time.sleep(0.5)
                if number % (BACKENDS // SERVERS) == 1:
                    database.crash()
                else:
                    with psycopg.connect(database.url, autocommit=True) as killer:
                        killer.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE datname = 'alvh' AND pid <> pg_backend_pid()"
                        )
            time.sleep(2)
            stopping.set()
            for thread in threads:
                thread.join(4 * RECOVERY)
            with psycopg.connect(database.url, autocommit=True) as asked:
                rows = asked.execute("SELECT note FROM journal_cashentry WHERE note LIKE 'killed %'")
                kept = Counter(note for (note,) in rows)
    finally:
        database.stop()
    assert not [writer.unexpected for writer in writers if writer.unexpected]
    stored = [note for writer in writers for note in writer.stored]
    answers = sum((writer.answers for writer in writers), Counter())
    assert len(stored) > 100, answers
    assert kept == Counter(stored)
    assert answers[503] > 0, "the kills hit no request: the test showed nothing"
    assert max(writer.longest for writer in writers) < RECOVERY
