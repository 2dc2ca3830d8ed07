"""The VIX calculation against both editions of Cboe's white paper and against printed closes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from bench.chains import expiries
from hedging.maths import vix_index
from hedging.maths.vix_index import Strip, strip_variance, thirty_day_index
from tests.maths.reference import column, rows

#: Minutes and rates of the two terms, as printed: (edition, near, next).
EDITIONS = {
    "whitepaper-2014/2019": ((35_924, 0.000305), (46_394, 0.000286)),
    "methodology-v6.0-2026": ((34_484, 0.00031664), (44_954, 0.00028797)),
}


def strips(data_dir: Path, edition: str) -> tuple[Strip, Strip]:
    table = rows(data_dir, "cboe_vix_whitepaper_quotes.csv")
    found = []
    for term, (minutes, rate) in zip(("near", "next"), EDITIONS[edition], strict=True):
        mine = [row for row in table if row["term"] == term]
        names = ("strike", "call_bid", "call_ask", "put_bid", "put_ask")
        found.append(strip_variance(*(column(mine, name) for name in names), minutes, rate))
    return found[0], found[1]


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_printed_figure_of_the_white_paper_is_reproduced(data_dir: Path, edition: str) -> None:
    near, following = strips(data_dir, edition)
    ours = {"VIX": thirty_day_index(near, following), "VIX/100": thirty_day_index(near, following) / 100}
    for number, name, strip in ((1, "near", near), (2, "next", following)):
        minutes, rate = EDITIONS[edition][number - 1]
        ours |= {
            f"minutes_{name}": minutes, f"R{number}": rate, f"T{number}": strip.t,
            f"F{number}": strip.forward, f"adj{number}": strip.adjustment,
            f"sigma2_{number}": strip.variance, f"put_end_{name}": strip.strikes[0],
            f"call_end_{name}": strip.strikes[-1], "K0": strip.k0,
        }  # fmt: skip
    printed = [row for row in rows(data_dir, "cboe_vix_expected.csv") if row["edition"] == edition]
    assert len(printed) >= 13
    for row in printed:
        tolerance = float(row["tol"])
        assert ours[row["quantity"]] == pytest.approx(float(row["value"]), abs=tolerance + 1e-15), row


def test_two_strikes_without_bid_end_the_strip() -> None:
    strikes = np.arange(80.0, 121.0, 5.0)
    put_bid = np.array([0.1, 0.0, 0.0, 0.4, 1.5, 5.0, 10.0, 15.0, 20.0])
    call_bid = put_bid[::-1].copy()
    strip = strip_variance(strikes, call_bid, call_bid + 0.2, put_bid, put_bid + 0.2, 43_200, 0.0)
    assert list(strip.strikes) == [95.0, 100.0, 105.0]


def test_a_strip_without_a_pair_is_refused() -> None:
    zero = np.zeros(5)
    with pytest.raises(ValueError, match="both a call and a put"):
        strip_variance(np.arange(1.0, 6.0), zero, zero, zero, zero, 43_200, 0.0)


@pytest.mark.parametrize(
    ("name", "day", "rate"),
    [("spx_chain_cboe_20230914", "2023-09-14", 0.053), ("spx_chain_cboe_20240105", "2024-01-05", 0.052)],
)
def test_closing_chains_give_the_printed_vix(data_dir: Path, name: str, day: str, rate: float) -> None:
    path = data_dir / "chains" / f"{name}.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    with (data_dir / "market" / "vix_daily.csv").open(encoding="utf-8") as lines:
        printed = next(float(row["close"]) for row in csv.DictReader(lines) if row["date"] == day)
    quoted = sorted(expiries(path), key=lambda expiry: expiry.t)
    friday = [e for e in quoted if 23 < e.t * 365 < 37 and e.expiry.weekday() == 4]
    near = [e for e in friday if e.t * 525_600 <= vix_index.MINUTES_30_DAYS][-1]
    after = next(e for e in friday if e.t * 525_600 > vix_index.MINUTES_30_DAYS)
    pair = [
        strip_variance(e.strikes, e.call_bid, e.call_ask, e.put_bid, e.put_ask, e.t * 525_600, rate)
        for e in (near, after)
    ]
    assert thirty_day_index(*pair) == pytest.approx(printed, abs=0.01)
