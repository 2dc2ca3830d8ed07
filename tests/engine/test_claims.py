"""Claims: block bootstrap against a plain loop and theory, drawdown by hand, verdicts on whole intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hedging.engine.results import claims
from hedging.engine.results.claims import CLAIMS, IDENTITY, Claim, Interval, Verdict, bootstrap, judge

COST = CLAIMS["annual_cost"]


def mean(samples):
    return samples[..., 0].mean(axis=-1)


def loop_bootstrap(values, block, draws, seed):
    """The same resampling written out: begins of blocks from one generator, runs wrapped round the end."""
    rng = np.random.default_rng(seed)
    count = len(values)
    begins = rng.integers(0, count, size=(draws, math.ceil(count / block)))
    found = []
    for row in begins:
        drawn = [values[(begin + step) % count] for begin in row for step in range(block)][:count]
        found.append(sum(drawn) / count)
    return np.percentile(found, [5, 95])


def test_bootstrap_equals_a_plain_loop() -> None:
    values = np.random.default_rng(4).normal(size=57)
    got = bootstrap(values, mean, block=5, draws=300, seed=11)
    assert got is not None
    assert (got.low, got.high) == pytest.approx(tuple(loop_bootstrap(list(values), 5, 300, 11)), abs=1e-12)


def test_bootstrap_of_a_mean_has_the_width_theory_gives() -> None:
    values = np.random.default_rng(1).normal(size=2000)
    got = bootstrap(values, mean, block=1)
    assert got is not None
    assert got.high - got.low == pytest.approx(2 * 1.6449 * values.std() / math.sqrt(2000), rel=0.06)


def test_blocks_keep_what_neighbours_share() -> None:
    noise = np.random.default_rng(2).normal(size=3000)
    series = np.convolve(noise, np.ones(20) / 20, mode="valid")
    single, blocks = (bootstrap(series, mean, block=b) for b in (1, 60))
    assert single is not None
    assert blocks is not None
    assert blocks.high - blocks.low > 3 * (single.high - single.low)


def test_the_same_data_give_the_same_interval_and_batches_change_nothing(monkeypatch) -> None:
    values = np.random.default_rng(3).normal(size=(200, 2))
    whole = bootstrap(values, mean, block=21)
    monkeypatch.setattr(claims, "_BATCH_BYTES", 8 * 400 * 7)
    assert whole == bootstrap(values, mean, block=21)


def test_too_short_or_undefined_has_no_interval() -> None:
    assert bootstrap([1.0] * 41, mean, block=21) is None
    assert bootstrap(np.zeros((100, 2)), claims.ratio_of_sums, block=3) is None
    assert claims.measured([], mean) is None


def test_drawdown_by_hand_counts_from_the_starting_capital() -> None:
    assert claims.worst_drawdown(np.array([-0.1, 0.5, -0.2])) == pytest.approx(0.2)
    assert claims.worst_drawdown(np.array([-0.1, -0.1, 0.5])) == pytest.approx(0.19)
    assert claims.worst_drawdown(np.array([0.1, 0.2])) == 0
    assert math.isnan(claims.worst_drawdown(np.array([0.1, -1.0])))


def test_drawdown_cut_by_hand() -> None:
    pair = np.array([[[0.0, 0.0], [-0.06, -0.1], [0.2, 0.2]]])
    assert claims.drawdown_cut(pair) == pytest.approx([0.4])
    calm = np.array([[[0.01, 0.01], [0.01, 0.01]]])
    assert np.isnan(claims.drawdown_cut(calm)).all()


def test_monthly_figures_by_hand() -> None:
    two = np.array([[[-50.0, 100_000.0], [-100.0, 100_000.0]]])
    assert claims.annual_cost(two) == pytest.approx([0.009])
    assert claims.annual_share(-two * [1, -1]) == pytest.approx([0.009])
    assert claims.positive_share(np.array([[[5.0], [-1.0], [0.0], [2.0]]])) == pytest.approx([0.5])
    assert claims.ratio_of_sums(np.array([[[30.0, 10.0], [0.0, 5.0]]])) == pytest.approx([2.0])


def test_identity_bounds() -> None:
    assert pytest.approx((0.08333, 0.25), abs=1e-5) == IDENTITY


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.005, 0.019, Verdict.SUPPORTED),
        (-0.01, 0.02, Verdict.SUPPORTED),
        (0.021, 0.05, Verdict.NOT_SUPPORTED),
        (0.01, 0.03, Verdict.NOT_ENOUGH),
    ],
)
def test_verdict_looks_at_the_whole_interval(low: float, high: float, wanted: Verdict) -> None:
    assert judge(COST, (low + high) / 2, Interval(low, high, 0.9), 60).verdict == wanted


def test_too_few_observations_are_not_enough_whatever_the_interval() -> None:
    found = judge(COST, 0.01, Interval(0.009, 0.011, 0.9), 11)
    assert found.verdict == Verdict.NOT_ENOUGH
    assert found.why == "11 months observed, 12 are needed"


def test_a_ratio_of_exactly_one_does_not_exceed() -> None:
    claim: Claim = CLAIMS["payouts_over_carry"]
    assert judge(claim, 1.0, Interval(0.8, 1.0, 0.9), 24).verdict == Verdict.NOT_SUPPORTED
    assert judge(claim, 1.2, Interval(1.0, 1.4, 0.9), 24).verdict == Verdict.NOT_ENOUGH
    assert judge(claim, 1.2, Interval(1.001, 1.4, 0.9), 24).verdict == Verdict.SUPPORTED


def test_no_event_bounds_the_rate_by_the_rule_of_three() -> None:
    found = claims.poisson_interval(0, 3.0, 0.95)
    assert found is not None
    assert found.high == pytest.approx(2.9957 / 3, rel=1e-4)


def test_poisson_bounds_agree_with_the_published_table() -> None:
    """Garwood's exact 95% limits for 5 events: 1.6235 to 11.6683."""
    found = claims.poisson_interval(5, 1.0, 0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((1.6235, 11.6683), abs=2e-4)


def test_one_forced_unwind_refutes_and_a_short_quiet_history_proves_nothing() -> None:
    def unwinds(events: int | None, years: int):
        found = claims.findings(daily_returns=[], months=[], sessions=252 * years, unwinds=events, draws=10)
        return next(f for f in found if f.claim.key == "forced_unwinds").verdict

    assert unwinds(1, 30) == Verdict.NOT_SUPPORTED
    assert unwinds(0, 5) == Verdict.NOT_ENOUGH
    assert unwinds(0, 30) == Verdict.SUPPORTED
    assert unwinds(None, 30) == Verdict.NOT_ENOUGH


def test_claims_every_one_is_found_on_a_long_history() -> None:
    rng = np.random.default_rng(5)
    base = rng.normal(0.0003, 0.01, 2520)
    days = np.stack([base * 0.5, base], axis=1)
    months = np.column_stack(
        [rng.normal(-50, 10, 120), np.full(120, 1e5), rng.normal(5, 1, 120), rng.uniform(5, 9, 120),
         rng.uniform(50, 60, 120), np.full(120, 1400.0)]
    )  # fmt: skip
    got = {
        f.claim.key: f.verdict
        for f in claims.findings(daily_returns=days, months=months, sessions=2520, unwinds=0)
    }
    assert got["drawdown_cut"] == Verdict.SUPPORTED
    assert got["annual_cost"] == Verdict.SUPPORTED
    assert got["net_credit_months"] == Verdict.SUPPORTED
    assert got["payouts_over_carry"] == Verdict.NOT_SUPPORTED
    assert got["credit_identity"] == Verdict.SUPPORTED
