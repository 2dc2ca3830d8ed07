"""The rulesets that ship with the product."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from hedging.engine.rulesets.document import ruleset_read
from hedging.engine.rulesets.types import Ruleset

DEFAULT = "seed-s4-credit-budget"
#: In the order they are shown; a preset extends only earlier ones.
NAMES = (
    DEFAULT,
    "seed-s3-30d-notional",
    "seed-s0-post-press",
    "seed-s1-deep-cap",
    "seed-s2-vol-expansion",
    "neutral-vxth",
    "neutral-cndr",
    "layers-30-110-220",
)


@cache
def preset(name: str) -> Ruleset:
    """The preset with this name, validated. Raises KeyError for another name."""
    if name not in NAMES:
        raise KeyError(name)
    text = files(__package__).joinpath("presets", f"{name}.json").read_text("utf-8")
    return ruleset_read(text, find=preset)


def presets() -> tuple[Ruleset, ...]:
    """All presets, the default first."""
    return tuple(preset(name) for name in NAMES)
