"""What changed between two versions of a ruleset."""

from __future__ import annotations

from dataclasses import dataclass

from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.types import Parameter, RangePolicy, Ruleset


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter that differs; ``before`` and ``after`` as they are shown."""

    key: str
    label: str
    unit: str
    before: str
    after: str


def ruleset_diff(before: Ruleset, after: Ruleset) -> tuple[Change, ...]:
    """Every parameter whose value, range, policy or provenance differs, in the catalogue's order."""
    return tuple(
        Change(key, definition.label, definition.unit, *_pair(old, new))
        for key, definition in catalogue().items()
        if (old := before.parameters[key]) != (new := after.parameters[key])
    )


def shown(parameter: Parameter) -> str:
    """The value in words: ``0.1 (middle of 0.08 to 0.12)``, ``on``, ``stress_gate, window`` or ``none``."""
    base, span = parameter.base, parameter.span
    if isinstance(base, bool):
        return "on" if base else "off"
    if isinstance(base, tuple):
        return ", ".join(base) or "none"
    if isinstance(base, str):
        return base
    if span is None:
        return f"{base:g}"
    ends = f"{span[0]:g} to {span[1]:g}"
    words = {
        RangePolicy.FIXED: f"{base:g} (range {ends})",
        RangePolicy.LOW: f"{span[0]:g} (low end of {ends})",
        RangePolicy.MID: f"{parameter.number():g} (middle of {ends})",
        RangePolicy.HIGH: f"{span[1]:g} (high end of {ends})",
        RangePolicy.INTERPOLATE: f"{ends}, rising with stress",
    }
    return words[parameter.policy]


def _pair(old: Parameter, new: Parameter) -> tuple[str, str]:
    """Both in words; where these are the same, what else differs."""
    before, after = _told(old), _told(new)
    if before == after:
        before, after = (
            f"{words}, {one.policy.value}, noted: {one.contradiction or 'nothing'}"
            for words, one in ((before, old), (after, new))
        )
    return before, after


def _told(parameter: Parameter) -> str:
    return f"{shown(parameter)} [{' '.join(filter(None, (parameter.source, parameter.requirement)))}]"
