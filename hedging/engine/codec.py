"""Frozen dataclasses to plain JSON values and back, so that a stored result is again a typed one."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def to_json(value: Any) -> Any:
    """Plain JSON values of a dataclass, container or number; NaN and infinities become None.

    Raises TypeError for anything else: a result never holds what cannot be read back.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is tuple or kind is list:
        return [to_json(item) for item in value]
    if (names := _fields(kind)) is not None:
        parts = {name: getattr(value, name) for name in names}
        return {name: part if type(part) in _PLAIN else to_json(part) for name, part in parts.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(to_json(key)): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    raise TypeError(f"{kind.__name__} has no JSON form")


_PLAIN = frozenset({str, int, bool, type(None)})


_FIELDS: dict[type, tuple[str, ...] | None] = {}


def _fields(kind: type) -> tuple[str, ...] | None:
    """Field names of a dataclass, None of any other class; worked out once for each."""
    if kind not in _FIELDS:
        _FIELDS[kind] = (
            tuple(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None
        )
    return _FIELDS[kind]


def from_json(kind: type[_T], data: Any) -> _T:
    """The dataclass ``kind`` that ``to_json`` wrote.

    Fields an older version did not write take their defaults, fields a newer one added are left out.
    Raises KeyError when a field without a default is missing.
    """
    return cast("_T", _read(kind, data))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, data: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return None if data is None else _read(next(k for k in inner if k is not type(None)), data)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_read(inner[0], item) for item in data)
        return tuple(_read(part, item) for part, item in zip(inner, data, strict=True))
    if origin is dict:
        return {_read(inner[0], key): _read(inner[1], item) for key, item in data.items()}
    if not isinstance(kind, type) or data is None:
        return data
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data)
    if issubclass(kind, datetime | date):
        return kind.fromisoformat(data)
    if issubclass(kind, Enum) or kind in {int, float}:
        return kind(data)
    return data


def _read_dataclass(kind: type, data: Mapping[str, Any]) -> Any:
    hints, values = _hints(kind), {}
    for field in dataclasses.fields(kind):
        if field.name in data:
            values[field.name] = _read(hints[field.name], data[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise KeyError(f"{kind.__name__} needs {field.name}")
    return kind(**values)
