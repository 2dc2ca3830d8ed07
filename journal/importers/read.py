"""Which broker wrote a file, and what it says. The content decides, never the name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from journal.importers import fidelity, flex_csv, ibkr, schwab, tastytrade, thinkorswim
from journal.importers.rows import Broker, BrokerFile, row_keys
from journal.importers.text import Cells, FileError, decode, is_page, records, unpack


def read_file(
    data: bytes, *, zone: str = "America/New_York", encoding: str = "", broker: str = ""
) -> BrokerFile:
    """Read a broker's file: every record of it, with keys that identify each.

    ``zone`` reads times the file gives without an offset. ``broker`` insists on one; empty detects it.
    Raises FileError naming the line and, where a choice may help, what to ask.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FileError("This time zone is not known.", ask="zone") from None
    text = decode(unpack(data), encoding)
    if broker and broker not in set(Broker):
        raise FileError("This broker is not offered.", ask="broker")
    if text.lstrip().startswith("<") and not is_page(text):
        if broker in {"", Broker.IBKR} and ibkr.recognises(text):
            return _keyed(ibkr.parse(text, zone=zone))
        raise FileError("The XML is not the answer of a Flex query.", ask="broker")
    every = list(records(text))
    if broker in {"", Broker.IBKR} and every and flex_csv.recognises(every[0].cells):
        return _keyed(flex_csv.parse(every, zone=zone))
    found = _detect(every)
    if found is None or (broker and broker != found):
        wanted = (
            f"The file does not look like one of {broker}" if broker else "No known broker writes such a file"
        )
        raise FileError(
            f"{wanted}: its header was not recognised. Export the transaction history as CSV.",
            line=1,
            ask="broker",
        )
    if found is Broker.TASTYTRADE:
        return _keyed(tastytrade.parse(every, zone=zone))
    if found is Broker.SCHWAB:
        return _keyed(schwab.parse(every))
    if found is Broker.FIDELITY:
        return _keyed(fidelity.parse(every))
    return _keyed(thinkorswim.parse(every, zone=zone))


def _detect(every: Sequence[Cells]) -> Broker | None:
    if not every:
        return None
    if tastytrade.recognises(every[0].cells):
        return Broker.TASTYTRADE
    if any(schwab.recognises(record.cells) for record in every[:3]):
        return Broker.SCHWAB
    if any(fidelity.recognises(record.cells) for record in every[:6]):
        return Broker.FIDELITY
    return Broker.THINKORSWIM if thinkorswim.recognises(every) else None


def _keyed(parsed: BrokerFile) -> BrokerFile:
    return replace(parsed, keys=row_keys(parsed.broker, parsed.rows))
