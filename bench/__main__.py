"""``python -m bench``: every kernel against its peers, as one report.

Every rival gets one core, so that kernels are compared and not thread pools; ``--cores 2`` gives each of them
two. ``python -m bench prices vols`` runs some groups, ``--seconds 2`` gives each rival a longer clock,
``--write`` puts the report into ``docs/performance.md``. A group is a module of this package with a
generator ``cases() -> Iterator[Case]``, named in ``GROUPS``, or ``lines() -> Iterator[str]`` where
nothing is compared. ``python -m bench imports [--sqlite]`` times a large broker file in a process of its own,
``python -m bench own_data [--sqlite]`` measures a large export that is read back.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from pathlib import Path

from bench import imports, own_data

GROUPS = ("prices", "vols", "books", "returns")
#: Run when named only: each starts servers of its own and takes minutes.
APART = {"db": "database", "backfill": "backfill", "users": "users"}
_DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- figures: written by python -m bench --write -->", "<!-- end of figures -->"


def main() -> None:
    """Run, print and perhaps write."""
    if sys.argv[1:2] == ["imports"]:  # in a process without the peers: memory is measured
        sys.exit(imports.main(sys.argv[2:]))
    if sys.argv[1:2] == ["own_data"]:
        sys.exit(own_data.main(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="python -m bench", description="Kernels against their peers.")
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, *APART, "accuracy", []], metavar="group")
    parser.add_argument("--seconds", type=float, default=0.7, help="clock time of each rival in a case")
    parser.add_argument("--cores", type=int, default=1, help="cores of every rival")
    parser.add_argument("--write", action="store_true", help=f"put the report into {_DOCUMENT.name}")
    options = parser.parse_args()
    if options.write and options.groups:
        parser.error("--write needs every group")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # its threads would wait for cores that others use
    if set(options.groups) & set(APART):
        logging.disable(logging.INFO)  # the site's own lines would stand between the figures
    else:
        _confine(options.cores)
    lines = report(options.groups or [*GROUPS, "accuracy"], options.seconds)
    if options.write:
        text = _DOCUMENT.read_text(encoding="utf-8")
        before, rest = text.split(_BEGIN)
        after = rest.split(_END)[1]
        body = "\n".join(lines)
        _DOCUMENT.write_text(f"{before}{_BEGIN}\n\n{body}\n{_END}{after}", encoding="utf-8")


def _confine(cores: int) -> None:
    """Before any library counts them: this process has so many cores."""
    mine = sorted(os.sched_getaffinity(0))[-max(cores, 1) :]
    os.sched_setaffinity(0, mine)
    os.environ["NUMBA_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = str(len(mine))


def report(groups: list[str], seconds: float) -> list[str]:
    """Lines of the report, printed as they come."""
    from bench.report import error_table, machine, timing_table
    from bench.timing import measure

    lines: list[str] = []

    def tell(more: list[str]) -> None:
        lines.extend(more)
        print("\n".join(more), flush=True)

    tell([*machine(), ""])
    for group in groups:
        if group == "accuracy":
            from bench.accuracy import ALL_NAMES, greek_errors, vol_errors

            tell(error_table("Errors of Black-Scholes-Merton", list(greek_errors()), ALL_NAMES))
            tell(error_table("Errors of the implied volatility", list(vol_errors()), ["sigma", "unsolved"]))
            continue
        module = importlib.import_module(f"bench.{APART.get(group, group)}")
        if hasattr(module, "lines"):
            for line in module.lines():
                tell([line])
            continue
        for case in module.cases():
            measure(case, seconds=seconds)
            tell(timing_table(case))
    return lines


if __name__ == "__main__":
    sys.exit(main())
