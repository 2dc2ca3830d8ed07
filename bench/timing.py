"""Timing rivals side by side: the machine is shared, so every round runs each of them once."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from numba import get_num_threads

from hedging.maths.fast.vector import Threads

#: Ours runs on as many threads as its rivals may.
THREADS = Threads.ALL if get_num_threads() > 1 else Threads.ONE
_SHORTEST = 2e-3  # s: a sample shorter than this repeats its call
_QUICK = 2e-2  # s: a call shorter than this runs once off the clock first, on warm caches like its rivals


@dataclass
class Rival:
    """One way to do the work; ``run`` is None when it cannot be done here, and ``note`` says why.

    ``items`` is how many a call does, when fewer than its case's ``count``: a scalar library's loop.
    """

    name: str
    run: Callable[[], object] | None
    note: str = ""
    items: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float | None:
        """Median seconds a call, or None when nothing ran."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def best(self) -> float | None:
        """Fastest sample, seconds a call."""
        return min(self.seconds, default=None)


@dataclass(frozen=True)
class Target:
    """``ours`` is to be at least ``ratio`` times as fast as ``peer``."""

    ours: str
    peer: str
    ratio: float


@dataclass
class Case:
    """One row group of the table: the same work by several rivals.

    ``count`` items of ``unit`` are done in a call; ``targets`` are ratios of medians; ``limit`` says
    what bounds our figure. ``wall``: other processes have a part in the work.
    """

    title: str
    count: int
    unit: str
    rivals: list[Rival]
    targets: list[Target] = field(default_factory=list)
    limit: str = ""
    wall: bool = False

    def rival(self, name: str) -> Rival:
        """The rival of this name."""
        return next(rival for rival in self.rivals if rival.name == name)

    def ratio(self, target: Target, *, best: bool = False) -> float | None:
        """How many times as fast as its peer ours was, by medians or best samples; None: one did not run."""
        ours = self.seconds(self.rival(target.ours), best=best)
        peer = self.seconds(self.rival(target.peer), best=best)
        return peer / ours if ours and peer else None

    def seconds(self, rival: Rival, *, best: bool = False) -> float | None:
        """Seconds for the whole of ``count``, by the median or the best sample."""
        found = rival.best if best else rival.median
        return None if found is None else found * self.count / (rival.items or self.count)


def measure(case: Case, *, seconds: float, most: int = 201) -> None:
    """Fill the samples: interleaved rounds until every rival had about ``seconds`` or ``most`` samples.

    The order changes every round. A rival that raises on its warm-up call is kept with the error as its
    note. Slow rivals leave the later rounds, but not before three samples. On one core the clock is the
    processor's, which runs as on an idle machine whatever the neighbours do.
    """
    clock = time.perf_counter if case.wall or get_num_threads() > 1 else time.process_time
    repeats: dict[str, int] = {}
    dice = random.Random(1)
    for rival in case.rivals:
        if rival.run is None:
            continue
        try:
            rival.run()
            once = _sample(clock, rival.run, 1)
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way
            rival.run, rival.note = None, f"fails: {type(error).__name__}"
            continue
        repeats[rival.name] = max(1, round(_SHORTEST / max(once, 1e-7)))
    gc.collect()
    gc.disable()
    try:
        for n in range(most):
            active = [r for r in case.rivals if r.run is not None and (n < 3 or sum(r.seconds) < seconds)]
            if not active:
                break
            dice.shuffle(active)
            for rival in active:
                assert rival.run is not None
                if not rival.seconds or rival.seconds[-1] < _QUICK:
                    rival.run()
                rival.seconds.append(_sample(clock, rival.run, repeats[rival.name]))
    finally:
        gc.enable()


def _sample(clock: Callable[[], float], run: Callable[[], object], repeats: int) -> float:
    began = clock()
    for _ in range(repeats):
        run()
    return (clock() - began) / repeats
