"""``manage.py kernel_warm``: compile the kernels now, so that no job waits for it."""

from __future__ import annotations

import os
import time
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Compile the option kernels into numba's cache; a second or two when they are there already."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        os.nice(10)  # whoever is being served goes first
        started = time.monotonic()
        from hedging.maths.fast.warm import warm

        count = warm()
        self.stdout.write(f"{count} kernels ready ({time.monotonic() - started:.1f} s)")
