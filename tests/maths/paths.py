"""The two ways to the same figures: NumPy and compiled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from numpy.typing import ArrayLike

from hedging.maths import black76, bsm
from hedging.maths.black76 import Greeks
from hedging.maths.fast import black as fast_black
from hedging.maths.fast import bsm as fast_bsm
from hedging.maths.fast.black import Outputs
from hedging.maths.fast.implied_vol import implied_vol as fast_vol
from hedging.maths.implied_vol import implied_vol

Path = Callable[..., Greeks]


def compiled_black(*arguments: ArrayLike) -> Greeks:
    return Greeks(*fast_black.greeks(*arguments, outputs=Outputs.ALL))


def compiled_spot(*arguments: ArrayLike) -> Greeks:
    return Greeks(*fast_bsm.greeks(*arguments, outputs=Outputs.ALL))


on_forward = pytest.mark.parametrize("greeks", [black76.greeks, compiled_black], ids=["numpy", "compiled"])
on_spot = pytest.mark.parametrize("greeks", [bsm.greeks, compiled_spot], ids=["numpy", "compiled"])
solvers = pytest.mark.parametrize("solve", [implied_vol, fast_vol], ids=["numpy", "compiled"])
