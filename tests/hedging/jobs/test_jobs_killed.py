"""Workers and Redis killed during a run: no job is lost, none takes effect twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hedging.jobs.jobs_support import Processes
from tests.servers import POSTGRES, new_database
from tests.site import ROOT

JOBS = 240
SECONDS = 0.12


@pytest.mark.worker
def test_no_job_is_lost_or_doubled_while_workers_and_redis_are_killed(tmp_path: Path) -> None:
    extra = {"DATABASE_URL": new_database()} if POSTGRES in os.environ else {}
    processes = Processes(tmp_path / "state", **extra)
    try:
        processes.start("redis")
        processes.wait_for_redis()
        for name in ("one", "two", "relay"):
            processes.start(name)
        probe = subprocess.Popen(
            [sys.executable, "manage.py", "job_probe", "--count", str(JOBS), "--seconds", str(SECONDS),
             "--timeout", "240"],
            cwd=ROOT, env=processes.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        processes.wait_for_a_running_job()
        dice = random.Random(7)
        for number in range(10):
            time.sleep(1.0 + dice.random())
            if number in (3, 7):
                processes.kill("redis")
                processes.wait_for_redis()
            elif number == 5:
                processes.empty_redis()
            elif number in (0, 2, 4):  # whoever holds the job
                processes.wait_for_a_running_job()
                processes.kill("one")
                processes.kill("two")
            else:
                processes.kill(dice.choice(["one", "two"]))
            processes.revive()
        while probe.poll() is None:
            time.sleep(0.5)
            processes.revive()
        output = probe.stdout.read().decode() if probe.stdout else ""
    finally:
        processes.stop()
    report = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    assert report["done"] == JOBS, output
    assert report["lost"] == 0
    assert report["doubled"] == 0
    assert report["retried"] > 0, "the kills hit no running job: the test showed nothing"
