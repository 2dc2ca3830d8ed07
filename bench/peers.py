"""The peers, each called as its own documentation shows, with what its numbers mean.

A peer is built from a market once, outside the clock; only the call itself is timed. Conventions differ:
``raw`` brings a peer's answers to ours (vega per 1.00 of vol, theta per year, rho per 1.00 of rate).
"""

from __future__ import annotations

import importlib
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.market import Market, prices

Floats = NDArray[np.float64]
Call = Callable[[], Any]

NAMES = ("price", "delta", "gamma", "vega", "theta", "rho")
_VOLLIB_UNITS = {"vega": 100.0, "theta": 365.0, "rho": 100.0}
_LOOP = 2_000  # options of a scalar library's loop; its rate does not depend on how many


class Model(Enum):
    """What is priced: options on a forward, or on a spot with a dividend yield."""

    BLACK = "black"
    BSM = "black_scholes_merton"


class Peer(ABC):
    """One library that prices and differentiates; its methods give the call to time."""

    name = ""
    distribution = ""
    module = ""
    loop = False  # one option a call

    def __init__(self) -> None:
        self.note = ""
        try:
            self.release = version(self.distribution)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.library = importlib.import_module(self.module)
        except PackageNotFoundError:
            self.release, self.note = "", "not installed"
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way
            self.note = f"import fails: {type(error).__name__}"

    def part(self, market: Market) -> Market:
        """The options this peer is given."""
        return market.first(min(_LOOP, len(market.t))) if self.loop else market

    @abstractmethod
    def six(self, market: Market, model: Model) -> Call:
        """Price and five Greeks."""

    def raw(self, found: Any) -> dict[str, Floats]:
        """Our names and units."""
        price, greeks = found
        table = {name: np.asarray(greeks[name], dtype=float) for name in NAMES[1:]}
        return {"price": np.asarray(price, dtype=float)} | table


class Solver(Peer):
    """A library that finds implied volatilities too."""

    @abstractmethod
    def vol(self, market: Market) -> Call:
        """Black-76 implied volatilities of the market's prices."""


class Pyvolr(Solver):
    """Rust core; uses every core from about 4,000 options on."""

    name, distribution, module = "pyvolr", "pyvolr", "pyvolr"

    def six(self, market: Market, model: Model) -> Call:
        flag = market.right.astype(np.int8)  # letters cost it four times as much
        k, t, s, r = market.strike, market.t, market.sigma, market.rate
        if model is Model.BLACK:
            black, f = self.library.black76, market.forward
            return lambda: (black.price(flag, f, k, t, r, s), black.greeks(flag, f, k, t, r, s))
        bs, spot, q = self.library.bs, market.spot, market.dividend
        return lambda: (bs.price(flag, spot, k, t, r, s, q), bs.greeks(flag, spot, k, t, r, s, q))

    def vol(self, market: Market) -> Call:
        flag, price, f = market.right.astype(np.int8), prices(market), market.forward
        k, t, r, solve = market.strike, market.t, market.rate, self.library.black76.implied_vol
        return lambda: solve(price, flag, f, k, t, r, on_error="ignore")


class _Vollib(Solver):
    """The vollib family: letters, vega per vol point, theta per day, rho per 1%."""

    def raw(self, found: Any) -> dict[str, Floats]:
        return {name: values * _VOLLIB_UNITS.get(name, 1.0) for name, values in super().raw(found).items()}


class FastVollib(_Vollib):
    """Its NumPy backend is what it chooses here by itself."""

    name, distribution, module = "fast-vollib", "fast-vollib", "fast_vollib"
    backend = "numpy"

    def six(self, market: Market, model: Model) -> Call:
        flag, k, t, s, r = market.letters, market.strike, market.t, market.sigma, market.rate
        lib, how = self.library, {"backend": self.backend}
        if model is Model.BLACK:
            f = market.forward
            return lambda: (
                lib.fast_black(flag, f, k, t, r, s, return_as="numpy", **how),
                lib.get_all_greeks(flag, f, k, t, r, s, model="black", return_as="dict", **how),
            )
        spot, q, price = market.spot, market.dividend, lib.fast_black_scholes_merton
        return lambda: (
            price(flag, spot, k, t, r, s, q, return_as="numpy", **how),
            lib.get_all_greeks(flag, spot, k, t, r, s, q, model=model.value, return_as="dict", **how),
        )

    def vol(self, market: Market) -> Call:
        price, flag, f, k, t, r = (
            prices(market), market.letters, market.forward, market.strike, market.t, market.rate,
        )  # fmt: skip
        solve, how = self.library.fast_implied_volatility_black, {"backend": self.backend}
        return lambda: solve(price, f, k, r, t, flag, on_error="ignore", return_as="numpy", **how)


class FastVollibNumba(FastVollib):
    """The same with its compiled backend."""

    name, backend = "fast-vollib (numba)", "numba"


class PyVollibVectorized(_Vollib):
    """Compiled loops of py_vollib, Greeks by differences."""

    name, distribution, module = "py_vollib_vectorized", "py_vollib_vectorized", "py_vollib_vectorized"

    def six(self, market: Market, model: Model) -> Call:
        flag, k, t, s, r = market.letters, market.strike, market.t, market.sigma, market.rate
        lib = self.library
        if model is Model.BLACK:
            f = market.forward
            return lambda: (
                lib.vectorized_black(flag, f, k, t, r, s, return_as="numpy"),
                lib.get_all_greeks(flag, f, k, t, r, s, model="black", return_as="dict"),
            )
        spot, q, price = market.spot, market.dividend, lib.vectorized_black_scholes_merton
        return lambda: (
            price(flag, spot, k, t, r, s, q, return_as="numpy"),
            lib.get_all_greeks(flag, spot, k, t, r, s, q, model=model.value, return_as="dict"),
        )

    def vol(self, market: Market) -> Call:
        price, flag, f, k, t, r = (
            prices(market), market.letters, market.forward, market.strike, market.t, market.rate,
        )  # fmt: skip
        solve = self.library.vectorized_implied_volatility_black
        return lambda: solve(price, f, k, r, t, flag, on_error="ignore", return_as="numpy")


class Vollib(_Vollib):
    """Scalar: one option a call."""

    name, distribution, module, loop = "vollib loop", "vollib", "vollib", True

    def six(self, market: Market, model: Model) -> Call:
        price = getattr(importlib.import_module(f"vollib.{model.value}"), model.value)
        greeks = importlib.import_module(f"vollib.ref_python.{model.value}.greeks.analytical")
        underlying = market.forward if model is Model.BLACK else market.spot
        columns = [market.letters, underlying, market.strike, market.t, market.rate, market.sigma]
        if model is Model.BSM:
            columns.append(market.dividend)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))

        def run() -> tuple[list[float], dict[str, list[float]]]:
            # price takes t before r as well, in this order
            return (
                [price(*row) for row in rows],
                {name: [getattr(greeks, name)(*row) for row in rows] for name in NAMES[1:]},
            )

        return run

    def vol(self, market: Market) -> Call:
        from vollib.black import implied_volatility  # type: ignore[import-untyped, unused-ignore]

        columns = (
            prices(market), market.forward, market.strike, market.rate, market.t, market.letters,
        )  # fmt: skip
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        solve = implied_volatility.implied_volatility
        return lambda: [solve(*row) for row in rows]


class QuantLib(Solver):
    """Scalar: BlackCalculator and the implied deviation of Li and Lee, one option a call."""

    name, distribution, module, loop = "QuantLib loop", "QuantLib", "QuantLib", True

    def six(self, market: Market, model: Model) -> Call:
        ql = self.library
        spot = market.forward if model is Model.BLACK else market.spot
        columns = (spot, market.forward, market.strike, market.t, market.sigma, market.discount, market.right)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))

        def run() -> tuple[list[float], dict[str, list[float]]]:
            price, delta, gamma, vega, theta, rho = [], [], [], [], [], []
            for s, f, k, t, sigma, d, right in rows:
                payoff = ql.PlainVanillaPayoff(ql.Option.Call if right > 0 else ql.Option.Put, k)
                option = ql.BlackCalculator(payoff, f, sigma * t**0.5, d)
                price.append(option.value())
                delta.append(option.delta(s))
                gamma.append(option.gamma(s))
                vega.append(option.vega(t))
                theta.append(option.theta(s, t))
                rho.append(option.rho(t))
            return price, {"delta": delta, "gamma": gamma, "vega": vega, "theta": theta, "rho": rho}

        return run

    def vol(self, market: Market) -> Call:
        ql = self.library
        columns = (prices(market), market.forward, market.strike, market.t, market.discount, market.right)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        solve = ql.blackFormulaImpliedStdDevLiRS

        def run() -> list[float]:
            found = []
            for price, f, k, t, d, right in rows:
                kind = ql.Option.Call if right > 0 else ql.Option.Put
                guess = 0.3 * t**0.5
                try:
                    found.append(solve(kind, k, f, price, d, 0.0, guess, 1.0, 1e-14, 1000) / t**0.5)
                except RuntimeError:  # it gives up far from the money
                    found.append(float("nan"))
            return found

        return run


class NumpyNdtr(Peer):
    """What one writes by hand: NumPy, and the normal distribution of scipy.special."""

    name, distribution, module = "NumPy + ndtr", "scipy", "scipy.special"

    def six(self, market: Market, model: Model) -> Call:
        ndtr = self.library.ndtr
        q = market.rate if model is Model.BLACK else market.dividend
        spot = market.forward if model is Model.BLACK else market.spot
        _, k, t, s, r, _, right = market

        def run() -> tuple[Floats, dict[str, Floats]]:
            root = np.sqrt(t)
            spread = s * root
            d1 = (np.log(spot / k) + (r - q + 0.5 * s * s) * t) / spread
            d2 = d1 - spread
            dividend, discount = np.exp(-q * t), np.exp(-r * t)
            n1, n2 = ndtr(right * d1), ndtr(right * d2)
            density = dividend * np.exp(-0.5 * d1 * d1) * 0.3989422804014327
            delta = right * dividend * n1
            strike_side = right * discount * k * n2
            price = spot * delta - strike_side
            theta = r * -strike_side + q * spot * delta - 0.5 * spot * density * s / root
            rho = -t * price if model is Model.BLACK else t * strike_side
            return price, {
                "delta": delta, "gamma": density / (spot * spread), "vega": spot * density * root,
                "theta": theta, "rho": rho,
            }  # fmt: skip

        return run


def all_peers() -> list[Peer]:
    """Every peer, installed or not."""
    kinds = (Pyvolr, FastVollib, FastVollibNumba, PyVollibVectorized, Vollib, QuantLib, NumpyNdtr)
    return [kind() for kind in kinds]
