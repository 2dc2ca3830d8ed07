"""Estimate the coefficients of the modelled surfaces on the shared chains, and their errors.

Run ``python -m bench.fit_surface --write`` (needs scipy and the data folder). It prints the errors of every
day predicted from the other days, and with ``--write`` stores coefficients, dates and errors in
``hedging/maths/surface_coefficients.json``. No quote is stored.

A quote time's own smiles, fitted as the product fits them, are the truth. Shapes are estimated with the log
contracts of the same quotes as levels, because most chains were taken in the afternoon and the indices at
the close; errors are stated both ways.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.site import data_folder
from hedging.engine.market import ExpirySlice, Flag
from hedging.maths import black76
from hedging.maths.modelled import (
    DAY,
    HORIZON,
    INDEX_DAYS,
    MONTH,
    LevelSurface,
    SpxCoefficients,
    VixCoefficients,
    spx_surface,
    vix_surface,
)
from hedging.maths.smile import Smile
from hedging.maths.yearfrac import year_fraction
from hedging.providers.formats.detect import parse_market_file
from hedging.selectors.calendar import opens_at
from hedging.services.snapshots.slices import ChainSlices

Floats = NDArray[np.float64]

SPX_FILES = (
    "spx_chain_cboe_2019_04",
    "spx_chain_cboe_2019_05",
    "spx_chain_cboe_20230914",
    "spx_chain_cboe_20240105",
)
VIX_FILES = ("vix_chain_cboe_2023_all",)
OUT = Path(__file__).resolve().parents[1] / "hedging" / "maths" / "surface_coefficients.json"
INDICES = {"VIX9D": "vix9d_daily", "VIX": "vix_daily", "VIX3M": "vix3m_daily", "VVIX": "vvix_daily"}
#: Deviations σ√T from the forward and about which delta of an option stands there.
POINTS = {
    -2.33: "put 1",
    -1.645: "put 5",
    -1.28: "put 10",
    -0.67: "put 25",
    0.0: "ATM",
    0.67: "call 25",
    1.28: "call 10",
    1.645: "call 5",
}
TENORS = ((2, 9), (9, 21), (21, 60), (60, 120), (120, 400))
Z = np.array(list(POINTS))


class Expiry(NamedTuple):
    """A fitted expiry: vols at ``k`` (NaN beyond the quotes) and the log contract's total variance."""

    t: float
    k: Floats
    vol: Floats
    log_contract: float
    carry: float


class Day(NamedTuple):
    """One quote time with the indices and VX futures printed that day, and the rate of its quotes."""

    day: date
    expiries: tuple[Expiry, ...]
    indices: dict[str, float]
    vx: tuple[tuple[float, float], ...]
    rate: float

    def own_level(self, days: float) -> float:
        """Log contract of ``days`` from the quotes themselves, in vol points."""
        t = [0.0, *(e.t for e in self.expiries)]
        total = [0.0, *(e.log_contract for e in self.expiries)]
        return 100 * float(np.sqrt(np.interp(days * DAY, t, total) / (days * DAY)))


def log_contract(smile: Smile) -> float:
    """2∫Q(K)/K² dK of a smile over its forward."""
    deviation = float(np.sqrt(smile.total_variance(np.zeros(1))[0]))
    k = np.sinh(np.linspace(-3.7, 3.0, 801)) * deviation
    side = np.where(k >= 0, 1.0, -1.0)
    price = black76.price(1.0, np.exp(k), 1.0, np.sqrt(smile.total_variance(k)), 1.0, side)
    return float(2 * np.trapezoid(price * np.exp(-k), k))


def read_series(folder: Path, name: str) -> dict[str, float]:
    """Closes by ISO date."""
    with (folder / "market" / f"{name}.csv").open(encoding="utf-8") as lines:
        table = csv.DictReader(lines)
        column = "close" if "close" in (table.fieldnames or ()) else name.split("_", maxsplit=1)[0]
        return {row["date"]: float(row[column]) for row in table if row[column]}


def read_curves(folder: Path) -> dict[str, list[tuple[date, float]]]:
    """Settlements above zero by ISO date."""
    found: dict[str, list[tuple[date, float]]] = {}
    with gzip.open(folder / "market" / "vx_contracts_daily.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["date"] >= "2019" and row["settle"] and float(row["settle"]) > 0:
                found.setdefault(row["date"], []).append(
                    (date.fromisoformat(row["expiry"]), float(row["settle"]))
                )
    return found


def read_days(folder: Path, names: Iterable[str], least_days: float, least_quotes: int) -> Iterator[Day]:
    """Every quote time of the chain files."""
    series = {symbol: read_series(folder, name) for symbol, name in INDICES.items()}
    curves = read_curves(folder)
    for name in names:
        path = folder / "chains" / f"{name}.csv.gz"
        for chain in parse_market_file(path.name, path.read_bytes()).chains:
            day = chain.as_of.date().isoformat()
            slices = ChainSlices(chain, (), 0.0, Flag.EOD)
            rate = slices.rate or 0.0
            expiries = []
            for key in slices:
                one = slices[key]
                if least_days < one.t * 365 < 400 and one.smile.n_quotes >= least_quotes:
                    expiries.append(as_expiry(one, rate, chain.spot))
            curve = tuple((year_fraction(chain.as_of, opens_at(e)), s) for e, s in curves.get(day, []))
            indices = {symbol: values[day] for symbol, values in series.items() if day in values}
            if expiries:
                yield Day(chain.as_of.date(), tuple(expiries), indices, curve, rate)


def as_expiry(one: ExpirySlice, rate: float, spot: float | None) -> Expiry:
    """The expiry's vols at POINTS where something is quoted."""
    at_money = float(one.smile.vol(one.forward))
    k = Z * at_money * np.sqrt(one.t)
    strike = one.forward * np.exp(k)
    vol = one.smile.vol(strike)
    bid = np.where(one.strikes >= one.forward, one.call_bid, one.put_bid)
    quoted = one.strikes[bid > 0]
    vol[(strike < quoted[0]) | (strike > quoted[-1])] = np.nan
    carry = rate - float(np.log(one.forward / spot)) / one.t if spot else float("nan")
    return Expiry(one.t, k, vol, log_contract(one.smile), carry)


def errors(day: Day, surface: LevelSurface) -> Floats:
    """Model less truth in vol points, expiries × POINTS."""
    t = np.array([expiry.t for expiry in day.expiries])[:, None]
    k, vol = (np.array(columns) for columns in zip(*((e.k, e.vol) for e in day.expiries), strict=True))
    variance = surface.shape.variance(k, surface.theta_at(t))
    return np.asarray(100 * (np.sqrt(variance / t) - vol))


def weighted(values: Floats) -> Floats:
    """Flat residuals: the money counts more than the wings, missing points nothing."""
    return np.asarray(np.nan_to_num(values * np.exp(-(Z**2) / 8)).ravel())


def own_surface(day: Day, fit: SpxCoefficients) -> LevelSurface:
    """The surface of the levels the chain itself implies."""
    own = {
        name: day.own_level(days) * ratio
        for (name, days), ratio in zip(INDEX_DAYS.items(), fit.ratio, strict=True)
    }
    found = spx_surface(own, day.vx, fit)
    assert found is not None
    return found


def printed_surface(day: Day, fit: SpxCoefficients) -> LevelSurface:
    """The surface as the product makes it: from the closes of the day."""
    found = spx_surface(day.indices, day.vx, fit)
    assert found is not None
    return found


def spx_levels(days: Sequence[Day]) -> SpxCoefficients:
    """The coefficients that are plain medians; shape still to be found."""
    ratio = tuple(
        float(np.median([day.indices[name] / day.own_level(span) for day in days]))
        for name, span in INDEX_DAYS.items()
    )
    forward, dividend = [], []
    for day in days:
        middles = np.array([t + MONTH / 2 for t, _ in day.vx])
        settles = np.array([s for _, s in day.vx])
        t = np.array([e.t for e in day.expiries])
        total = np.array([e.log_contract for e in day.expiries])
        for end in np.arange(120, 331, 30) * DAY:
            if end <= t[-1] and len(settles):
                rate = (np.interp(end, t, total) - np.interp(end - MONTH, t, total)) / MONTH
                forward.append(100 * np.sqrt(max(rate, 1e-6)) / np.interp(end - MONTH / 2, middles, settles))
        dividend.append(np.median([e.carry for e in day.expiries if 0.1 < e.t < 0.6]))
    beyond = float(np.median(forward)) if forward else 1.0
    return SpxCoefficients(
        -0.6, 2.3, 0.35, (ratio[0], ratio[1], ratio[2]), beyond, float(np.median(dividend))
    )


def fit_spx(days: Sequence[Day], start: SpxCoefficients | None = None) -> SpxCoefficients:
    """Shape by least squares over all days, levels by medians."""
    from scipy.optimize import least_squares
    from scipy.special import expit, logit

    levels = spx_levels(days)
    first = start or levels

    def of(p: Floats) -> SpxCoefficients:
        return replace(levels, rho=float(np.tanh(p[0])), eta=float(np.exp(p[1])), gamma=float(expit(p[2])))

    def residuals(p: Floats) -> Floats:
        return np.concatenate([weighted(errors(day, own_surface(day, of(p)))) for day in days])

    p0 = [np.arctanh(first.rho), np.log(first.eta), logit(first.gamma)]
    return of(least_squares(residuals, p0, ftol=1e-6).x)


def fit_vix(days: Sequence[Day], start: VixCoefficients | None = None) -> VixCoefficients:
    """All five by least squares against VVIX as printed, with a weak pull to the start: the data are few."""
    from scipy.optimize import least_squares
    from scipy.special import expit, logit

    first = start or VixCoefficients(0.6, 1.0, 0.5, 6.0, 1.0)
    p0 = [
        np.arctanh(first.rho),
        np.log(first.eta),
        logit(first.gamma),
        np.log(first.kappa),
        np.log(first.ratio),
    ]

    def of(p: Floats) -> VixCoefficients:
        eta, kappa, ratio = (float(x) for x in np.exp(p[[1, 3, 4]]))
        return VixCoefficients(float(np.tanh(p[0])), eta, float(expit(p[2])), kappa, ratio)

    def residuals(p: Floats) -> Floats:
        rows = [weighted(errors(day, vix_printed(day, of(p)))) for day in days]
        return np.concatenate([*rows, 30.0 * (p[1:] - np.array([0.0, 0.0, np.log(6.0), 0.0]))])

    return of(least_squares(residuals, p0, ftol=1e-6).x)


def vix_printed(day: Day, fit: VixCoefficients) -> LevelSurface:
    """The surface as the product makes it: from the day's VVIX."""
    found = vix_surface(day.indices["VVIX"], fit)
    assert found is not None
    return found


def table(days: Sequence[Day], found: Sequence[Floats]) -> dict[str, dict[str, list[float]]]:
    """RMSE and mean of errors in vol points by tenor and point, with the count of quotes behind them."""
    result: dict[str, dict[str, list[float]]] = {}
    for low, high in TENORS:
        rows = [
            e[i]
            for day, e in zip(days, found, strict=True)
            for i, x in enumerate(day.expiries)
            if low <= x.t * 365 < high
        ]
        if not rows:
            continue
        block = np.array(rows)
        cells = {}
        for column, name in enumerate(POINTS.values()):
            values = block[:, column][np.isfinite(block[:, column])]
            if len(values) >= 3:
                cells[name] = [
                    round(float(np.sqrt(np.mean(values**2))), 2),
                    round(float(np.mean(values)), 2),
                    len(values),
                ]
        result[f"{low}-{high} days"] = cells
    return result


def show(title: str, figures: dict[str, dict[str, list[float]]]) -> None:
    """Print RMSE (mean) by tenor and delta."""
    print(f"\n{title}: RMSE (mean error) in vol points")
    print("tenor".ljust(14) + "".join(name.rjust(14) for name in POINTS.values()))
    for tenor, cells in figures.items():
        line = "".join(
            (f"{cells[n][0]:.2f} ({cells[n][1]:+.2f})" if n in cells else "").rjust(14)
            for n in POINTS.values()
        )
        print(tenor.ljust(14) + line)


def left_out(days: Sequence[Day], fit: Callable[[Sequence[Day]], Any]) -> list[Any]:
    """For each day the coefficients estimated without any quote of that date."""
    found: dict[date, Any] = {}
    for day in days:
        if day.day not in found:
            found[day.day] = fit([other for other in days if other.day != day.day])
            print(".", end="", file=sys.stderr, flush=True)
    return [found[day.day] for day in days]


def main() -> None:
    """Fit, judge, print, store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="store the result in the repository")
    write = parser.parse_args().write
    folder = data_folder()
    if folder is None:
        sys.exit("the market data is absent; set ALVH_DATA")
    spx_days = list(read_days(folder, SPX_FILES, 2.0, 20))
    vix_days = list(read_days(folder, VIX_FILES, 4.0, 10))
    spx, vix = fit_spx(spx_days), fit_vix(vix_days)
    print(spx, vix, sep="\n")
    spx_loo = left_out(spx_days, partial(fit_spx, start=spx))
    vix_loo = left_out(vix_days, partial(fit_vix, start=vix))
    early = fit_spx([day for day in spx_days if day.day.year == 2019], spx)
    late = [day for day in spx_days if day.day.year != 2019]
    spx_tables = {
        "own_levels": table(
            spx_days, [errors(d, own_surface(d, f)) for d, f in zip(spx_days, spx_loo, strict=True)]
        ),
        "closing_levels": table(
            spx_days, [errors(d, printed_surface(d, f)) for d, f in zip(spx_days, spx_loo, strict=True)]
        ),
        "2019_predicts_2023_2024": table(late, [errors(d, printed_surface(d, early)) for d in late]),
    }
    vix_tables = {
        "closing_levels": table(
            vix_days, [errors(d, vix_printed(d, f)) for d, f in zip(vix_days, vix_loo, strict=True)]
        )
    }
    for name, figures in (*spx_tables.items(), *vix_tables.items()):
        show(name, figures)
    if write:
        OUT.write_text(
            json.dumps(
                {"spx": stored(spx, spx_days, spx_tables), "vix": stored(vix, vix_days, vix_tables)}, indent=1
            )
            + "\n",
            encoding="utf-8",
        )
        print(f"\nstored in {OUT.name}")


def stored(
    fit: SpxCoefficients | VixCoefficients, days: Sequence[Day], figures: dict[str, Any]
) -> dict[str, Any]:
    """What the repository keeps: six digits are more than the estimate holds."""

    def rounded(value: Any) -> Any:
        return [rounded(v) for v in value] if isinstance(value, tuple) else round(value, 6)

    return {
        "coefficients": {name: rounded(value) for name, value in asdict(fit).items()},
        "first_day": min(day.day for day in days).isoformat(),
        "last_day": max(day.day for day in days).isoformat(),
        "quote_times": len(days),
        "horizon_days": round(HORIZON * 365),
        "vix_range": [min(d.indices["VIX"] for d in days), max(d.indices["VIX"] for d in days)],
        "left_out_errors_rmse_mean_count": figures,
    }


if __name__ == "__main__":
    main()
