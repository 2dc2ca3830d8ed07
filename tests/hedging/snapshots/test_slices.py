"""Slices of a chain: one expiry alone and the whole surface give the same smile."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from hedging.engine.market import Flag
from hedging.providers import simulated
from hedging.services.snapshots.slices import ChainSlices


@pytest.mark.parametrize("make", [simulated.simulated_spx_chain, simulated.simulated_vix_chain])
def test_an_expiry_alone_has_the_smile_it_has_among_the_others(make: object) -> None:
    state = simulated.simulate_days(date(2026, 11, 20), 30)[-1]
    chain = make(state)  # type: ignore[operator]  # either of two functions of a day
    whole = ChainSlices(chain, (), 0.04, Flag.SIMULATED)
    assert len(whole.surface.smiles) == len(whole)
    for key in list(whole)[::3]:
        alone, among = ChainSlices(chain, (), 0.04, Flag.SIMULATED)[key], whole[key]
        strikes = np.linspace(0.7, 1.4, 40) * among.forward
        assert alone.forward == among.forward
        np.testing.assert_array_equal(alone.smile.vol(strikes), among.smile.vol(strikes))
        assert alone.smile.inside_share == among.smile.inside_share
