"""Quality and speed of the smile fit on the shared chains, beside raw SVI.

Run ``python -m bench.smiles`` (needs scipy and the data folder). Both fit the same quotes: out of the money,
bid above zero. SVI is J. Gatheral's five-parameter slice, least squares in half-spreads from three starts, as
a practitioner would fit it; its butterfly condition is checked afterwards.
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.site import data_folder
from hedging.engine.market import ExpirySlice, Flag
from hedging.maths import black76
from hedging.maths.smile import Smile
from hedging.providers.formats.detect import parse_market_file
from hedging.services.snapshots.slices import ChainSlices, OtmVols, otm_vols

Floats = NDArray[np.float64]

FILES = (
    "spx_chain_cboe_2019_04",
    "spx_chain_cboe_2019_05",
    "spx_chain_cboe_20230914",
    "spx_chain_cboe_20240105",
)
MOST_DAYS = 4  # quote times of a file that SVI is fitted to: it is slow


class Score(NamedTuple):
    """Per expiry: RMSE in vol points, share inside bid and ask, quotes, butterfly arbitrage, seconds."""

    rmse: float
    inside: float
    quotes: int
    arbitrage: bool
    seconds: float


def svi(p: Floats, k: Floats) -> Floats:
    """w(k) = a + b (ρ (k - m) + √((k - m)² + σ²))."""
    a, b, rho, m, sigma = p
    return np.asarray(a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2)))


def fit_svi(k: Floats, mid: Floats, half: Floats, t: float) -> Floats:
    """Best of three starts by bounded least squares."""
    from scipy.optimize import least_squares

    w = mid**2 * t
    level = float(np.interp(0.0, k, w))
    width = float(np.sqrt(level))

    def residuals(p: Floats) -> Floats:
        return (np.sqrt(np.maximum(svi(p, k), 1e-12) / t) - mid) / half

    bounds = ([-1.0, 1e-8, -0.999, -2.0, 1e-5], [4 * w.max(), 4.0, 0.999, 2.0, 5.0])
    starts = [
        [level * x, level / width, -0.6, 0.0, width * y] for x, y in ((0.5, 0.5), (0.2, 1.5), (0.8, 0.1))
    ]
    runs = [least_squares(residuals, start, bounds=bounds, max_nfev=400) for start in starts]
    return np.asarray(min(runs, key=lambda run: run.cost).x)


def butterfly(p: Floats, k: Floats) -> bool:
    """Whether Durrleman's g falls below zero between and a little beyond the quotes."""
    reach = np.linspace(1.3 * k[0], 1.3 * k[-1], 400)
    h = 1e-4
    w, up, down = svi(p, reach), svi(p, reach + h), svi(p, reach - h)
    first, second = (up - down) / (2 * h), (up - 2 * w + down) / h**2
    g = (1 - reach * first / (2 * w)) ** 2 - first**2 / 4 * (1 / w + 0.25) + second / 2
    return bool(w.min() <= 0 or g.min() < -1e-6)


def slope_falls(smile: Smile) -> bool:
    """Whether the slope of calls over strikes falls somewhere, by more than rounding."""
    k = np.linspace(-6, 5, 500) * float(np.sqrt(smile.total_variance(0.0)))
    strikes = np.exp(k)
    call = black76.price(1.0, strikes, 1.0, np.sqrt(smile.total_variance(k)), 1.0, 1)
    return bool(np.diff(np.diff(call) / np.diff(strikes)).min() < -1e-7)


def score_svi(one: ExpirySlice, vols: OtmVols) -> Score:
    """SVI on the quotes of one expiry."""
    k = np.log(vols.strikes / one.forward)
    use = np.isfinite(vols.mid) & (vols.vega > 0) & np.isfinite(vols.bid) & np.isfinite(vols.ask)
    k, bid, ask, mid, vega = (x[use] for x in (k, vols.bid, vols.ask, vols.mid, vols.vega))
    began = time.process_time()
    p = fit_svi(k, mid, np.maximum((ask - bid) / 2, 1e-4), one.t)
    seconds = time.process_time() - began
    fitted = np.sqrt(np.maximum(svi(p, k), 1e-12) / one.t)
    inside = float(np.mean((fitted >= bid - 1e-9) & (fitted <= ask + 1e-9)))
    rmse = float(np.sqrt(np.average(((fitted - mid) * 100) ** 2, weights=vega)))
    return Score(rmse, inside, len(k), butterfly(p, k), seconds)


def show(name: str, scores: list[Score], seconds: float) -> None:
    """One line of the table."""
    inside = np.average([s.inside for s in scores], weights=[s.quotes for s in scores])
    rmse = [s.rmse for s in scores]
    faulty = sum(s.arbitrage for s in scores)
    print(
        f"  {name:<10} RMSE median {np.median(rmse):.3f} p95 {np.percentile(rmse, 95):.3f} vol points, "
        f"{100 * inside:.1f}% inside, {faulty} of {len(scores)} with butterfly arbitrage, {seconds:.2f} s"
    )


def main() -> None:
    """Every file: our surface of each quote time, and SVI on the first few."""
    folder = data_folder()
    if folder is None:
        sys.exit("the market data is absent; set ALVH_DATA")
    for name in FILES:
        path = folder / "chains" / f"{name}.csv.gz"
        ours: list[Score] = []
        theirs: list[Score] = []
        slowest = spent = 0.0
        chains = parse_market_file(path.name, path.read_bytes()).chains
        for at, chain in enumerate(chains):
            began = time.process_time()
            slices = list(ChainSlices(chain, (), None, Flag.EOD).values())
            slowest = max(slowest, time.process_time() - began)
            for one in slices:
                smile = one.smile
                if smile.n_quotes < 8:
                    continue
                faulty = slope_falls(smile)
                ours.append(Score(smile.rmse_vol_points, smile.inside_share, smile.n_quotes, faulty, 0.0))
                if at < MOST_DAYS:
                    sides = (one.call_bid, one.call_ask, one.put_bid, one.put_ask)
                    vols = otm_vols(one.strikes, *sides, one.forward, one.discount, one.t)
                    theirs.append(score_svi(one, vols))
                    spent = max(spent, sum(s.seconds for s in theirs) / (at + 1))
        print(f"{name}: {len(chains)} quote times, slowest {slowest:.2f} s")
        show("mixture", ours, slowest)
        show("raw SVI", theirs, spent)


if __name__ == "__main__":
    main()
