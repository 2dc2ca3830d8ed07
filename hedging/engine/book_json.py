"""Books as JSON documents: contracts by symbol, errors that name the place.

``{"account_id": "…", "capital": 250000, "trades": [{"trade_id": "c1", "role": "condor", "legs":
[{"symbol": "SPXW  260220P06600000", "quantity": -2, "entry_price": 24.1}]}]}``; a trade may state ``layer``,
``cash`` (dollars its fills moved; without it the legs' entry prices count) and ``fees``.
"""

from __future__ import annotations

import json
import math
from typing import Any

from hedging.engine.book import Book, BookTrade, InstrumentKind, Leg, TradeRole
from hedging.engine.instruments import UnknownSymbolError, parse_symbol


class BookError(ValueError):
    """A document that is no book; the message starts with the place, such as ``trades[0].legs[1].symbol``."""


def book_read(text: str) -> Book:
    """The book of a JSON text. Raises BookError."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BookError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(data, dict):
        raise BookError("the document is not an object")
    _known(data, {"account_id", "revision", "capital", "trades"}, "")
    capital = _number(data, "capital", "")
    if capital <= 0:
        raise BookError("capital: must be above zero")
    trades = tuple(_trade(one, f"trades[{at}]") for at, one in enumerate(_list(data, "trades", "")))
    ids = [trade.trade_id for trade in trades]
    if repeated := sorted({one for one in ids if ids.count(one) > 1}):
        raise BookError(f"trades: the id {repeated[0]!r} is there twice")
    return Book(str(data.get("account_id", "")), int(data.get("revision", 0)), capital, trades)


def book_document(book: Book) -> dict[str, Any]:
    """The document that ``book_read`` reads back."""
    return {
        "account_id": book.account_id,
        "revision": book.revision,
        "capital": book.capital,
        "trades": [
            {
                "trade_id": trade.trade_id,
                "role": trade.role.value,
                "layer": trade.layer,
                "cash": trade.cash,
                "fees": trade.fees,
                "legs": [
                    {"symbol": leg.contract.symbol, "quantity": leg.quantity, "entry_price": leg.entry_price}
                    for leg in trade.legs
                ],
            }
            for trade in book.trades
        ],
    }


def _trade(data: Any, place: str) -> BookTrade:
    if not isinstance(data, dict):
        raise BookError(f"{place}: must be an object")
    _known(data, {"trade_id", "role", "layer", "cash", "fees", "legs"}, f"{place}.")
    role = data.get("role")
    if role not in {one.value for one in TradeRole}:
        raise BookError(f"{place}.role: must be one of {', '.join(one.value for one in TradeRole)}")
    layer = data.get("layer")
    if layer is not None and layer not in (1, 2, 3):
        raise BookError(f"{place}.layer: must be 1, 2 or 3")
    if role == TradeRole.HEDGE.value and layer is None:
        raise BookError(f"{place}.layer: a hedge belongs to layer 1, 2 or 3")
    legs = tuple(_leg(one, f"{place}.legs[{at}]") for at, one in enumerate(_list(data, "legs", f"{place}.")))
    spent = sum(
        leg.quantity * leg.entry_price * leg.contract.multiplier
        for leg in legs
        if leg.contract.kind is not InstrumentKind.FUTURE
    )
    cash = _number(data, "cash", f"{place}.") if data.get("cash") is not None else -spent
    fees = _number(data, "fees", f"{place}.") if data.get("fees") is not None else 0.0
    return BookTrade(str(data.get("trade_id") or place), TradeRole(role), layer, legs, cash, fees)


def _leg(data: Any, place: str) -> Leg:
    if not isinstance(data, dict):
        raise BookError(f"{place}: must be an object")
    _known(data, {"symbol", "quantity", "entry_price"}, f"{place}.")
    try:
        spec = parse_symbol(str(data.get("symbol", "")))
    except UnknownSymbolError as error:
        raise BookError(f"{place}.symbol: {error}") from None
    quantity = data.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity == 0:
        raise BookError(f"{place}.quantity: must be a whole number, + bought or - sold")
    price = _number(data, "entry_price", f"{place}.")
    if price < 0:
        raise BookError(f"{place}.entry_price: must not be negative")
    return Leg(spec, quantity, price)


def _known(data: dict[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(set(data) - known):
        raise BookError(f"{place}{unknown[0]}: unknown field")


def _list(data: dict[str, Any], key: str, place: str) -> list[Any]:
    found = data.get(key)
    if not isinstance(found, list):
        raise BookError(f"{place}{key}: must be a list")
    return found


def _number(data: dict[str, Any], key: str, place: str) -> float:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BookError(f"{place}{key}: must be a number")
    return float(value)
