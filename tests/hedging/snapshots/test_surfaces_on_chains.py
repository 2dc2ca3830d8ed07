"""Every shared chain, every day: fitted surfaces hold no arbitrage and lie inside the quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hedging.engine.market import Flag, ForwardSource, VXPoint
from hedging.maths import black76
from hedging.maths.smile import Smile, SmileModel
from hedging.maths.yearfrac import year_fraction
from hedging.providers.formats.chain import ChainTable
from hedging.providers.formats.detect import parse_market_file
from hedging.selectors.calendar import opens_at
from hedging.services.snapshots.slices import ChainSlices

SPX_FILES = tuple(f"spx_chain_cboe_{part}" for part in ("2019_04", "2019_05", "20230914", "20240105"))
VIX_FILE = "vix_chain_cboe_2023_all"


def chains(data_dir: Path, name: str) -> list[ChainTable]:
    path = data_dir / "chains" / f"{name}.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return parse_market_file(path.name, path.read_bytes()).chains


def slope_steps(smile: Smile) -> float:
    """Least change of the slope of prices over strikes: a probability, negative only with arbitrage."""
    deviation = float(np.sqrt(smile.total_variance(0.0)))
    k = np.linspace(-8, 6, 500) * deviation
    strikes, side = np.exp(k), np.where(k >= 0, 1.0, -1.0)
    price = black76.price(1.0, strikes, 1.0, np.sqrt(smile.total_variance(k)), 1.0, side)
    call = np.where(side > 0, price, price + 1 - strikes)
    slope = np.diff(price) / np.diff(strikes) - (side[:-1] < 0)
    at = int(np.flatnonzero(np.diff(side))[0])
    slope[at] = (call[at + 1] - call[at]) / (strikes[at + 1] - strikes[at])
    return float(np.diff(slope).min())


def surfaces(data_dir: Path, name: str) -> Iterator[ChainSlices]:
    for chain in chains(data_dir, name):
        yield ChainSlices(chain, (), None, Flag.EOD)


@pytest.mark.parametrize("name", SPX_FILES)
def test_spx_surfaces_hold_no_arbitrage_and_lie_inside_the_quotes(data_dir: Path, name: str) -> None:
    k = np.linspace(-1.2, 0.7, 200)
    inside, weight, errors = 0.0, 0, []
    for slices in surfaces(data_dir, name):
        smiles = slices.surface.smiles
        assert min(slope_steps(smile) for smile in smiles) > -1e-7
        assert np.diff([smile.total_variance(k) for smile in smiles], axis=0).min() >= -1e-12
        for one in slices.values():
            if one.smile.n_quotes:
                inside += one.smile.inside_share * one.smile.n_quotes
                weight += one.smile.n_quotes
            if 7 <= one.t * 365 <= 60:
                errors.append(one.smile.rmse_vol_points)
    assert inside / weight > 0.99
    assert np.median(errors) < 0.04
    assert max(errors) < 0.15


def test_every_expiry_of_a_chain_of_21000_options_is_fitted(data_dir: Path) -> None:
    (chain,) = chains(data_dir, "spx_chain_cboe_20240105")
    slices = list(ChainSlices(chain, (), None, Flag.EOD).values())
    assert len(slices) == 59
    assert all(one.smile.n_quotes for one in slices)


def test_a_lifted_smile_tells_its_own_quality(data_dir: Path) -> None:
    (chain,) = chains(data_dir, "spx_chain_cboe_20240105")
    lifted = [one for one in ChainSlices(chain, (), None, Flag.EOD).values() if one.smile.floors]
    assert lifted
    for one in lifted:
        right = np.where(one.strikes >= one.forward, 1, -1)
        bid = np.where(right > 0, one.call_bid, one.put_bid)
        ask = np.where(right > 0, one.call_ask, one.put_ask)
        use = (bid > 0) & np.isfinite(ask)
        fitted = black76.price(
            one.forward, one.strikes[use], one.t, one.smile.vol(one.strikes[use]), one.discount, right[use]
        )
        share = np.mean((fitted >= bid[use] - 1e-6) & (fitted <= ask[use] + 1e-6))
        assert one.smile.inside_share == pytest.approx(share, abs=0.02)


def test_vix_smiles_stand_on_the_future_rise_with_the_strike_and_hold_no_arbitrage(data_dir: Path) -> None:
    first = chains(data_dir, VIX_FILE)[0]  # 3 July 2023, a close; settlements of that day as printed by CFE
    futures = {"2023-07-19": 14.8946, "2023-08-16": 16.3515}
    curve = tuple(
        VXPoint(day, settle, year_fraction(first.as_of, opens_at(day)))
        for text, settle in futures.items()
        if (day := np.datetime64(text).item())
    )
    slices = ChainSlices(first, curve, 0.053, Flag.EOD)
    one = slices[("VIX", curve[0].expiry)]
    assert one.forward_source is ForwardSource.VX_FUTURE
    assert one.forward == 14.8946
    assert one.smile.model is SmileModel.MIXTURE
    assert one.smile.inside_share == 1.0
    vols = one.smile.vol(one.forward * np.array([1.0, 1.2, 1.5, 2.0]))
    assert np.all(np.diff(vols) > 0)
    assert 0.7 < vols[0] < 0.85


def test_a_settlement_of_another_moment_than_the_quotes_is_not_their_forward(data_dir: Path) -> None:
    chain = chains(data_dir, VIX_FILE)[3]  # 4 October 2023: quotes at 20.13, VX settled at 18.52
    expiry = np.datetime64("2023-10-18").item()
    curve = (VXPoint(expiry, 18.5177, year_fraction(chain.as_of, opens_at(expiry))),)
    one = ChainSlices(chain, curve, 0.053, Flag.EOD)[("VIX", expiry)]
    assert one.forward_source is ForwardSource.PARITY
    assert one.forward == pytest.approx(20.13, abs=0.05)
    assert one.smile.rmse_vol_points < 3


def test_vix_smiles_of_every_quote_time_hold_no_arbitrage(data_dir: Path) -> None:
    inside = []
    for slices in surfaces(data_dir, VIX_FILE):
        assert min(slope_steps(smile) for smile in slices.surface.smiles) > -1e-5
        inside += [one.smile.inside_share for one in slices.values() if one.t * 365 >= 6]
    assert np.mean(inside) > 0.95


def test_an_expiry_without_a_bid_takes_its_smile_from_those_around_it(data_dir: Path) -> None:
    (chain,) = chains(data_dir, "spx_chain_cboe_20240105")
    key = ("SPXW", np.datetime64("2024-02-16").item())
    quoted = ChainSlices(chain, (), None, Flag.EOD)[key]
    c = chain.columns
    mine = (c.root == key[0]) & (c.expiry == np.datetime64(key[1]))
    out = mine & (c.right * (c.strike - quoted.forward) >= 0)
    bare = replace(chain, columns=replace(c, bid=np.where(out, 0.0, c.bid)))
    found = ChainSlices(bare, (), None, Flag.EOD)[key]
    assert found.smile.model is SmileModel.INTERPOLATED
    assert found.smile.n_quotes == 0
    strikes = quoted.forward * np.array([0.92, 0.97, 1.0, 1.03])
    assert 100 * np.abs(found.smile.vol(strikes) - quoted.smile.vol(strikes)).max() < 0.6
