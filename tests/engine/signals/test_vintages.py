"""What was known on the day: revised figures, changes of base year, and every kind of future."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from hedging.engine.history.folder import history_from_folder
from hedging.engine.history.series import Events, MarketHistory, S, Series, VXHistory
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.types import SignalKey as K
from tests.engine.signals.cases import closes, history, series, weekdays
from tests.examples import examples

DAYS = weekdays(800, date(2015, 1, 1))


def vintages(symbol: str, rows: list[tuple[str, float, str]]) -> Series:
    """Rows of (day, value, known), in order of becoming known."""
    rows = sorted(rows, key=lambda row: (row[2], row[0]))
    days, values, known = zip(*rows, strict=True)
    return Series(
        symbol,
        np.array(days, "datetime64[D]"),
        np.array(values, dtype=float),
        np.array(known, "datetime64[D]"),
    )


def with_series(*found: Series) -> SignalFrame:
    market = history(
        series(S.SPX, DAYS, closes(800)), series(S.VIX, DAYS, [15.0] * 800), *found, sessions=DAYS
    )
    return compute_signals(market)


def test_a_new_base_year_is_no_growth() -> None:
    # Three quarters at 1% a quarter; with the third release the whole past is restated 10% higher.
    frame = with_series(
        vintages(
            S.GDP,
            [
                ("2015-01-01", 1000, "2015-04-29"), ("2015-04-01", 1010, "2015-07-30"),
                ("2015-01-01", 1100, "2015-10-29"), ("2015-04-01", 1111, "2015-10-29"),
                ("2015-07-01", 1122.11, "2015-10-29"), ("2015-07-01", 1133.22, "2015-11-24"),
            ],
        )
    )  # fmt: skip
    one, two = 100 * (1.01**4 - 1), 100 * ((1133.22 / 1111) ** 4 - 1)
    told = {
        "2015-07-29": None, "2015-07-30": one, "2015-10-28": one, "2015-10-29": one, "2015-11-23": one,
        "2015-11-24": two,
    }  # fmt: skip
    for day, wanted in told.items():
        value = frame.day(date.fromisoformat(day)).value(K.GDP_CHANGE)
        assert value == (None if wanted is None else pytest.approx(wanted)), day
    assert frame.day(date(2015, 11, 24)).signals[K.GDP_CHANGE].as_of == date(2015, 7, 1)


def test_a_revision_of_old_months_is_no_release() -> None:
    months = np.arange("2015-01", "2016-04", dtype="datetime64[M]")
    index = [100 * 1.002**n for n in range(len(months))]
    known = [(month + 1).astype("datetime64[D]") + 14 for month in months]
    rows = [(str(m), v, str(k)) for m, v, k in zip(months.astype("datetime64[D]"), index, known, strict=True)]
    revised = [(day, value * (1 + 0.01 * n), "2016-04-25") for n, (day, value, _) in enumerate(rows)]
    plain, after = with_series(vintages(S.CPI, rows)), with_series(vintages(S.CPI, [*rows, *revised]))
    for day in (date(2016, 4, 15), date(2016, 4, 25), date(2016, 5, 2)):
        assert after.day(day).signals[K.CPI_SURPRISE] == plain.day(day).signals[K.CPI_SURPRISE]
    assert plain.day(date(2016, 4, 15)).value(K.CPI_SURPRISE) == 0


def test_one_vintage_and_no_revisions_give_the_same_figures() -> None:
    months = np.arange("2005-01", "2018-01", dtype="datetime64[M]").astype("datetime64[D]")
    level = closes(len(months), level=100, sigma=0.02)
    once = vintages(S.REER, [(str(d), v, str(d + 50)) for d, v in zip(months, level, strict=True)])
    again = replace(
        once, days=np.r_[once.days, once.days[-1]], values=np.r_[once.values, once.values[-1]],
        known=np.r_[once.known, once.known[-1] + 9],
    )  # fmt: skip
    assert again.revised
    first, second = with_series(once), with_series(again)
    for key in (K.REER, K.REER_Z, K.REER_VOL):
        np.testing.assert_allclose(first.values(key), second.values(key), rtol=1e-12)
        assert first.state(key).tolist() == second.state(key).tolist()


@pytest.fixture(scope="module")
def real(data_dir: Path) -> MarketHistory:
    found = history_from_folder(data_dir / "market")
    supplied = (S.PCF, S.CAP_BREADTH, S.SPREAD, S.FOREIGN_10Y)
    spx = found.series[S.SPX]
    made = {
        str(name): Series(name, spx.days, closes(len(spx), seed=n, level=20), spx.days)
        for n, name in enumerate(supplied)
    }
    return replace(found, series={**found.series, **made})


@pytest.fixture(scope="module")
def frame(real: MarketHistory) -> SignalFrame:
    return compute_signals(real)


def another_future(market: MarketHistory, day: np.datetime64, seed: int) -> MarketHistory:
    """Everything that became known after the day is different: values, settlements, outcomes, revisions."""
    rng = np.random.default_rng(seed)

    def shifted(one: Series) -> Series:
        later = one.known > day
        values = np.where(later, np.roll(one.values, 7) * rng.uniform(0.5, 2, len(one)), one.values)
        # And old observations are restated afterwards.
        n = min(30, int((~later).sum()))
        return Series(
            one.symbol, np.r_[one.days, one.days[:n]], np.r_[values, one.values[:n] * 3],
            np.r_[one.known, np.full(n, max(one.known[-1], day + 1))], one.source, one.first_print,
        )  # fmt: skip

    bars = {}
    for name, found in market.bars.items():
        later = found.days > day
        scale = np.where(later, rng.uniform(0.5, 2), 1.0)
        prices = {p: getattr(found, p) * scale for p in ("open", "high", "low", "close")}
        bars[name] = replace(found, **prices)
    vx: VXHistory = market.vx
    later = (vx.days > day)[:, None]
    tables = {
        name: np.where(later, getattr(vx, name) * rng.uniform(0.5, 2), getattr(vx, name))
        for name in ("settle", "open_interest")
    }
    final = np.where(vx.expiries > day, vx.final * 2, vx.final)
    limit = day.item()
    events = Events(
        {
            kind: tuple(
                e if e.known <= limit or e.actual is None else replace(e, actual=-e.actual, forecast=9.0)
                for e in found
                if e.scheduled or e.day <= limit
            )
            for kind, found in market.events.by_kind.items()
        }
    )
    macro = {S.CPI, S.CPI_CORE, S.PPI, S.GDP, S.REER}
    return replace(
        market,
        series={
            name: shifted(one)
            if name in macro
            else replace(one, values=np.where(one.known > day, one.values * rng.uniform(0.5, 2), one.values))
            for name, one in market.series.items()
        },
        bars=bars, vx=replace(vx, **tables, final=final), events=events,
    )  # fmt: skip


@given(at=st.integers(300, 8500), seed=st.integers(0, 1000))
@examples(8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_signal_and_no_regime_depends_on_anything_known_later(
    real: MarketHistory, frame: SignalFrame, at: int, seed: int
) -> None:
    other = compute_signals(another_future(real, frame.days[at], seed))
    for back in (0, 1, 5, 63):
        day = frame.days[at - back].item()
        mine, theirs = frame.day(day), other.day(day)
        different = [key for key in K if not _alike(mine.signals[key], theirs.signals[key])]
        assert not different, (day, different)
        assert mine.regime == theirs.regime
        assert mine.alerts == theirs.alerts


def _alike(mine: object, theirs: object) -> bool:
    """Equal but for the remark that figures were revised since, which is about the file."""
    return replace(mine, reason="") == replace(theirs, reason="")  # type: ignore[type-var]
