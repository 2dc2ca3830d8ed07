"""Our forward, volatilities and Greeks of a chain file beside the vendor's, and how far they differ."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hedging.engine.market import ExpirySlice, Flag
from hedging.maths import black76
from hedging.maths.implied_vol import implied_vol
from hedging.providers.formats.chain import ChainTable
from hedging.providers.formats.detect import MAX_BYTES, parse_market_file
from hedging.providers.formats.tables import MarketFileError
from hedging.services.snapshots.slices import ChainSlices

__all__ = ["MarketFileError", "bucket_figures", "chain_greeks", "chains_greeks", "chains_read", "csv_write"]

Progress = Callable[[int, int, str], None]

#: Days to settlement: lower bound included, upper excluded.
BUCKETS = ((0, 7), (7, 61), (61, 181), (181, 3650))
NEAR_MONEY = 0.15  # |ln(K/F)| within which the smile is judged against bid and ask
DECIMALS = {"strike": 3, "bid": 4, "ask": 4, "days": 4, "forward": 4, "theta": 5, "vega": 5, "rho": 5}


class ChainGreeks(NamedTuple):
    """One row an option: columns of one length; text columns are object arrays.

    Prices in points; ``iv`` from the better quoted side of the strike, ``smile_iv`` from the fit, fractions;
    Greeks per unit in display units (``docs/units.md``); NaN where unknown. ``inside`` is 1 where the smile's
    price of an out-of-the-money option with a bid lies within its quote, 0 where not, NaN elsewhere.
    """

    columns: dict[str, Any]

    def __len__(self) -> int:
        return len(self.columns["strike"])


def chains_read(path: Path) -> list[ChainTable]:
    """The chains of a file in any known format; raises MarketFileError when it has none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MarketFileError(f"the file is larger than {MAX_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise MarketFileError(f"cannot be read ({error.strerror})") from None
    chains = parse_market_file(path.name, data).chains
    if not chains:
        raise MarketFileError("the file holds no option chain")
    return chains


def chain_greeks(chain: ChainTable, rate: float | None = None) -> ChainGreeks:
    """Every option of one chain that has not expired; ``rate`` where the quotes themselves state none."""
    slices = ChainSlices(chain, (), rate, Flag.EOD)
    c = chain.columns
    parts = []
    for key in slices:
        mine = (c.root == key[0]) & (c.expiry == np.datetime64(key[1]))
        parts.append(_expiry(chain, slices[key], mine))
    if not parts:
        return ChainGreeks({"strike": np.empty(0)})
    return _joined(ChainGreeks(part) for part in parts)


def _expiry(chain: ChainTable, one: ExpirySlice, mine: NDArray[np.bool_]) -> dict[str, Any]:
    c = chain.columns
    strike, right = c.strike[mine], c.right[mine].astype(np.float64)
    bid, ask = c.bid[mine], c.ask[mine]
    count = len(strike)
    at = np.searchsorted(one.strikes, strike)
    otm_right = np.where(strike >= one.forward, 1.0, -1.0)
    otm_bid = np.where(otm_right > 0, one.call_bid[at], one.put_bid[at])
    otm_ask = np.where(otm_right > 0, one.call_ask[at], one.put_ask[at])
    middle = np.where(otm_bid > 0, (otm_bid + otm_ask) / 2, np.nan)
    iv = implied_vol(middle, one.forward, strike, one.t, one.discount, otm_right)
    smile_iv = one.smile.vol(strike)
    shown = black76.display_units(black76.greeks(one.forward, strike, one.t, iv, one.discount, right))
    fitted = black76.price(one.forward, strike, one.t, smile_iv, one.discount, right)
    otm = right == otm_right
    judged = otm & (otm_bid > 0) & np.isfinite(otm_ask) & np.isfinite(fitted)
    inside = np.where(judged, (fitted >= bid - 1e-9) & (fitted <= ask + 1e-9), np.nan)
    return {
        "quote_time": np.full(count, chain.as_of.isoformat(), dtype=object),
        "root": np.full(count, one.root, dtype=object),
        "expiry": np.full(count, one.expiry.isoformat(), dtype=object),
        "right": np.where(right > 0, "C", "P").astype(object),
        "strike": strike,
        "bid": bid,
        "ask": ask,
        "days": np.full(count, one.t * 365),
        "forward": np.full(count, one.forward),
        "forward_source": np.full(count, one.forward_source.value, dtype=object),
        "discount": np.full(count, one.discount),
        "iv": iv,
        "smile_iv": smile_iv,
        "delta": shown.delta,
        "gamma": shown.gamma,
        "theta": shown.theta,
        "vega": shown.vega,
        "rho": shown.rho,
        "vendor_iv": c.vendor_iv[mine],
        "vendor_delta": c.vendor_delta[mine],
        "vendor_gamma": c.vendor_gamma[mine],
        "out_of_the_money": otm.astype(np.float64),
        "inside": inside,
    }


def _joined(parts: Iterable[ChainGreeks]) -> ChainGreeks:
    kept = [part.columns for part in parts if len(part)]
    if not kept:
        return ChainGreeks({"strike": np.empty(0)})
    return ChainGreeks({name: np.concatenate([part[name] for part in kept]) for name in kept[0]})


def chains_greeks(chains: list[ChainTable], rate: float | None, progress: Progress) -> ChainGreeks:
    """All chains of a file; ``progress`` hears (done, all, quote time) before each.

    Raises MarketFileError when nothing is left to value.
    """
    parts = []
    for at, chain in enumerate(chains):
        progress(at, len(chains), chain.as_of.isoformat())
        parts.append(chain_greeks(chain, rate))
    found = _joined(parts)
    if not len(found):
        raise MarketFileError("every option of the file had expired when it was quoted")
    return found


def bucket_figures(greeks: ChainGreeks) -> list[dict[str, Any]]:
    """Differences ours - vendor's over quoted out-of-the-money options, by days to settlement.

    Absolute differences as median and 95th percentile; ``inside`` is the share of smile prices within bid and
    ask within NEAR_MONEY of the forward. None where nothing can be compared.
    """
    c = greeks.columns
    found = []
    for low, high in BUCKETS if len(greeks) else ():
        here = (c["days"] >= low) & (c["days"] < high)
        quoted = here & (c["out_of_the_money"] > 0) & np.isfinite(c["iv"]) & (c["vendor_iv"] > 0)
        near = here & (np.abs(np.log(c["strike"] / c["forward"])) <= NEAR_MONEY) & np.isfinite(c["inside"])
        figures: dict[str, Any] = {"days": f"{low}-{high - 1}", "options": int(quoted.sum())}
        for name in ("delta", "iv", "gamma"):
            gap = np.abs(c[name] - c[f"vendor_{name}"])[quoted]
            gap = gap[np.isfinite(gap)]
            figures[f"{name}_median"] = round(float(np.median(gap)), 6) if len(gap) else None
            figures[f"{name}_p95"] = round(float(np.percentile(gap, 95)), 6) if len(gap) else None
        figures["judged"] = int(near.sum())
        figures["inside"] = round(float(c["inside"][near].mean()), 4) if near.any() else None
        found.append(figures)
    return found


def csv_write(greeks: ChainGreeks, out: Path) -> None:
    """One row an option; the file appears whole or not at all. Unknown figures are empty cells."""
    if not out.parent.is_dir():
        raise MarketFileError(f"the folder {out.parent} does not exist")
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines)
            writer.writerow(greeks.columns)
            writer.writerows(_cells(greeks))
        part.replace(out)
    except OSError as error:
        raise MarketFileError(f"{out} cannot be written ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)


def _cells(greeks: ChainGreeks) -> Iterator[tuple[Any, ...]]:
    texts = []
    for name, values in greeks.columns.items():
        if values.dtype == object:
            texts.append(values.tolist())
        elif name in {"inside", "out_of_the_money"}:
            texts.append(["" if value != value else str(int(value)) for value in values.tolist()])  # noqa: PLR0124 - NaN
        else:
            digits = DECIMALS.get(name, 6)
            texts.append(["" if value != value else f"{value:.{digits}f}" for value in values.tolist()])  # noqa: PLR0124
    return zip(*texts, strict=True)
