"""Twenty years of real data: the benchmark followed, the claims judged."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hedging.engine.backtest.types import Settings
from hedging.engine.history.folder import history_from_folder
from hedging.engine.rulesets.presets import preset
from hedging.services.backtest import Backtests

SETTINGS = Settings(date(2004, 1, 2), date(2024, 1, 31))


@pytest.fixture(scope="module")
def tests(data_dir: Path) -> Backtests:
    return Backtests(history_from_folder(data_dir / "market"))


def test_the_condor_benchmark_moves_with_the_published_index(tests: Backtests) -> None:
    against = tests.report(preset("neutral-cndr"), SETTINGS)["benchmark"]
    assert against["months"] == 131
    assert against["correlation"] > 0.85
    assert against["tracking"] < 0.04


def test_irr_3_the_default_rules_do_not_cut_the_drawdown_by_a_third(tests: Backtests) -> None:
    report = tests.report(preset("seed-s4-credit-budget"), SETTINGS)
    verdicts = {one["key"]: one["verdict"] for one in report["claims"]}
    assert verdicts["drawdown_cut"] == verdicts["net_credit_months"] == "not supported"
    assert verdicts["annual_cost"] == "supported"
    assert report["sessions"] == 5054
    assert any("VVIX is unknown" in gap for gap in report["gaps"])
