"""A small book worked by a slow, separate reckoning: Decimal for money, mpmath at 30 digits for Greeks."""

from __future__ import annotations

from decimal import Decimal

import mpmath
import numpy as np
import pytest

from hedging.engine.results.attribution import Fills, Legs, MarkTable, leg_days, micro
from hedging.engine.results.effects import EFFECTS, TAYLOR, States, Terms

# Per leg: strike, right (0: future), multiplier; by day: forward, sigma, years, rate, price (None unknown).
LEGS = (
    (6700, -1, 100, [(7165, ".20", ".123", ".04", "43.35"), (7100, ".215", ".120", ".04", "63.50"), None,
                     (7010, ".235", ".115", ".039", "97.20")]),
    (25, 1, 100, [(19, ".95", ".08", ".04", "0.62"), (21, "1.05", ".077", ".04", "1.31"),
                  (22, "1.10", ".074", ".04", "1.72"), (24, "1.20", ".071", ".04", "2.74")]),
    (0, 0, 1000, [(19, "0", ".08", "0", "19.05"), (21, "0", ".077", "0", "20.90"),
                  (22, "0", ".074", "0", "22.10"), (24, "0", ".071", "0", "23.75")]),
)  # fmt: skip
#: leg, day, quantity, price, fees
FILLS = (
    (0, 0, -2, "44.10", "2.60"), (0, 1, -1, "60.05", "1.30"), (0, 1, 1, "61.00", "1.30"),
    (0, 3, 2, "95.00", "2.60"),
    (1, 0, 10, "0.60", "13.00"), (1, 2, -4, "1.75", "5.20"),
    (2, 1, 1, "20.50", "2.40"), (2, 3, -1, "24.10", "2.40"),
)  # fmt: skip
DAYS = 4


def black(f: object, s: object, t: object, r: object, k: int, right: int) -> object:
    d1 = (mpmath.log(f / k) + s * s * t / 2) / (s * mpmath.sqrt(t))
    d2 = d1 - s * mpmath.sqrt(t)
    return mpmath.exp(-r * t) * right * (f * mpmath.ncdf(right * d1) - k * mpmath.ncdf(right * d2))


def expected() -> dict[tuple[int, int], dict[str, Decimal]]:
    """Every leg and day held or filled: exact effects in dollars, from the definitions alone."""
    found = {}
    for leg, (strike, right, size, days) in enumerate(LEGS):
        held, base, waiting = 0, None, []
        for day in range(DAYS):
            mine = [(q, Decimal(p), Decimal(f)) for at, d, q, p, f in FILLS if (at, d) == (leg, day)]
            start, waiting = held, waiting + mine
            held += sum(q for q, _, _ in mine)
            mark = days[day]
            if not (held or mine or start):
                continue
            if mark is None and held:
                found[leg, day] = {}
                continue
            price = Decimal(mark[4]) if mark else Decimal(0)
            quantity, state = (base[0], base[1]) if base else (0, None)
            effects = dict.fromkeys(EFFECTS, Decimal(0))
            effects["trading"] = sum((q * size * (price - p) for q, p, _ in waiting), Decimal(0))
            effects["fees"] = -sum((f for _, _, f in waiting), Decimal(0))
            pnl = effects["trading"] + effects["fees"]
            if quantity and state:
                pnl += quantity * size * (price - Decimal(state[4]))
                effects |= terms(state, mark, strike, right, quantity * size)
            effects["residual"] = pnl - sum(effects.values())
            found[leg, day] = {**effects, "pnl": pnl}
            base, waiting = ((held, mark) if held else None), []
    return found


def terms(
    before: tuple[object, ...], after: tuple[object, ...], strike: int, right: int, size: int
) -> dict[str, Decimal]:
    f0, s0, t0, r0 = (mpmath.mpf(v) for v in before[:4])
    f1, s1, t1, r1 = (mpmath.mpf(v) for v in after[:4])
    if not right:
        return {"delta": Decimal(str(f1 - f0)) * size}

    def slope(*order: int) -> object:
        return mpmath.diff(lambda f, s, t, r: black(f, s, t, r, strike, right), (f0, s0, t0, r0), order)

    d_f, d_s, d_t, d_r = f1 - f0, s1 - s0, t0 - t1, r1 - r0
    points = (
        slope(1, 0, 0, 0) * d_f, slope(2, 0, 0, 0) * d_f**2 / 2,
        slope(0, 1, 0, 0) * d_s, -slope(0, 0, 1, 0) * d_t,
        slope(1, 1, 0, 0) * d_f * d_s, slope(0, 2, 0, 0) * d_s**2 / 2, slope(0, 0, 0, 1) * d_r,
    )  # fmt: skip
    return {name: Decimal(mpmath.nstr(p, 20)) * size for name, p in zip(TAYLOR, points, strict=True)}


def test_every_effect_of_a_book_equals_the_slow_reckoning() -> None:
    rows = [(leg, d, mark) for leg, (_, _, _, days) in enumerate(LEGS) for d, mark in enumerate(days) if mark]
    columns = np.array([[float(v) for v in mark[:4]] for _, _, mark in rows])
    found = leg_days(
        Legs(np.arange(3), np.array([size for _, _, size, _ in LEGS])),
        Fills(*(np.array(c, np.int64) for c in zip(
            *((leg, d, q, micro(Decimal(p)), micro(Decimal(f))) for leg, d, q, p, f in FILLS), strict=True
        ))),
        MarkTable(
            np.array([leg for leg, _, _ in rows]), np.array([d for _, d, _ in rows]),
            np.array([micro(Decimal(mark[4])) for _, _, mark in rows]), States(*columns.T),
        ),
        Terms(np.array([float(k) for k, _, _, _ in LEGS]), np.array([float(r) for _, r, _, _ in LEGS])),
        DAYS,
    )  # fmt: skip
    with mpmath.workdps(30):
        wanted = expected()
    got = {(int(leg), int(day)): i for i, (leg, day) in enumerate(zip(found.leg, found.day, strict=True))}
    assert set(got) == set(wanted)
    for place, effects in wanted.items():
        i = got[place]
        if not effects:
            assert not found.known[i]
            assert not found.pnl[i]
            continue
        assert int(found.pnl[i]) == micro(effects["pnl"]), place
        shown = dict(zip(EFFECTS, found.cents[:, i].tolist(), strict=True))
        assert sum(shown.values()) == round(effects["pnl"] * 100)
        for name in EFFECTS:
            assert shown[name] == pytest.approx(float(effects[name]) * 100, abs=1.0), (place, name)
    assert int(found.pnl[found.leg == 0].sum()) == micro(
        Decimal("8820.00") + 6005 - 6100 - 19000 - Decimal("7.80")
    )
