"""``python -m bench users``: two hundred people on a running site, idle and while results are recomputed.

The site runs as its users start it, two web processes of eight threads and the workers, on a PostgreSQL of
this run's own, with the demo account. Each person has a session, reads a page and thinks for five seconds on
average. Client and site share the machine.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Postgres

PEOPLE = int(os.environ.get("ALVH_BENCH_PEOPLE", "200"))
SECONDS, THINK, WARM = 60.0, 5.0, 15.0
LIMIT_MS = 400.0
PAGES = ("/", "/trades/", "/hedge/", "/market/", "/statistics/", "/calendar/", "/alerts/", "/api/v1/trades/")
_SESSIONS = """
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from journal.models import Trade, User
user = User.objects.get(username="demo")
for _ in range({people}):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    print("session", settings.SESSION_COOKIE_NAME, session.session_key)
print("trade", Trade.objects.first().pk)
"""
#: The account's whole history marked and attributed by the site's workers, over and over.
_RECOMPUTE = """
import time, uuid
from bench.database import empty
from hedging.models import Job
from journal.models import Account
from journal.services.attribution.jobs import attribution_request
account = Account.objects.get(is_demo=True)
while True:
    empty()
    job = attribution_request(account=account, nonce=str(uuid.uuid4()))
    while Job.objects.filter(state__in=("queued", "running")).exists():
        time.sleep(0.2)
    print("recomputed", flush=True)
"""


async def _person(url: str, cookie: dict[str, str], paths: tuple[str, ...], end: float, seed: int,
                  answers: dict[str, list[tuple[int, float]]]) -> None:  # fmt: skip
    import httpx

    dice = random.Random(seed)
    async with httpx.AsyncClient(base_url=url, cookies=cookie, timeout=30) as client:
        await asyncio.sleep(dice.uniform(0, THINK))
        while time.monotonic() < end:
            path, began = dice.choice(paths), time.perf_counter()
            try:
                code = (await client.get(path)).status_code
            except httpx.HTTPError:
                code = 0
            answers[path].append((code, (time.perf_counter() - began) * 1e3))
            await asyncio.sleep(dice.uniform(0.5, 1.5) * THINK)


async def _crowd(url: str, cookies: list[dict[str, str]], paths: tuple[str, ...], seconds: float
                 ) -> dict[str, list[tuple[int, float]]]:  # fmt: skip
    answers: dict[str, list[tuple[int, float]]] = defaultdict(list)
    end = time.monotonic() + seconds
    await asyncio.gather(
        *(_person(url, cookie, paths, end, seed, answers) for seed, cookie in enumerate(cookies))
    )
    return answers


def _told(name: str, answers: dict[str, list[tuple[int, float]]]) -> Iterator[str]:
    every = [one for found in answers.values() for one in found]
    wrong = sum(code != 200 for code, _ in every)
    yield f"{name}: {len(every)} answers, {wrong} errors, {_spread([ms for _, ms in every])}"
    for path, found in sorted(answers.items()):
        yield f"  {path.split('?')[0]:<48} {len(found):>5}  {_spread([ms for _, ms in found])}"


def _spread(values: list[float]) -> str:
    cut = statistics.quantiles(values, n=20)
    return f"median {statistics.median(values):.0f} ms, 95th percentile {cut[-1]:.0f} ms"


@contextmanager
def _ended(database: Postgres) -> Iterator[str]:
    """The URL of a database that is stopped afterwards."""
    try:
        yield database.url
    finally:
        database.stop()


def lines() -> Iterator[str]:
    """The report, line by line."""
    from tests.site import ROOT, manage, running_site

    with (
        tempfile.TemporaryDirectory() as folder,
        _ended(Postgres(Path(folder) / "postgres")) as database,
        running_site(Path(folder) / "site", DATABASE_URL=database) as (url, environment),
    ):
        script = _SESSIONS.format(people=PEOPLE)
        made = manage("shell", "-v", "0", "-c", script, environment=environment).splitlines()
        cookies = [dict([line.split()[1:]]) for line in made if line.startswith("session ")]
        trade = next(line.split()[1] for line in made if line.startswith("trade "))
        paths = (*PAGES, f"/trades/{trade}/")
        asyncio.run(_crowd(url, cookies[:20], paths, WARM))
        yield f"### {PEOPLE} people, each a page every {THINK:.0f} s (95th percentile: {LIMIT_MS:.0f} ms)"
        yield ""
        yield from _told("idle", asyncio.run(_crowd(url, cookies, paths, SECONDS)))
        yield ""
        log = Path(folder) / "recomputed.log"
        with log.open("wb") as output:
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "shell", "-v", "0", "-c", _RECOMPUTE],
                cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            busy = asyncio.run(_crowd(url, cookies, paths, SECONDS))
        finally:
            worker.kill()
            worker.wait(10)
        times = log.read_text().count("recomputed")
        yield from _told(f"while the history was recomputed {times} times", busy)
        yield ""
