"""The default ruleset over history: reviewed outcomes, and what must hold on every day.

The stored texts are our own traces with the figures they name. ``ALVH_WRITE_SNAPSHOTS=1`` writes them again,
to be reviewed before they are kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from hedging.engine.history.folder import history_from_folder
from hedging.engine.history.series import MarketHistory
from hedging.engine.policy.replay import ReplayDay, summary_lines
from hedging.engine.policy.text import advice_lines
from hedging.engine.policy.types import Advice, Answer
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.services.replay import replay_history
from hedging.services.snapshots.history_market import history_market

SNAPSHOTS = Path(__file__).with_name("snapshots")


@pytest.fixture(scope="module")
def history(data_dir: Path) -> MarketHistory:
    return history_from_folder(data_dir / "market")


def days(history: MarketHistory, first: date, last: date) -> list[tuple[ReplayDay, Advice]]:
    return list(replay_history(history=history, ruleset=preset(DEFAULT), first=first, last=last))


def lines(name: str, history: MarketHistory) -> Iterator[str]:
    """From an empty book some weeks before."""
    if name == "2017-summary":
        yield from summary_lines(day for day, _ in days(history, date(2017, 1, 3), date(2017, 12, 29)))
    elif name == "2018-02-05":
        *_, (day, advice) = days(history, date(2018, 1, 2), date(2018, 2, 5))
        yield from (day.text, "", *advice_lines(advice))
    else:
        crash = days(history, date(2020, 1, 2), date(2020, 3, 18))
        yield from (day.text for day, _ in crash if day.day >= date(2020, 2, 24))


@pytest.mark.parametrize("name", ["2017-summary", "2018-02-05", "2020-02-24"])
def test_a_replay_is_as_reviewed(name: str, history: MarketHistory) -> None:
    # Hashes change with every wording; figures, answers and orders are what was reviewed.
    found = [line for line in lines(name, history) if not line.startswith(("advice ", "ruleset "))]
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("ALVH_WRITE_SNAPSHOTS"):
        file.write_text("\n".join(found) + "\n", "utf-8")
    assert found == file.read_text("utf-8").splitlines()


def test_the_crash_of_2020_opens_the_gates_in_their_order(history: MarketHistory) -> None:
    crash = {day.day: day for day, _ in days(history, date(2020, 1, 2), date(2020, 3, 18))}
    opened = {
        layer: min(day for day, one in crash.items() if one.layers[layer - 1][0] is Answer.YES)
        for layer in (1, 2, 3)
    }
    assert opened[1] == date(2020, 1, 2)
    assert date(2020, 2, 24) <= opened[3] <= opened[2] <= date(2020, 3, 18)
    for one in crash.values():
        if one.layers[2][0] is Answer.YES:
            assert one.regime == "regime_shift"
            assert (one.backwardation or 0) > 0.03


def test_quiet_2017_never_opens_the_deeper_layers(history: MarketHistory) -> None:
    quiet = [day for day, _ in days(history, date(2017, 6, 1), date(2017, 9, 29))]
    assert {day.states[0] for day in quiet} == {"L1"}
    assert all(layer[1:] == (0, 0) for day in quiet for layer in day.layers[1:])


def test_a_day_knows_nothing_of_later_days(history: MarketHistory) -> None:
    last = date(2018, 2, 7)
    whole = days(history, date(2018, 1, 29), last)
    cut = days(history.known_at(last), date(2018, 1, 29), last)
    assert [day.hash for day, _ in whole] == [day.hash for day, _ in cut]


def test_a_day_without_closes_has_no_market(history: MarketHistory) -> None:
    assert history_market(history, date(2018, 2, 3)) is None
    found = history_market(history, date(2018, 2, 5))
    assert found is not None
    assert found.levels["VIX"].value == pytest.approx(37.32)
    assert all(point.expiry > date(2018, 2, 5) for point in found.vx_curve)
