"""``manage.py market_load PATH…``: load market files, whatever known format they have."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.services.market_load import MarketFileError, market_path_load


class Command(BaseCommand):
    help = "Load market data files; the format is detected, the same file twice adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--symbol", default="", help="series the file holds, if its name does not say")
        parser.add_argument("--json", action="store_true", help="one JSON object a file")

    def handle(self, *, paths: list[Path], symbol: str, **options: Any) -> None:
        failed = 0
        for path in paths:
            try:
                run = market_path_load(path=path, symbol=symbol, loaded_by="command line")
            except MarketFileError as error:
                failed += 1
                self.stderr.write(f"{path}: {error}")
                continue
            figures = {
                "file": str(path),
                "format": run.format,
                "rows": run.rows_read,
                "new": run.rows_new,
                "unchanged": run.rows_unchanged,
                "dropped": run.rows_dropped,
                "notes": run.notes,
            }
            if options["json"]:
                self.stdout.write(json.dumps(figures))
            else:
                notes = "".join(f"\n    {note}" for note in run.notes)
                self.stdout.write(
                    f"{path.name}: {run.format}, {run.rows_read} rows read, {run.rows_new} new, "
                    f"{run.rows_unchanged} unchanged, {run.rows_dropped} dropped{notes}"
                )
        if failed:
            raise CommandError(f"{failed} of {len(paths)} files could not be read; nothing of them is kept")
