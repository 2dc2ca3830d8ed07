"""The JSON schema of ruleset documents, generated from the catalogue."""

from __future__ import annotations

from typing import Any

from hedging.engine.rulesets.catalogue import SOURCES, catalogue
from hedging.engine.rulesets.document import FORMAT
from hedging.engine.rulesets.types import Definition, Kind, RangePolicy, Status


def ruleset_schema() -> dict[str, Any]:
    """Draft 2020-12 schema. A document that extends another may leave parameters out."""
    known = catalogue()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ALVH ruleset",
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "name", "title", "parameters"],
        "properties": {
            "format": {"const": FORMAT},
            "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,58}[a-z0-9]$"},
            "extends": {"type": "string"},
            "title": {"type": "string", "minLength": 1},
            "summary": {"type": "string"},
            "parent": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
            "effective_from": {"type": ["string", "null"], "format": "date"},
            "status": {"enum": [status.value for status in Status]},
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {key: _parameter(definition) for key, definition in known.items()},
            },
        },
        "if": {"not": {"required": ["extends"]}},
        "then": {
            "properties": {"parameters": {"required": [k for k, d in known.items() if d.default is None]}}
        },
    }


def _parameter(definition: Definition) -> dict[str, Any]:
    base = _base(definition)
    properties: dict[str, Any] = {
        "base": base,
        "source": {"enum": list(SOURCES)},
        "requirement": {"type": "string"},
        "contradiction": {"type": "string"},
    }
    if definition.kind in {Kind.NUMBER, Kind.INTEGER}:
        properties["range"] = {"type": "array", "items": base, "minItems": 2, "maxItems": 2}
        properties["policy"] = {"enum": [policy.value for policy in RangePolicy]}
    return {
        "title": definition.label,
        "description": definition.explanation + (f" Unit: {definition.unit}." if definition.unit else ""),
        "type": "object",
        "additionalProperties": False,
        "required": ["base", "source"],
        "properties": properties,
    }


def _base(definition: Definition) -> dict[str, Any]:
    match definition.kind:
        case Kind.SWITCH:
            return {"type": "boolean"}
        case Kind.WORD:
            return {"enum": list(definition.choices)}
        case Kind.WORDS:
            return {"type": "array", "items": {"enum": list(definition.choices)}, "uniqueItems": True}
        case Kind.INTEGER:
            return {"type": "integer", "minimum": definition.low, "maximum": definition.high}
        case Kind.NUMBER:
            return {"type": "number", "minimum": definition.low, "maximum": definition.high}
