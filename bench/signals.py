"""Times all signals and regimes of the real history since 1990: ``python -m bench.signals``.

Set ``OPENBLAS_NUM_THREADS=1``. Reads the data folder (``ALVH_DATA`` or ``../shared/data``); the limit is 3 s.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from hedging.engine.history.folder import history_from_folder
from hedging.engine.signals import codec
from hedging.engine.signals.compute import compute_signals

LIMIT_SECONDS = 3.0
REPEATS = 7


def main() -> int:
    """Print medians; 1 when the limit is missed, 2 without data."""
    folder = Path(os.environ.get("ALVH_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not (folder / "market").is_dir():
        print(f"no market data in {folder}")
        return 2
    began = perf_counter()
    history = history_from_folder(folder / "market")
    print(f"history read from files      {perf_counter() - began:8.3f} s")
    seconds = []
    for _ in range(REPEATS):
        began = perf_counter()
        frame = compute_signals(history)
        seconds.append(perf_counter() - began)
    took = median(seconds)
    print(f"all signals and regimes      {took:8.3f} s, {len(frame.columns)} signals, {len(frame)} sessions")
    began = perf_counter()
    data = codec.pack(frame)
    print(f"packed for storage           {perf_counter() - began:8.3f} s, {len(data):,} bytes")
    began = perf_counter()
    codec.unpack(data)
    print(f"unpacked for a page          {perf_counter() - began:8.3f} s")
    began = perf_counter()
    days = [day.item() for day in frame.days[-250:]]
    for day in days:
        frame.day(day)
    print(f"one day of every signal      {1000 * (perf_counter() - began) / len(days):8.3f} ms")
    print(f"limit {LIMIT_SECONDS:.0f} s: {'met' if took <= LIMIT_SECONDS else 'MISSED'}")
    return int(took > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
