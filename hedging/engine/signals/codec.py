"""A signal frame as bytes and back: one compressed archive of arrays beside its texts, nothing pickled."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hedging.engine.history.series import Days
from hedging.engine.signals.frame import SignalColumn, SignalFrame
from hedging.engine.signals.levels import LevelSeries
from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.regimes import RegimeHistory, RegimeInputs
from hedging.engine.signals.types import SignalKey

#: Changes when the layout or a formula changes, so that older stored frames are computed again.
VERSION: Final = 3


def pack(frame: SignalFrame) -> bytes:
    """The frame as a compressed archive."""
    columns, shown = list(frame.columns.values()), list(frame.levels.values())
    empty = np.full(len(frame), np.nan)
    arrays: dict[str, NDArray[Any]] = {
        "days": _small(frame.days),
        "sessions": _small(frame.sessions),
        "values": _stack([c.values for c in columns], len(frame)),
        "state": _stack([c.state for c in columns], len(frame)).astype(np.int8),
        "as_of": _stack([_small(c.as_of) for c in columns], len(frame)).astype(np.int32),
        "distance": _stack([empty if c.distance is None else c.distance for c in columns], len(frame)),
        "rules": _stack([level for c in columns for level in c.levels], len(frame)),
        "shown": _stack([level.values for level in shown], len(frame)),
        "shown_as_of": _stack([_small(level.as_of) for level in shown], len(frame)).astype(np.int32),
        "shown_percentile": _stack([level.percentile for level in shown], len(frame)),
        "codes": frame.regimes.codes,
        "began": frame.regimes.began.astype(np.int32),
        "expansion_began": frame.regimes.expansion_began.astype(np.int32),
    }
    for name in _regime_names():
        arrays[f"regime_{name}"] = getattr(frame.regimes.inputs, name)
    texts = {
        "version": VERSION,
        "columns": [_texts(column) for column in columns],
        "levels": [{"name": x.name, "source": x.source, "max_age": x.max_age} for x in shown],
        "alerts": {str(at): list(words) for at, words in frame.alerts.items()},
        "params": params_json(frame.regimes.params),
    }
    arrays["texts"] = np.frombuffer(json.dumps(texts).encode(), dtype=np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def unpack(data: bytes) -> SignalFrame:
    """The frame of ``pack``. Raises ValueError for another version."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    texts = json.loads(arrays["texts"].tobytes())
    if texts["version"] != VERSION:
        raise ValueError(f"a stored signal frame has version {texts['version']}, not {VERSION}")
    days = _days(arrays["days"])
    columns: dict[SignalKey, SignalColumn] = {}
    used = 0
    for at, words in enumerate(texts["columns"]):
        rules, has_distance = words.pop("rules"), words.pop("has_distance")
        key = SignalKey(words.pop("key"))
        columns[key] = SignalColumn(
            key=key,
            values=arrays["values"][at],
            state=arrays["state"][at],
            as_of=_days(arrays["as_of"][at]),
            distance=arrays["distance"][at] if has_distance else None,
            levels=tuple(arrays["rules"][used : used + rules]),
            **words,
        )
        used += rules
    shown = {
        words["name"]: LevelSeries(
            name=words["name"],
            values=arrays["shown"][at],
            as_of=_days(arrays["shown_as_of"][at]),
            percentile=arrays["shown_percentile"][at],
            source=words["source"],
            max_age=words["max_age"],
        )
        for at, words in enumerate(texts["levels"])
    }
    read = {name: arrays[f"regime_{name}"] for name in _regime_names()}
    walked = RegimeHistory(
        RegimeInputs(days=days, **read),
        params_from_json(texts["params"]),
        arrays["codes"],
        arrays["began"].astype(np.int64),
        arrays["expansion_began"].astype(np.int64),
    )
    alerts = {int(at): tuple(words) for at, words in texts["alerts"].items()}
    return SignalFrame(days, columns, walked, alerts, shown, _days(arrays["sessions"]))


def params_json(params: SignalParams) -> dict[str, Any]:
    """Parameters as plain values; the exact share as text."""
    return {name: str(v) if isinstance(v, Decimal) else v for name, v in asdict(params).items()}


def params_from_json(values: dict[str, Any]) -> SignalParams:
    """The parameters of ``params_json``. Raises TypeError for unknown names, ValueError for bad values."""
    return SignalParams(**{**values, "backwardation_above": Decimal(values["backwardation_above"])})


def _texts(column: SignalColumn) -> dict[str, Any]:
    arrays = ("values", "state", "as_of", "distance", "levels")
    words = {f.name: getattr(column, f.name) for f in fields(column) if f.name not in arrays}
    return {**words, "rules": len(column.levels), "has_distance": column.distance is not None}


def _regime_names() -> list[str]:
    return [f.name for f in fields(RegimeInputs) if f.name != "days"]


def _stack(rows: list[NDArray[Any]], size: int) -> NDArray[Any]:
    return np.stack(rows) if rows else np.empty((0, size))


def _small(days: Days) -> NDArray[np.int32]:
    """Days since 1970 in four bytes; NaT becomes the smallest number."""
    whole = days.astype("datetime64[D]").astype(np.int64)
    return np.where(np.isnat(days), np.iinfo(np.int32).min, whole).astype(np.int32)


def _days(small: NDArray[np.int32]) -> Days:
    found = small.astype(np.int64).astype("datetime64[D]")
    return np.where(small == np.iinfo(np.int32).min, np.datetime64("NaT"), found)
