"""Times backtests of every preset, and sets of parameters on two processes: ``python -m bench.backtest``.

Set ``OPENBLAS_NUM_THREADS=1``. Reads the data folder (``ALVH_DATA`` or ``../shared/data``). Efficiency is the
processor time a set takes alone over the time it takes beside a second process, each pinned by the system.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

from hedging.engine.backtest.types import Settings
from hedging.engine.history.folder import history_from_folder
from hedging.engine.rulesets.presets import DEFAULT, preset, presets
from hedging.services.backtest import Backtests, settings_for

LIMIT_SECONDS, EFFICIENCY = 5.0, 0.9
SETS = 8
SETTINGS = Settings(date(2004, 1, 2), date(2024, 1, 31))
_FOLDER = Path(os.environ.get("ALVH_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def work(count: int) -> tuple[float, float]:
    """(processor, wall) seconds of ``count`` runs of the default preset, reading the data first."""
    tests = Backtests(history_from_folder(_FOLDER / "market"))
    tests.run(preset(DEFAULT), SETTINGS)
    processor, wall = process_time(), perf_counter()
    for _ in range(count):
        tests.run(preset(DEFAULT), SETTINGS)
    return process_time() - processor, perf_counter() - wall


def main() -> int:
    """Print processor seconds a preset and the efficiency of two processes; 1 when a limit is missed."""
    if not (_FOLDER / "market").is_dir():
        print(f"no market data in {_FOLDER}")
        return 2
    tests, slowest = Backtests(history_from_folder(_FOLDER / "market")), 0.0
    for ruleset in presets():
        began = process_time()
        report = tests.report(ruleset, settings_for(ruleset, SETTINGS))
        took = process_time() - began
        slowest = max(slowest, took)
        sessions, trades = report["sessions"], len(report["trades"])
        print(f"{ruleset.name:24}{took:7.2f} s  {sessions:,} sessions, {trades:,} trades")
    alone, alone_wall = work(SETS // 2)
    with ProcessPoolExecutor(2) as pool:
        beside = list(pool.map(work, [SETS // 2] * 2))
    by_processor = alone / (sum(one for one, _ in beside) / 2)
    by_wall = alone_wall / max(wall for _, wall in beside)
    print(f"a set alone {alone / (SETS // 2):.2f} s of processor")
    print(f"efficiency per core, two processes: {by_processor:.2f} by processor time, {by_wall:.2f} by wall")
    good = slowest <= LIMIT_SECONDS and by_processor >= EFFICIENCY
    print(f"limits {LIMIT_SECONDS:.0f} s and {EFFICIENCY}: {'met' if good else 'MISSED'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
