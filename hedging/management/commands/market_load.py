"""``manage.py market_load PATH…``: load market files or whole folders, whatever known format they have."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.engine.signals.supplied import SUPPLIED
from hedging.models import IngestRun
from hedging.services.market.load import MarketFileError, market_files_in, market_path_load

_BAR = 24


class Command(BaseCommand):
    help = "Load market data files or folders; the format is detected, the same file twice adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="a file, or a folder")
        parser.add_argument("--symbol", default="", help="series the file holds, if its name does not say")
        parser.add_argument(
            "--symbols", action="store_true", help="list the symbols signals look for in series of your own"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a file")

    def handle(self, *, paths: list[Path], symbol: str, **options: Any) -> None:
        if options["symbols"]:
            self._symbols()
            return
        if not paths:
            raise CommandError("name a file or a folder, or ask for --symbols")
        began = monotonic()
        try:
            files = market_files_in(paths)
        except MarketFileError as error:
            raise CommandError(str(error)) from None
        failed = new = 0
        for number, path in enumerate(files):
            self._bar(number, len(files), path.name)
            try:
                run = market_path_load(path=path, symbol=symbol, loaded_by="command line")
            except MarketFileError as error:
                failed += 1
                self._bar()
                self.stderr.write(f"{path}: {error}")
                continue
            new += run.rows_new
            self._bar()
            self._tell(path, run, as_json=options["json"])
        if not options["json"]:
            seconds = monotonic() - began
            self.stdout.write(f"{len(files) - failed} files, {new} new rows in {seconds:.1f} s")
        if failed:
            raise CommandError(f"{failed} of {len(files)} files could not be read; nothing of them is kept")

    def _symbols(self) -> None:
        """One line a series, then how its file looks."""
        for one in SUPPLIED:
            signals = ", ".join(key.value for key in one.signals)
            self.stdout.write(f"{one.symbol:18} {one.title}, {one.unit} → {signals}\n{'':18} {one.note}")
        self.stdout.write("A CSV with the header date,value; each row dated by the day it became known:")
        self.stdout.write(f"  manage.py market_load FILE.csv --symbol {SUPPLIED[0].symbol}")

    def _bar(self, done: int = 0, total: int = 0, name: str = "") -> None:
        """A progress bar on a terminal; without ``total`` it is wiped."""
        if not self.stderr.isatty():
            return
        filled = _BAR * done // total if total else 0
        text = f"[{'#' * filled}{'.' * (_BAR - filled)}] {done} of {total} {name[:40]}" if total else ""
        self.stderr.write(f"\r\x1b[K{text}", ending="")
        self.stderr.flush()

    def _tell(self, path: Path, run: IngestRun, *, as_json: bool) -> None:
        if as_json:
            figures = {
                "file": str(path),
                "format": run.format,
                "rows": run.rows_read,
                "new": run.rows_new,
                "unchanged": run.rows_unchanged,
                "dropped": run.rows_dropped,
                "notes": run.notes,
            }
            self.stdout.write(json.dumps(figures))
            return
        notes = "".join(f"\n    {note}" for note in run.notes)
        self.stdout.write(
            f"{path.name}: {run.format}, {run.rows_read} rows read, {run.rows_new} new, "
            f"{run.rows_unchanged} unchanged, {run.rows_dropped} dropped{notes}"
        )
