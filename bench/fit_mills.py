"""Fit the rational approximations of the fast kernels, at 40 digits (needs mpmath).

Run ``python -m bench.fit_mills``; the printed tuples are the constants of ``hedging/maths/coefficients.py``
(exp and log: ``hedging/maths/fast/vector.py``). Each fit minimises the relative error by linearised least
squares with Lawson's reweighting, which tends to the minimax rational.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp  # type: ignore[import-untyped]

mp.mp.dps = 40


def rational(
    target: Callable[[mp.mpf], mp.mpf], nodes: list[mp.mpf], top: int, bottom: int, rounds: int = 12
) -> tuple[list[float], list[float], float]:
    """Coefficients (constant first, denominator's constant 1) and worst relative error at the nodes."""
    values = [target(x) for x in nodes]
    weights = [mp.mpf(1)] * len(nodes)
    scale = [mp.mpf(1)] * len(nodes)
    best: tuple[list[float], list[float], float] | None = None
    for _ in range(rounds):
        rows, right = [], []
        for x, y, w, q in zip(nodes, values, weights, scale, strict=True):
            c = mp.sqrt(w) / (y * q)
            rows.append([c * x**i for i in range(top + 1)] + [-c * y * x**i for i in range(1, bottom + 1)])
            right.append(c * y)
        solution = mp.qr_solve(mp.matrix(rows), mp.matrix(right))[0]
        p = [solution[i] for i in range(top + 1)]
        q = [mp.mpf(1)] + [solution[top + i] for i in range(1, bottom + 1)]
        errors = []
        for i, x in enumerate(nodes):
            scale[i] = mp.polyval(q[::-1], x)
            errors.append(abs(mp.polyval(p[::-1], x) / scale[i] / values[i] - 1))
        worst = max(errors)
        if best is None or worst < best[2]:
            best = ([float(c) for c in p], [float(c) for c in q], float(worst))
        mean = sum(w * e for w, e in zip(weights, errors, strict=True)) / len(nodes)
        weights = [w * e / mean + mp.mpf("1e-12") for w, e in zip(weights, errors, strict=True)]
    assert best is not None
    return best


def mills(x: mp.mpf) -> mp.mpf:
    """N(-x) / exp(-x²/2)."""
    return mp.erfc(x / mp.sqrt(2)) / 2 * mp.exp(x * x / 2)


def bachelier(y: mp.mpf) -> mp.mpf:
    """a²/y² where y = ln(1 + ξ/(kβ)), β = ξ G(a), G(a) = n(a)/a - N(-a), k = √(2π)."""
    ratio = 1 / (mp.sqrt(2 * mp.pi) * mp.expm1(y))  # G(a) = β/ξ

    def f(a: mp.mpf) -> mp.mpf:
        return mp.log(mp.npdf(a) / a - mp.ncdf(-a)) - mp.log(ratio)

    low, high = mp.mpf("1e-8"), mp.sqrt(2 * y) + 1
    for _ in range(70):
        middle = (low + high) / 2
        if f(middle) > 0:
            low = middle
        else:
            high = middle
    a = (low + high) / 2
    return a * a / (y * y)


if __name__ == "__main__":
    # Chebyshev points of u in (-1, 1), x = c (1 + u) / (1 - u): dense near zero, reaches far.
    points = [mp.cos(mp.pi * (2 * i + 1) / 320) for i in range(160)]
    half_line = [3 * (1 + u) / (1 - u) for u in points if 3 * (1 + u) / (1 - u) < 60] + [mp.mpf(0)]
    for degree in (8, 9):
        p, q, error = rational(mills, half_line, degree, degree + 1)
        print("MILLS", degree, f"{error:.1e}", p, q, sep="\n")
    wide = [mp.mpf(10) ** (mp.mpf(i) / 20) for i in range(-60, 54)]
    p, q, error = rational(bachelier, wide, 4, 5)
    print("BACHELIER", f"{error:.1e}", p, q, sep="\n")

    def probit(w: mp.mpf) -> mp.mpf:
        """s/w as a function of w², s = 2 Φ⁻¹(½ + w/√(8π)): exact at the money."""
        root = mp.sqrt(w)
        return 2 * mp.sqrt(2) * mp.erfinv(root / mp.sqrt(2 * mp.pi)) / root

    square = [mp.mpf("6.1") * (1 - mp.cos(mp.pi * (2 * i + 1) / 160)) / 2 for i in range(80)]
    p, q, error = rational(probit, square, 4, 4)
    print("PROBIT", f"{error:.1e}", p, q, sep="\n")
    reduced = [mp.log(2) / 2 * mp.cos(mp.pi * (2 * i + 1) / 80) for i in range(40)]
    p, _, error = rational(mp.exp, reduced, 11, 0)
    print("EXP", f"{error:.1e}", p, sep="\n")

    def log_tail(z: mp.mpf) -> mp.mpf:
        """(ln((1+s)/(1-s)) - 2s) / s³ as a function of z = s²."""
        s = mp.sqrt(z)
        return (mp.log((1 + s) / (1 - s)) - 2 * s) / s**3

    top_z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2
    zs = [top_z * (1 - mp.cos(mp.pi * (2 * i + 1) / 80)) / 2 for i in range(40)]
    p, _, error = rational(log_tail, zs, 6, 0)
    print("LOG", f"{error:.1e}", p, sep="\n")
