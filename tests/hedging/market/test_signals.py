"""Signals at rest: computed once for each state of the data, printed by a command."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.types import SignalKey
from hedging.jobs.engine import job_run
from hedging.models import DailyBar, Job, Quality, SignalFrameRow
from hedging.selectors.signals import stored_signals
from hedging.services.signals import signals_refresh, signals_request
from tests.hedging.market.signals_support import LAST, simulated_closes_load

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 30, 22, 0, tzinfo=UTC)


@pytest.fixture
def simulated() -> None:
    simulated_closes_load()


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("signals", *arguments, stdout=out)
    return out.getvalue()


def asked_again() -> Job:
    job = signals_request(simulated=True)
    assert job is not None
    return job


def test_the_worker_stores_the_frame_and_the_same_data_are_asked_for_once(simulated: None) -> None:
    assert stored_signals(simulated=True) is None
    job = asked_again()
    assert asked_again().pk == job.pk
    assert job_run(job.pk) == Job.State.DONE
    job.refresh_from_db()
    assert job.result["computed"] is True
    assert signals_request(simulated=True) is None
    stored = stored_signals(simulated=True)
    assert stored is not None
    assert stored.current
    assert stored.last_day == LAST
    assert stored_signals(simulated=False) is None, "real and simulated never mix"


def test_new_data_make_the_stored_frame_old_until_it_is_computed_again(simulated: None) -> None:
    signals_refresh(simulated=True)
    bar = DailyBar.objects.filter(symbol="VIX", date=LAST).get()
    DailyBar.objects.filter(pk=bar.pk).update(superseded_at=NOW)
    DailyBar.objects.create(
        source=bar.source, symbol="VIX", date=LAST, close=bar.close + 20, quality=Quality.SIMULATED
    )
    old = stored_signals(simulated=True)
    assert old is not None
    assert not old.current, "shown as waiting, not as true"
    assert job_run(asked_again().pk) == Job.State.DONE
    new = stored_signals(simulated=True)
    assert new is not None
    assert new.current
    before, after = (x.frame.day(LAST).value(SignalKey.VIX) for x in (old, new))
    assert before is not None
    assert after == pytest.approx(before + 20)
    assert SignalFrameRow.objects.count() == 1


def test_a_late_request_of_older_data_computes_nothing(simulated: None) -> None:
    job = asked_again()
    signals_refresh(simulated=True)
    row = SignalFrameRow.objects.get()
    assert job_run(job.pk) == Job.State.DONE
    job.refresh_from_db()
    assert job.result["computed"] is False
    assert SignalFrameRow.objects.get().created_at == row.created_at


def test_each_set_of_thresholds_has_its_own_frame(simulated: None) -> None:
    signals_refresh(simulated=True)
    other = SignalParams(rsi_vix_below=99.0)
    signals_refresh(simulated=True, params=other)
    assert SignalFrameRow.objects.count() == 2
    stored = stored_signals(simulated=True, params=other)
    assert stored is not None
    assert stored.frame.day(LAST).on(SignalKey.RSI_VIX) is True


def test_unreadable_thresholds_fail_with_a_reason(simulated: None) -> None:
    job = asked_again()
    Job.objects.filter(pk=job.pk).update(payload={"simulated": True, "params": {"nonsense": 1}})
    assert job_run(job.pk) == Job.State.DEAD
    job.refresh_from_db()
    assert "thresholds" in job.error


def test_the_command_prints_every_signal_as_json(simulated: None) -> None:
    answer: dict[str, Any] = json.loads(printed("--as-of", "2026-01-30", "--simulated", "--json"))
    assert {row["key"] for row in answer["signals"]} == {key.value for key in SignalKey}
    assert "simulated" in answer["snapshot"]["quality"]
    assert answer["regime"]["reasons"]
    for row in answer["signals"]:
        assert {"value", "threshold", "state", "since", "source", "age_days"} <= set(row)
        assert row["state"] in {"on", "off"} or row["reason"]


def test_the_command_judges_by_the_ruleset_named(simulated: None, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(
        json.dumps(
            {
                "format": 1,
                "name": "own-rules",
                "extends": "seed-s4-credit-budget",
                "title": "Own",
                "parameters": {"signals.rsi_vix_low": {"base": 99, "source": "user"}},
            }
        )
    )
    asked = ("--as-of", str(LAST), "--simulated", "--json")
    answers = [json.loads(printed(*asked, *more)) for more in ((), ("--ruleset", str(own)))]
    signals = [next(row for row in one["signals"] if row["key"] == "rsi_vix") for one in answers]
    assert [one["ruleset"]["name"] for one in answers] == ["seed-s4-credit-budget", "own-rules"]
    assert [row["threshold"] for row in signals] == ["< 35", "< 99"]
    assert [row["state"] for row in signals] == ["off", "on"]
    assert "judged by own-rules" in printed("--simulated", "--ruleset", str(own))
    with pytest.raises(CommandError, match="no ruleset is named 'nobody'"):
        printed("--ruleset", "nobody")


def test_the_command_without_data_says_unknown_and_does_not_fail() -> None:
    text = printed("--as-of", "2020-03-16")
    assert "no market data by then" in text
    assert "Regime: unknown" in text
    assert "unknown rsi_vix:" in text
    answer = json.loads(printed("--json"))
    assert {row["state"] for row in answer["signals"]} == {"unknown"}


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="2020-13-45"):
        printed("--as-of", "2020-13-45")


def test_the_crash_of_march_2020_from_the_stored_files(data_dir: Path) -> None:
    names = ("vix_daily.csv", "spx_daily.csv", "vx_contracts_daily.csv.gz", "vix3m_daily.csv")
    call_command("market_load", *[str(data_dir / "market" / name) for name in names], stdout=io.StringIO())
    answer = json.loads(printed("--as-of", "2020-03-16", "--json"))
    levels = {row["name"]: row["value"] for row in answer["levels"]}
    assert levels["VIX"] == pytest.approx(82.69)
    assert levels["M1"] > levels["M2"]
    assert answer["regime"]["regime"] == "regime_shift"
    assert answer["regime"]["since"] == "2020-02-26"
    by_key = {row["key"]: row for row in answer["signals"]}
    assert by_key["backwardation"]["state"] == "on"
    assert by_key["cpi_surprise"]["state"] == "unknown"
