"""Times reading, storing and snapshots of the real market data: ``python -m bench.market_data``.

Set ``OPENBLAS_NUM_THREADS=1``. Makes a database of its own in a temporary folder, loads the data folder
(``ALVH_DATA`` or ``../shared/data``) into it and builds the snapshot of a full chain of 21,000 options.
Figures are processor seconds of this process, so that a busy machine does not change them; each has its
limit, and a missed one ends with 1.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from time import process_time

CHAIN = "spx_chain_cboe_20240105.csv.gz"
FITS = 3


def main() -> int:
    """Print figures and limits; 1 when one is missed, 2 without data."""
    from bench.chains import data_folder

    folder = data_folder()
    if folder is None:
        print("no data folder")
        return 2
    with tempfile.TemporaryDirectory(prefix="alvh-bench-") as state:
        os.environ |= {"STATE_DIR": state, "DATABASE_URL": f"sqlite:///{state}/bench.sqlite3"}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alvh_site.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        return int(not all([*_history(folder), *_chain(folder)]))


def _timed(what: str, limit: float, work: Callable[[], object], *, times: int = 1) -> bool:
    """Run and tell the best of ``times`` against the limit."""
    best = float("inf")
    for _ in range(times):
        began = process_time()
        work()
        best = min(best, process_time() - began)
    print(f"{what:44} {best:8.3f} s, limit {limit:g} s: {'met' if best <= limit else 'MISSED'}")
    return best <= limit


def _history(folder: Path) -> list[bool]:
    from django.core.management import call_command

    from hedging.engine.history.folder import history_from_folder
    from hedging.selectors.history import market_history

    def load() -> None:
        call_command("market_load", str(folder / "market"), stdout=io.StringIO(), stderr=io.StringIO())

    return [
        _timed("history read from files", 3, lambda: history_from_folder(folder / "market")),
        _timed("history loaded into an empty database", 60, load),
        _timed("the same again, nothing new", 60, load),
        _timed("history read from the database", 15, market_history),
    ]


def _chain(folder: Path) -> list[bool]:
    from hedging.engine.market import Flag
    from hedging.providers.formats.detect import parse_market_file
    from hedging.selectors.calendar import NEW_YORK, closes_at
    from hedging.services.market.load import market_path_load
    from hedging.services.snapshots.slices import ChainSlices
    from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load

    path = folder / "chains" / CHAIN
    market_path_load(path=path)
    (chain,) = parse_market_file(path.name, path.read_bytes()).chains
    evening = datetime(2024, 1, 5, 20, tzinfo=NEW_YORK)
    snapshot_for(as_of=closes_at(date(2023, 6, 1)))  # the calendar and the models are read once

    def build() -> None:
        row = snapshot_for(as_of=evening)
        assert row is not None
        assert len(list(snapshot_load(row).slices.values())) >= 60

    return [
        _timed(f"snapshot of {len(chain):,} options, first time", 1.5, build),
        _timed(
            "every smile of that chain",
            1.0,
            lambda: list(ChainSlices(chain, (), None, Flag.EOD).values()),
            times=FITS,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
