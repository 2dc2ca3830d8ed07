"""Every parameter the product knows, from ``catalogue.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from hedging.engine.rulesets.types import Definition, Kind, Parameter

#: Where a figure may come from: a seed document, an exchange's published rule, or this product.
SOURCES: Mapping[str, str] = {
    "S0": "000_d8c44905c9f439aa.txt",
    "S1": "001_f0d34a80eb6310f5.txt",
    "S2": "002_3bd9955a6840d813.txt",
    "S3": "003_756c503356b8fa6e.txt",
    "S4": "004_1f818e7e57df5ca5.txt",
    "exchange": "published benchmark rules of Cboe",
    "proposed": "proposed by this product where the method is silent",
    "user": "set by the account's owner",
}


@cache
def catalogue() -> Mapping[str, Definition]:
    """Definitions by key, in the order they are shown."""
    text = files(__package__).joinpath("catalogue.toml").read_text("utf-8")
    return {
        key: Definition(
            key=key,
            label=entry["label"],
            kind=Kind(entry["kind"]),
            unit=entry.get("unit", ""),
            explanation=entry["text"],
            low=entry.get("low"),
            high=entry.get("high"),
            choices=tuple(entry.get("choices", ())),
            default=_default(key, entry.get("default")),
        )
        for key, entry in tomllib.loads(text).items()
    }


def _default(key: str, entry: Mapping[str, Any] | None) -> Parameter | None:
    """What holds where a document does not state the parameter: base, source, requirement, contradiction."""
    if entry is None:
        return None
    base = entry["base"]
    return Parameter(
        key=key,
        base=tuple(base) if isinstance(base, list) else base,
        source=entry["source"],
        requirement=entry["requirement"],
        contradiction=entry.get("contradiction", ""),
    )
