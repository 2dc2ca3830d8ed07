"""A stored frame is the frame that was computed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hedging.engine.history.folder import history_from_folder
from hedging.engine.signals import codec
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.params import SignalParams
from tests.engine.signals.cases import calm_market, history


def test_every_day_survives_packing() -> None:
    frame = compute_signals(calm_market(300), SignalParams(backwardation_above=Decimal("0.025")))
    again = codec.unpack(codec.pack(frame))
    first = frame.days[0].item()
    for after in (-5, 0, 30, 200, 300, 410, 460):
        day = first + timedelta(days=after)
        assert again.day(day) == frame.day(day)
        assert again.levels_on(day) == frame.levels_on(day)
    assert again.regimes.runs() == frame.regimes.runs()
    assert again.regimes.params == frame.regimes.params


def test_an_empty_frame_survives() -> None:
    frame = compute_signals(history())
    assert len(codec.unpack(codec.pack(frame))) == 0


def test_real_history_packs_small_and_equal(data_dir: Path) -> None:
    frame = compute_signals(history_from_folder(data_dir / "market"))
    data = codec.pack(frame)
    assert len(data) < 6_000_000
    again = codec.unpack(data)
    for day in frame.days[[300, 4000, 7000, -1]]:
        assert again.day(day.item()) == frame.day(day.item())


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.pack(compute_signals(history()))
    monkeypatch.setattr(codec, "VERSION", codec.VERSION + 1)
    with pytest.raises(ValueError, match="version"):
        codec.unpack(data)
