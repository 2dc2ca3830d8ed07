"""Interactive Brokers' Flex queries (XML), read with defusedxml: no DTD, no entities, no external references.

Executions are imported; where a file holds order rows beside them, those are shown and left out. Cash
settlement of index options is a book trade at price 0: its price is (cost basis − realized) ÷ (quantity ×
multiplier). A VX future settles in a book trade at its settlement price. Unknown attributes and sections are
ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.sax import parseString

from hedging.engine.book import ContractSpec, InstrumentKind
from hedging.engine.instruments import vx_future
from hedging.selectors.calendar import NEW_YORK
from journal.importers.broker_symbols import OutsideError, listed, read_future, read_symbol
from journal.importers.fields import guarded, local_moment, plain, settlement_of
from journal.importers.movements import (
    DIVIDEND,
    FEE,
    INTEREST_EARNED,
    INTEREST_PAID,
    OTHER,
    TRANSFER,
    known_sides,
    movement,
)
from journal.importers.rows import ZERO, Broker, BrokerFile, BrokerRow, RowKind, RowLeg
from journal.importers.text import MAX_CELL, MAX_ROWS, CellError, Cells, FileError, number, whole

_STATED = {"Trade", "Order", "OptionEAE", "CashTransaction"}
_SUMMARIES = {"SymbolSummary", "AssetSummary", "Lot", "WashSale"}
_FUNDS = "StatementOfFundsLine"
_REPORT = "CashReportCurrency"
_MOMENT = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[;, T]+([0-9]{2}):?([0-9]{2}):?([0-9]{2}))?(?: [A-Z]{2,4})?"
)
_MAX_ATTRIBUTES = 250
_MOVEMENTS = {
    **dict.fromkeys(
        ("deposits/withdrawals", "deposits & withdrawals", "deposits and withdrawals",
         "electronic fund transfers"),
        TRANSFER,
    ),
    **dict.fromkeys(("broker interest received", "bond interest received"), INTEREST_EARNED),
    **dict.fromkeys(("broker interest paid", "bond interest paid"), INTEREST_PAID),
    **dict.fromkeys(("dividends", "payment in lieu of dividends"), DIVIDEND),
    **dict.fromkeys(("broker fees", "other fees", "advisor fees", "commission adjustments"), FEE),
    **dict.fromkeys(("withholding tax", "871(m) withholding", "other income", "price adjustments"), OTHER),
}  # fmt: skip
_OF_CONTRACTS = {"OPT", "FOP", "FUT", "WAR"}


@dataclass(frozen=True, slots=True)
class _Element:
    tag: str
    line: int
    values: dict[str, str]

    def record(self) -> Cells:
        return Cells(
            self.line, (self.tag, *(f"{name}={value}" for name, value in self.values.items() if value))
        )

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "").strip()


class _Collector(ContentHandler):
    """Keeps the elements that are records, counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Element] = []
        self.other: Counter[str] = Counter()
        self.accounts: set[str] = set()
        self.root = ""
        self._locator = None

    def setDocumentLocator(self, locator: object) -> None:  # noqa: N802 - the name is the interface's
        self._locator = locator  # type: ignore[assignment]  # the stub says None

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self.root = self.root or name
        if name == "FlexStatement" and attrs.get("accountId"):
            self.accounts.add(attrs["accountId"])
        if name not in _STATED | _SUMMARIES | {_FUNDS, _REPORT}:
            self.other[name] += 1
            return
        if not attrs.getLength():
            return  # a section of the same name
        line = self._locator.getLineNumber() or 0 if self._locator is not None else 0
        if len(self.found) >= MAX_ROWS:
            raise FileError(f"The file has more than {MAX_ROWS:,} rows.", line=line)
        if attrs.getLength() > _MAX_ATTRIBUTES or any(len(value) > MAX_CELL for value in attrs.values()):
            raise FileError("An element is longer than any broker writes.", line=line)
        self.found.append(_Element(name, line, dict(attrs.items())))


def recognises(text: str) -> bool:
    """Whether the text is a Flex query's answer."""
    return "<FlexQueryResponse" in text[:4096] or "<FlexStatements" in text[:4096]


def parse(text: str, *, zone: str) -> BrokerFile:
    """All records of a Flex file; ``zone`` is that of its times."""
    seen = _Collector()
    body = re.sub(r"^\s*<\?xml[^>]*\?>", lambda match: re.sub(r"[^\n]", " ", match.group()), text, count=1)
    try:
        parseString(body.encode(), seen, forbid_dtd=True)
    except DefusedXmlException:
        raise FileError("The file declares entities or a DTD; no broker does, it is refused.") from None
    except SAXParseException as error:
        raise FileError(f"Not readable XML: {error.getMessage()}.", line=error.getLineNumber() or 0) from None
    if len(seen.accounts) > 1:
        raise FileError(
            "The file holds several accounts: " + ", ".join(sorted(seen.accounts)[:5]) + ". Export one."
        )
    context = _Context(seen.found, zone)
    rows = [guarded(one.record(), partial(context.read, one), partial(_net, one)) for one in seen.found]
    skipped = [f"{count} {name}" for name, count in sorted(seen.other.items()) if name in _NAMED]
    remarks = [f"Not transactions, left aside: {', '.join(skipped)}."] if skipped else []
    return BrokerFile(Broker.IBKR, "Flex XML", rows, remarks=remarks, stated=_reported(seen.found))


_NAMED = {
    "OpenPosition",
    "SecurityInfo",
    "ConversionRate",
    "CorporateAction",
    "EquitySummaryByReportDateInBase",
}


def _reported(found: list[_Element]) -> Decimal | None:
    """What the cash report says moved in dollars, less the daily marks of futures; None without a report."""
    reports = {one["currency"].upper(): one for one in found if one.tag == _REPORT}
    one = reports.get("USD") or reports.get("BASE_SUMMARY")
    if one is None:
        return None
    try:
        first, last = number(one["startingCash"], "startingCash"), number(one["endingCash"], "endingCash")
        marks = number(one["cashSettlingMtm"], "cashSettlingMtm") or ZERO
    except CellError:
        return None
    return None if first is None or last is None else last - first - marks


class _Context:
    """What one record needs to know of the others."""

    def __init__(self, found: list[_Element], zone: str) -> None:
        self.zone = zone
        trades = [one for one in found if one.tag in {"Trade", "Order"}]
        self.executions = any(_level(one) == "EXECUTION" for one in trades)
        self.details = any(
            one.tag == "CashTransaction" and one["levelOfDetail"].upper() == "DETAIL" for one in found
        )
        self.booked = {
            (one["symbol"], one["accountId"]): one.line
            for one in trades
            if one["transactionType"] == "BookTrade"
        }
        self.funds: dict[str, Decimal] = {}
        for one in found:
            if one.tag == _FUNDS and (known := one["tradeID"] or one["transactionID"]):
                try:
                    self.funds[known] = self.funds.get(known, ZERO) + (
                        number(one["amount"], "amount") or ZERO
                    )
                except CellError:
                    continue

    def read(self, one: _Element) -> BrokerRow:
        record = one.record()
        if one.tag == "CashTransaction":
            return self._moved(one, record)
        if one.tag == _REPORT:
            return plain(record, RowKind.NOTE, "The broker's cash report.")
        if one.tag == _FUNDS or one.tag in _SUMMARIES:
            return plain(record, RowKind.NOTE, "Beside the executions; not a transaction of its own.")
        if one.tag == "OptionEAE":
            return self._eae(one, record)
        level = _level(one)
        if level != ("EXECUTION" if self.executions else "ORDER"):
            return plain(record, RowKind.NOTE, f"{level} row; the executions are imported.")
        return self._trade(one, record)

    def _moved(self, one: _Element, record: Cells) -> BrokerRow:
        """A movement of cash; sums beside their details are left aside, other currencies are asked about."""
        if self.details and one["levelOfDetail"].upper() == "SUMMARY":
            return plain(record, RowKind.NOTE, "A sum; its details are recorded.")
        amount, kind = number(one["amount"], "amount"), one["type"]
        if one["currency"].upper() not in {"", "USD"}:
            raise CellError(f"{one['currency'][:8]} is not dollars: say how many dollars it was.", "currency")
        moment, day = _when(one["dateTime"] or one["reportDate"] or one["settleDate"], self.zone)
        sides = known_sides(_MOVEMENTS, kind)
        of_contract = one["symbol"] and one["assetCategory"].upper() in _OF_CONTRACTS
        doubt = ""
        if of_contract and sides in (TRANSFER, INTEREST_EARNED, INTEREST_PAID):
            doubt = f"{kind} of the contract {one['symbol'][:30]}: say what it is."
        elif kind.lower() == "other fees" and "commission" in one["description"].lower():
            doubt = "The fills state their commissions already: say what this fee is."
        text = " ".join(filter(None, (one["symbol"], one["description"] or kind)))
        known = one["transactionID"]
        return movement(
            record, kind, text, amount, sides, moment=moment, day=day, doubt=doubt,
            identity=f"c{known}" if known else "",
        )  # fmt: skip

    def _trade(self, one: _Element, record: Cells) -> BrokerRow:
        spec = self._spec(one)
        quantity = whole(one["quantity"], "quantity")
        side = one["buySell"].upper()
        if not quantity or (side and (quantity > 0) != side.startswith("BUY")):
            raise CellError(f"quantity {one['quantity'][:20]} contradicts {side or 'zero'}.", "quantity")
        fees = -(number(one["ibCommission"], "ibCommission") or ZERO) - (
            number(one["taxes"], "taxes") or ZERO
        )
        price = number(one["tradePrice"], "tradePrice")
        if price is None or price < 0:
            raise CellError("tradePrice is missing or negative.", "tradePrice")
        effect = {"O": "open", "C": "close"}.get(one["openCloseIndicator"].upper()[:1], "")
        codes = set(re.split(r"[;,\s]+", one["notes"]))
        kind, moment, day = RowKind.FILL, None, None
        booked = one["transactionType"] == "BookTrade"
        if booked and spec.kind is InstrumentKind.FUTURE:
            if not price:
                raise CellError("The settlement price of the future is missing.", "tradePrice")
            kind, effect, moment = RowKind.SETTLEMENT, "close", settlement_of(spec)
        elif booked and price == 0:
            effect, moment = "close", settlement_of(spec)
            if codes & {"A", "Ex"}:
                kind, price = RowKind.SETTLEMENT, self._settled(one, quantity, spec)
            elif "Ep" in codes:
                kind = RowKind.EXPIRY
            else:
                raise CellError(f"Book trade at price 0 with notes {one['notes'][:20]!r}.", "notes")
        else:
            moment, day = _when(one["dateTime"] or one["tradeDate"], self.zone)
        if spec.kind is InstrumentKind.FUTURE:  # its gain comes with the daily marks, not with the fill
            return BrokerRow(
                one.line, record.raw, kind, legs=(RowLeg(spec, quantity, price, effect),), fees=fees,
                cash=-fees, moment=moment, day=day, order_id=one["brokerageOrderID"],
                external_id=_identity(one),
            )  # fmt: skip
        cash = self._cash(one, -quantity * price * spec.multiplier - fees, kind)
        gap = cash - (-quantity * price * spec.multiplier - fees)
        return BrokerRow(
            one.line, record.raw, kind, legs=(RowLeg(spec, quantity, price, effect),), fees=fees - gap,
            cash=cash, moment=moment, day=day, order_id=one["brokerageOrderID"], external_id=_identity(one),
        )  # fmt: skip

    def _cash(self, one: _Element, own: Decimal, kind: RowKind) -> Decimal:
        stated = number(one["netCash"], "netCash") if kind is RowKind.FILL else None
        if stated is None:
            return own
        if abs(stated - own) > Decimal("0.02"):
            raise CellError(f"netCash {stated} is not quantity × price − costs ({own}).", "netCash")
        return stated

    def _settled(self, one: _Element, quantity: int, spec: ContractSpec) -> Decimal:
        """Price of a cash settlement: from the statement of funds, else from basis and realized."""
        known = one["tradeID"] or one["transactionID"]
        if known and self.funds.get(known):
            gross = -self.funds[known]
        else:
            basis = number(one["costBasis"] or one["cost"], "costBasis")
            realized = number(one["fifoPnlRealized"], "fifoPnlRealized")
            if basis is None or realized is None:
                raise CellError(
                    "The cash of this settlement is not in the file (costBasis, fifoPnlRealized).",
                    "costBasis",
                )
            gross = basis - realized
        price = round(gross / (quantity * spec.multiplier), 6)
        if price < 0:
            raise CellError("Cost basis and realized profit give a negative settlement.", "costBasis")
        return price

    def _spec(self, one: _Element) -> ContractSpec:
        category, symbol = one["assetCategory"].upper(), one["symbol"]
        if category in {"OPT", "STK"}:
            return read_symbol(symbol)
        if category == "FUT" and symbol.upper().startswith("VX"):
            if one["multiplier"] not in {"", "1000"}:
                raise OutsideError("Mini VX futures are not kept in this journal.")
            moment, day = _when(one["expiry"] or one["dateTime"] or one["tradeDate"], self.zone)
            day = day or (moment.astimezone(NEW_YORK).date() if moment else None)
            if one["expiry"] and day is not None:
                return listed(vx_future(day))
            if (found := read_future(symbol, day)) is not None:
                return found
        raise OutsideError(f"{category or 'unnamed'} {symbol} is not kept in this journal.")

    def _eae(self, one: _Element, record: Cells) -> BrokerRow:
        spec = self._spec(one)
        if line := self.booked.get((one["symbol"], one["accountId"])):
            return plain(record, RowKind.NOTE, f"The book trade on line {line} closes the contracts.")
        what = one["transactionType"].lower()
        if not what.startswith("expir"):
            raise CellError(
                f"{one['transactionType'][:30]!r} without the book trade that states its cash.",
                "transactionType",
            )
        count = abs(whole(one["quantity"], "quantity"))
        if not count:
            raise CellError("quantity is zero.", "quantity")
        leg = RowLeg(spec, count, ZERO, "close", signed=False)
        return BrokerRow(
            one.line, record.raw, RowKind.EXPIRY, legs=(leg,), cash=ZERO, moment=settlement_of(spec),
            external_id=f"e{_identity(one)}" if _identity(one) else "",
        )  # fmt: skip


def _net(one: _Element) -> Decimal | None:
    """What a record that is not recorded moved in dollars; None where it does not say."""
    if one["currency"].upper() not in {"", "USD"} or one.tag not in {"Trade", "CashTransaction"}:
        return None
    if one.tag == "CashTransaction":
        return number(one["amount"], "amount")
    return number(one["netCash"], "netCash") if one["assetCategory"].upper() in {"OPT", "STK"} else None


def _level(one: _Element) -> str:
    stated = one["levelOfDetail"].upper()
    return stated or ("ORDER" if one.tag == "Order" else "EXECUTION")


def _identity(one: _Element) -> str:
    return (
        f"t{one['tradeID']}"
        if one["tradeID"]
        else (f"x{one['transactionID']}" if one["transactionID"] else "")
    )


def _when(text: str, zone: str) -> tuple[datetime | None, date | None]:
    """A moment, or the day alone where the file gives no time."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise CellError(f"dateTime: {text[:40]!r} is not a time.", "dateTime")
    year, month, day, hour, minute, second = match.groups()
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        raise CellError(f"dateTime: {text[:40]!r} is not a date.", "dateTime") from None
    if hour is None:
        return None, found
    return local_moment(found, f"{hour}:{minute}:{second}", zone, "dateTime"), None
