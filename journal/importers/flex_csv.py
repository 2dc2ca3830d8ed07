"""A Flex query delivered as CSV: the same trades as the XML, one a line, under other names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from journal.importers.fields import columns
from journal.importers.ibkr import FlexElement, read_elements
from journal.importers.rows import BrokerFile
from journal.importers.text import Cells

_NEEDED = {"ClientAccountID", "Buy/Sell", "Quantity", "TradePrice"}
_NAMES = {
    "ClientAccountID": "accountId", "CurrencyPrimary": "currency", "AssetClass": "assetCategory",
    "Notes/Codes": "notes", "Open/CloseIndicator": "openCloseIndicator", "Buy/Sell": "buySell",
    "Put/Call": "putCall", "IBCommission": "ibCommission", "TradeID": "tradeID",
    "TransactionID": "transactionID", "FifoPnlRealized": "fifoPnlRealized", "IBOrderID": "ibOrderID",
}  # fmt: skip


@dataclass(slots=True)
class _Lines:
    found: list[FlexElement] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    accounts: set[str] = field(default_factory=set)


def recognises(header: Sequence[str]) -> bool:
    """Whether this is the header of a Flex query's trades."""
    return set(columns(header)) >= _NEEDED


def parse(records: Sequence[Cells], *, zone: str) -> BrokerFile:
    """Every line as the element the XML would have; a header that is repeated is no trade."""
    header = [name.strip() for name in records[0].cells]
    names = [_NAMES.get(name, name[:1].lower() + name[1:]) for name in header]
    seen = _Lines()
    for record in records[1:]:
        if [cell.strip() for cell in record.cells] == header:
            seen.other["repeated header"] += 1
            continue
        values = dict(zip(names, (cell.strip() for cell in record.cells), strict=False))
        seen.accounts.add(values.get("accountId", ""))
        seen.found.append(FlexElement("Trade", record.line, values))
    seen.accounts.discard("")
    return read_elements(seen, zone=zone, layout="Flex CSV")
