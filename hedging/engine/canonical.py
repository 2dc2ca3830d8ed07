"""One spelling for every result, so that equal content has an equal hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from hedging.engine import codec


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON."""
    return plain_hash(codec.to_json(value))


def plain_hash(data: Any) -> str:
    """The same of values that are plain JSON already."""
    return hashlib.sha256(_spelled(data).encode()).hexdigest()


def _spelled(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
