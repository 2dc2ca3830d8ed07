"""Cboe delayed quotes as JSON: ``data.options[]``, ``data.current_price``, ``timestamp``."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from hedging.engine.instruments import UnknownSymbolError, parse_symbol
from hedging.providers.formats.chain import ChainError, build_chain
from hedging.providers.formats.quote_time import quote_moment
from hedging.providers.formats.tables import MarketFileError, ParsedFile

NAME = "cboe-delayed-json"
_KEYS = {
    "bid": "bid",
    "ask": "ask",
    "last": "last_trade_price",
    "volume": "volume",
    "open_interest": "open_interest",
    "vendor_iv": "iv",
    "vendor_delta": "delta",
    "vendor_gamma": "gamma",
}


def sniff(text: str) -> bool:
    """Whether the text starts as a JSON object."""
    return text.lstrip()[:1] == "{"


def parse(text: str) -> ParsedFile:
    """Read the document; raises MarketFileError naming line, column or path."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise MarketFileError(f"not valid JSON ({error.msg})", error.lineno, str(error.colno)) from None
    except RecursionError:
        raise MarketFileError("the JSON is nested too deeply", 1) from None
    data = document.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("options"), list):
        raise MarketFileError("no list at data.options", 1)
    as_of, quality = quote_moment(_stamp(document.get("timestamp")))
    parsed = ParsedFile(NAME, "cboe", quality)
    rows: list[dict[str, Any]] = []
    underlying = ""
    for position, option in enumerate(data["options"]):
        place = f"data.options[{position}]"
        if not isinstance(option, dict):
            raise MarketFileError(f"{place} is not an object")
        parsed.rows_read += 1
        try:
            spec = parse_symbol(str(option.get("option", "")))
        except UnknownSymbolError as error:
            raise MarketFileError(f"{place}.option: {error}") from None
        if underlying and spec.underlying != underlying:
            raise MarketFileError(f"{place} is not on {underlying}")
        underlying = spec.underlying
        values = {name: _number(option.get(key), f"{place}.{key}") for name, key in _KEYS.items()}
        rows.append(
            {"root": spec.root, "expiry": spec.expiry, "strike": spec.strike, "right": spec.right, **values}
        )
    spot = _number(data.get("current_price"), "data.current_price")
    try:
        parsed.chains.append(build_chain(underlying, as_of, None if math.isnan(spot) else spot, rows))
    except ChainError as error:
        raise MarketFileError(str(error)) from None
    return parsed


def _number(value: object, place: str) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MarketFileError(f"{place}: {value!r} is not a number")
    return float(value)


def _stamp(value: object) -> datetime:
    """Cboe's top-level stamp has no zone and is UTC; a zone in the text is honoured."""
    try:
        stamp = datetime.fromisoformat(str(value))
    except ValueError:
        raise MarketFileError(f"timestamp: {value!r} is not a time") from None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
