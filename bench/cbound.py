"""The C bound: ``bound.c`` compiled for this machine, called with the caller's arrays."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedging.maths.coefficients import MILLS_BOTTOM, MILLS_TOP

Floats = NDArray[np.float64]

_FLAGS = (
    "-O3", "-march=native", "-mprefer-vector-width=512", "-fno-math-errno", "-fno-trapping-math",
    "-ffp-contract=fast", "-shared", "-fPIC",
)  # fmt: skip


def compiler() -> str:
    """Name and version of the C compiler, or why there is no bound."""
    found = shutil.which("gcc")
    if found is None:
        return "no gcc"
    return subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[0]


def library() -> ctypes.CDLL | None:
    """The compiled bound, or None without gcc."""
    found = shutil.which("gcc")
    if found is None:
        return None
    source = Path(__file__).with_name("bound.c")
    constants = [
        f"-D{name}={','.join(map(repr, values))}"
        for name, values in (("MILLS_TOP", MILLS_TOP), ("MILLS_BOTTOM", MILLS_BOTTOM))
    ]
    command = [found, *_FLAGS, *constants, str(source)]
    mark = hashlib.sha256(source.read_bytes() + repr(command).encode()).hexdigest()[:16]
    target = Path(tempfile.gettempdir()) / f"alvh-bound-{mark}.so"
    if not target.exists():
        subprocess.run([*command, "-o", str(target), "-lm"], check=True)
    return ctypes.CDLL(str(target))


def black_six(columns: tuple[Floats, ...], out: Floats) -> Callable[[], object] | None:
    """Price and five Greeks of ``columns`` into the six rows of ``out``, as one call."""
    loaded = library()
    if loaded is None:
        return None
    return _call(loaded.black_six, len(columns[0]), (*columns, *out))


def sum_rows(
    contract: NDArray[np.int32], size: Floats, offsets: NDArray[np.int64], table: Floats, out: Floats
) -> Callable[[], object] | None:
    """Sums of table rows per owner, as ``hedging.maths.fast.books`` defines them."""
    loaded = library()
    if loaded is None:
        return None
    return _call(loaded.sum_rows, len(offsets) - 1, (contract, size, offsets, table, out))


def _call(function: Any, count: int, arrays: Sequence[NDArray[Any]]) -> Callable[[], object]:
    """A call that keeps its arrays alive: C knows only their addresses."""

    def run(arrays: Sequence[NDArray[Any]] = arrays) -> object:
        return function(ctypes.c_long(count), *pointers)

    pointers = [ctypes.c_void_p(a.ctypes.data) for a in arrays]
    return run
