"""``manage.py market_retain``: thin old option chains and clear unused snapshots by rule."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from hedging.services.market.retain import market_retain


class Command(BaseCommand):
    help = "Apply the retention rules; nothing that is referred to is removed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *, dry_run: bool, **_: Any) -> None:
        found = market_retain(now=timezone.now(), dry_run=dry_run)
        verb = "would go" if dry_run else "removed"
        self.stdout.write(
            f"{verb}: {found.snapshots} unused snapshots, {found.chains} chains, "
            f"{found.failed_runs} failed runs, {found.jobs} fetch jobs, {found.frames} signal archives"
        )
