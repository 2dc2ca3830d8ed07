"""Rulesets as JSON documents: reading with errors that name the place, writing in one spelling.

A document states every parameter, or names the preset it ``extends`` and states what differs. Parameters that
the product added later have a default and may be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from hedging.engine.rulesets.catalogue import SOURCES, catalogue
from hedging.engine.rulesets.types import (
    Definition,
    Kind,
    Parameter,
    RangePolicy,
    Ruleset,
    RulesetError,
    Status,
    Value,
)

FORMAT = 1
_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{1,58}[a-z0-9]$")
_HASH = re.compile(r"^[0-9a-f]{64}$")
_TOP = {"format", "name", "extends", "title", "summary", "parent", "effective_from", "status", "parameters"}
_ENTRY = {"base", "range", "policy", "source", "requirement", "contradiction"}
Finder = Callable[[str], Ruleset]


def ruleset_read(text: str, *, find: Finder | None = None) -> Ruleset:
    """The ruleset a JSON text states; ``find`` gives the ruleset a document extends, by its name.

    Raises RulesetError that lists every problem with its place.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise RulesetError((f"line {error.lineno}, column {error.colno}: {error.msg}",)) from None
    return ruleset_from(data, find=find)


def ruleset_from(data: Any, *, find: Finder | None = None) -> Ruleset:
    """The ruleset a parsed document states. Raises RulesetError."""
    if not isinstance(data, dict):
        raise RulesetError(("the document is not an object",))
    problems = list(_head_problems(data))
    base: Ruleset | None = None
    if isinstance(name := data.get("extends"), str):
        try:
            base = find(name) if find else None
        except KeyError:
            base = None
        if base is None:
            problems.append(f"extends: no ruleset is named {name!r}")
    found, implied, bad = _parameters(data.get("parameters"), base)
    if problems or bad:
        raise RulesetError((*problems, *bad))
    parent = data.get("parent") or (base.hash if base else None)
    effective = data.get("effective_from")
    result = Ruleset(
        name=data["name"],
        title=data["title"],
        summary=data.get("summary", ""),
        parameters=found,
        parent=parent,
        effective_from=date.fromisoformat(effective) if effective else None,
        status=Status(data.get("status", Status.DRAFT.value)),
        implied=implied,
    )
    if clashes := tuple(_clashes(result)):
        raise RulesetError(clashes)
    return result


def ruleset_document(ruleset: Ruleset) -> dict[str, Any]:
    """The full document of a ruleset, which ``ruleset_from`` reads back to the same hash."""
    return {
        "format": FORMAT,
        "name": ruleset.name,
        "title": ruleset.title,
        "summary": ruleset.summary,
        "parent": ruleset.parent,
        "effective_from": ruleset.effective_from.isoformat() if ruleset.effective_from else None,
        "status": ruleset.status.value,
        "parameters": {
            key: entry_of(parameter)
            for key, parameter in ruleset.parameters.items()
            if key not in ruleset.implied
        },
    }


def entry_of(parameter: Parameter) -> dict[str, Any]:
    """A parameter as documents state it."""
    base = parameter.base
    entry: dict[str, Any] = {"base": list(base) if isinstance(base, tuple) else base}
    if parameter.span:
        entry["range"] = list(parameter.span)
    if parameter.policy is not RangePolicy.FIXED:
        entry["policy"] = parameter.policy.value
    entry["source"] = parameter.source
    if parameter.requirement:
        entry["requirement"] = parameter.requirement
    if parameter.contradiction:
        entry["contradiction"] = parameter.contradiction
    return entry


def _head_problems(data: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key}: unknown field" for key in sorted(set(data) - _TOP))
    if data.get("format") != FORMAT:
        yield f"format: must be {FORMAT}"
    if not (isinstance(data.get("name"), str) and _NAME.match(data["name"])):
        yield "name: 3 to 60 small letters, digits and hyphens"
    if not (isinstance(data.get("title"), str) and data["title"].strip()):
        yield "title: a text is needed"
    for key in ("extends", "summary"):
        if not isinstance(data.get(key, ""), str):
            yield f"{key}: must be a text"
    parent = data.get("parent")
    if parent is not None and not (isinstance(parent, str) and _HASH.match(parent)):
        yield "parent: must be the 64 hexadecimal digits of a version's hash"
    if data.get("status", "draft") not in {status.value for status in Status}:
        yield f"status: must be one of {', '.join(status.value for status in Status)}"
    effective = data.get("effective_from")
    try:
        if effective is not None:
            date.fromisoformat(effective)
    except (TypeError, ValueError):
        yield f"effective_from: {effective!r} is not a date such as 2026-01-31"


def _parameters(data: Any, base: Ruleset | None) -> tuple[dict[str, Parameter], frozenset[str], list[str]]:
    """All parameters in the catalogue's order, those nobody stated, and what is wrong."""
    if not isinstance(data, dict):
        return {}, frozenset(), ["parameters: must be an object of parameters"]
    known = catalogue()
    problems = [f"parameters.{key}: unknown parameter" for key in data if key not in known]
    found: dict[str, Parameter] = {}
    implied: set[str] = set()
    for key, definition in known.items():
        if key in data:
            bad = list(_entry_problems(definition, data[key]))
            problems += [f"parameters.{key}.{text}" for text in bad]
            if not bad:
                found[key] = _parameter(definition, data[key])
        elif base is not None:
            found[key] = base.parameters[key]
            implied |= {key} & base.implied
        elif definition.default is not None:
            found[key] = definition.default
            implied.add(key)
        else:
            problems.append(f"parameters.{key}: missing")
    return found, frozenset(implied), problems


def _parameter(definition: Definition, entry: Mapping[str, Any]) -> Parameter:
    span = entry.get("range")
    return Parameter(
        key=definition.key,
        base=_value(definition.kind, entry["base"]),
        source=entry["source"],
        requirement=entry.get("requirement", ""),
        span=(float(span[0]), float(span[1])) if span else None,
        policy=RangePolicy(entry.get("policy", "fixed")),
        contradiction=entry.get("contradiction", ""),
    )


def _value(kind: Kind, base: Any) -> Value:
    """``45`` and ``45.0`` are one value: numbers are floats, whole ones ints, so that hashes agree."""
    if kind is Kind.NUMBER:
        return float(base)
    if kind is Kind.INTEGER:
        return int(base)
    return tuple(base) if kind is Kind.WORDS else base


def _entry_problems(definition: Definition, entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "base: a parameter is an object with base and source"
        return
    yield from (f"{key}: unknown field" for key in sorted(set(entry) - _ENTRY))
    if "base" not in entry:
        yield "base: missing"
    elif problem := _base_problem(definition, entry["base"]):
        yield f"base: {problem}"
    yield from _range_problems(definition, entry)
    if entry.get("source") not in SOURCES:
        yield f"source: must be one of {', '.join(SOURCES)}"
    for key in ("requirement", "contradiction"):
        if not isinstance(entry.get(key, ""), str):
            yield f"{key}: must be a text"


def _base_problem(definition: Definition, base: Any) -> str:
    match definition.kind:
        case Kind.SWITCH:
            return "" if isinstance(base, bool) else "must be true or false"
        case Kind.WORD:
            return "" if base in definition.choices else f"must be one of {', '.join(definition.choices)}"
        case Kind.WORDS:
            fine = isinstance(base, list | tuple) and all(word in definition.choices for word in base)
            if not fine or len(set(base)) != len(base):
                return f"must be a list, without repeats, of {', '.join(definition.choices)}"
            return ""
        case Kind.INTEGER | Kind.NUMBER:
            return _number_problem(definition, base)


def _number_problem(definition: Definition, value: Any) -> str:
    whole = definition.kind is Kind.INTEGER
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124
        return "must be a number"
    if whole and value != int(value):
        return "must be a whole number"
    low, high = definition.low, definition.high
    if low is not None and high is not None and not low <= value <= high:
        return f"{value:g} is outside {low:g} to {high:g} {definition.unit}".rstrip()
    return ""


def _range_problems(definition: Definition, entry: Mapping[str, Any]) -> Iterator[str]:
    span, policy = entry.get("range"), entry.get("policy", "fixed")
    if policy not in {choice.value for choice in RangePolicy}:
        yield f"policy: must be one of {', '.join(choice.value for choice in RangePolicy)}"
    elif policy != "fixed" and span is None:
        yield f"policy: {policy} needs a range"
    if span is None:
        return
    if definition.kind not in {Kind.NUMBER, Kind.INTEGER}:
        yield "range: only a number has one"
    elif not (isinstance(span, list | tuple) and len(span) == 2):
        yield "range: must be [low, high]"
    elif bad := [problem for end in span if (problem := _number_problem(definition, end))]:
        yield f"range: {bad[0]}"
    elif span[0] > span[1]:
        yield f"range: {span[0]:g} is above {span[1]:g}"


#: Pairs of which the first must stay below (or at, where the last word says so) the second.
_ORDER = (
    ("interpolate.vix_low", "interpolate.vix_high", False),
    ("vxth.low", "vxth.middle", False),
    ("vxth.middle", "vxth.high", False),
    ("condor.long_delta", "condor.short_delta", False),
    ("guard.warn_of_equity", "guard.block_of_equity", True),
    ("condor.size_of_equity", "guard.block_of_equity", True),
    ("layer3.risk_capital", "layer3.risk_capital_narrow", True),
    *((f"layer{n}.sold_delta", f"layer{n}.delta", False) for n in (1, 2, 3)),
    *((f"layer{n}.roll_days", f"layer{n}.dte", False) for n in (1, 2, 3)),
)


def _clashes(ruleset: Ruleset) -> Iterator[str]:
    for first, second, equal in _ORDER:
        a, b = ruleset.number(first), ruleset.number(second)
        if a > b or (a == b and not equal):
            yield f"parameters.{first}: {a:g} must be {'at most' if equal else 'below'} {second} ({b:g})"
    for layer in (1, 2, 3):
        if not ruleset.words(f"layer{layer}.allowed"):
            yield f"parameters.layer{layer}.allowed.base: at least one instrument is needed"
