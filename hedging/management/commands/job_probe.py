"""``manage.py job_probe --count N``: run probes through the real workers and report what happened."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.jobs.kinds import PROBE
from hedging.jobs.probe import probe_counts, probes_remove, probes_request
from hedging.models import Job


class Command(BaseCommand):
    help = "Check the job engine: queue probes, wait, and say whether each took effect exactly once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=20)
        parser.add_argument("--seconds", type=float, default=0.05, help="work of one probe")
        parser.add_argument("--timeout", type=float, default=60.0)

    def handle(self, *, count: int, seconds: float, timeout: float, **options: Any) -> None:
        probes_remove()
        began = time.monotonic()
        probes_request(count=count, seconds=seconds)
        while time.monotonic() - began < timeout:
            done = Job.objects.filter(kind=PROBE, state=Job.State.DONE).count()
            if done == count:
                break
            time.sleep(0.2)
        counts = probe_counts()
        report = {
            "jobs": count,
            "done": Job.objects.filter(kind=PROBE, state=Job.State.DONE).count(),
            "lost": count - len(counts),
            "doubled": sum(1 for times in counts.values() if times > 1),
            "retried": Job.objects.filter(kind=PROBE, attempts__gt=1).count(),
            "seconds": round(time.monotonic() - began, 1),
        }
        self.stdout.write(json.dumps(report))
        probes_remove()
        if report["done"] != count or report["lost"] or report["doubled"]:
            raise CommandError("the job engine is not well")
