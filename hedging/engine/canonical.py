"""One spelling for every result, so that equal content has an equal hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from hedging.engine import codec


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, of a dataclass or plain values. Raises TypeError as the codec."""
    return json.dumps(codec.to_json(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
