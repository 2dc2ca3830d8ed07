"""The tables as Markdown: for the terminal and for ``docs/performance.md``."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from bench import cbound
from bench.accuracy import Errors
from bench.peers import all_peers
from bench.timing import Case


def machine() -> list[str]:
    """What the figures were taken on."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    ours = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "llvmlite", "pandas", "pyxirr"))
    peers = ", ".join(f"{peer.distribution} {peer.release or peer.note}" for peer in _once(all_peers()))
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    used = len(os.sched_getaffinity(0))
    return [
        f"- {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {cpu}, load {load}",
        f"- every rival on {used} of {os.cpu_count()} cores",
        f"- Python {platform.python_version()}, {ours}; {cbound.compiler()}",
        f"- peers: {peers}",
    ]


def _once(peers: Iterable[object]) -> list[object]:
    seen: dict[str, object] = {}
    for peer in peers:
        seen.setdefault(peer.distribution, peer)
    return list(seen.values())


def timing_table(case: Case) -> list[str]:
    """Rates and milliseconds of every rival, then the targets."""
    first = case.rivals[0]
    base = case.seconds(first)
    rows = []
    for rival in case.rivals:
        whole, best = case.seconds(rival), case.seconds(rival, best=True)
        if whole is None or best is None:
            rows.append([rival.name, rival.note or "did not run", "", "", ""])
            continue
        times = "1" if rival is first else f"{whole / base:.3g}" if base else ""
        rows.append([rival.name, rate(case.count / whole), ms(whole), ms(best), times])
    lines = [f"### {case.title}", ""]
    lines += table([f"{case.unit} a second", "median", "best", "time over ours"], rows)
    for target in case.targets:
        ratio, best = case.ratio(target), case.ratio(target, best=True)
        verdict = "not measured"
        if ratio is not None and best is not None:
            verdict = f"{ratio:.3g}× by medians, {best:.3g}× by best samples; target {target.ratio:g}× "
            verdict += "met" if ratio >= target.ratio else f"missed by a factor of {target.ratio / ratio:.2f}"
        lines.append(f"- {target.ours} over {target.peer}: {verdict}")
    if case.limit:
        lines += ["", f"Limit: {case.limit}"]
    return [*lines, ""]


def error_table(title: str, found: Sequence[Errors], names: Sequence[str]) -> list[str]:
    """One row a library and kind of option."""
    rows = []
    for errors in found:
        if errors.note:
            rows.append([f"{errors.kind}: {errors.who}", errors.note, *([""] * (len(names) - 1))])
        else:
            shown = [_error(errors.errors[name]) if name in errors.errors else "–" for name in names]
            rows.append([f"{errors.kind}: {errors.who}", *shown])
    return [f"### {title}", "", *table(list(names), rows), ""]


def _error(value: float) -> str:
    return f"{value:.0e}" if value else "0"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose first column has no head, padded for the terminal."""
    grid = [["", *heads], *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in grid) for i in range(len(grid[0]))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        return (
            "| "
            + " | ".join([first, *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))])
            + " |"
        )

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])]) + "|"
    return [line(grid[0]), rule, *map(line, grid[1:]), ""]


def rate(per_second: float) -> str:
    """Three digits with M or k."""
    for scale, letter in ((1e6, "M"), (1e3, "k")):
        if per_second >= scale:
            return f"{per_second / scale:.3g} {letter}"
    return f"{per_second:.3g}"


def ms(seconds: float) -> str:
    """Milliseconds with three digits."""
    value = seconds * 1e3
    return f"{value:.3g} ms" if value < 1000 else f"{value:,.0f} ms"
