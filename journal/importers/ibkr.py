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
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Protocol
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

_STATED = {"Trade", "Order", "TradeConfirm", "OptionEAE", "CashTransaction"}
#: A trade confirmation says the same as a trade in other words.
_CONFIRMED = {"price": "tradePrice", "commission": "ibCommission", "tax": "taxes", "code": "notes"}
_SUMMARIES = {"SymbolSummary", "AssetSummary", "Lot", "WashSale"}
_WRAPPERS = {"FlexQueryResponse", "FlexStatements", "FlexStatement"}
_FUNDS = "StatementOfFundsLine"
_REPORT = "CashReportCurrency"
_CLOCK = r"(?:[;, T]+(?P<clock>[0-9]{2}:?[0-9]{2}:?[0-9]{2}))?(?: (?P<zone>[A-Z]{2,4}))?"
_MOMENT = re.compile(rf"(?P<y>[0-9]{{4}})-?(?P<m>[0-9]{{2}})-?(?P<d>[0-9]{{2}}){_CLOCK}")
_NAMED_MONTH = re.compile(rf"(?P<d>[0-9]{{1,2}})-(?P<m>[A-Za-z]{{3}})-(?P<y>[0-9]{{4}}|[0-9]{{2}}){_CLOCK}")
_SLASHED = re.compile(rf"(?P<a>[0-9]{{1,2}})/(?P<b>[0-9]{{1,2}})/(?P<y>[0-9]{{4}}|[0-9]{{2}}){_CLOCK}")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
#: Hours from UTC of the zones that a query may write behind its times.
_ZONES = {
    "UTC": 0, "GMT": 0, "BST": 1, "CET": 1, "CEST": 2, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "HKT": 8, "SGT": 8, "AEST": 10, "AEDT": 11,
}  # fmt: skip
_DATED = ("dateTime", "tradeDate", "reportDate", "settleDate", "expiry", "date")
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
class FlexElement:
    """One record of a query with its attributes, wherever it stood."""

    tag: str
    line: int
    values: dict[str, str]

    def record(self) -> Cells:
        """The element as cells, for people."""
        return Cells(
            self.line, (self.tag, *(f"{name}={value}" for name, value in self.values.items() if value))
        )

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "").strip()


class Collected(Protocol):
    """Elements that are records, how often others stand there, and the accounts named."""

    found: list[FlexElement]
    other: Counter[str]
    accounts: set[str]


class _Collector(ContentHandler):
    """Keeps the elements that are records, counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[FlexElement] = []
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
            if attrs.getLength() and name not in _WRAPPERS:
                self.other[name] += 1
            return
        if not attrs.getLength():
            return  # a section of the same name
        line = self._locator.getLineNumber() or 0 if self._locator is not None else 0
        if len(self.found) >= MAX_ROWS:
            raise FileError(f"The file has more than {MAX_ROWS:,} rows.", line=line)
        if attrs.getLength() > _MAX_ATTRIBUTES or any(len(value) > MAX_CELL for value in attrs.values()):
            raise FileError("An element is longer than any broker writes.", line=line)
        values = dict(attrs.items())
        if name == "TradeConfirm":
            name, values = "Trade", {_CONFIRMED.get(key, key): value for key, value in values.items()}
        self.found.append(FlexElement(name, line, values))


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
    return read_elements(seen, zone=zone, layout="Flex XML")


def read_elements(seen: Collected, *, zone: str, layout: str) -> BrokerFile:
    """The rows of collected elements, whatever wrote them down. Raises FileError where none is a trade."""
    if len(seen.accounts) > 1:
        raise FileError(
            "The file holds several accounts: " + ", ".join(sorted(seen.accounts)[:5]) + ". Export one."
        )
    levels = {_level(one) for one in seen.found if one.tag in {"Trade", "Order"}}
    if levels and not levels & {"EXECUTION", "ORDER"}:
        raise FileError(
            "The query gives sums of trades, no executions: choose Executions among the options of its "
            "Trades section, run it again and import that file."
        )
    context = _Context(seen.found, zone, _day_first(seen.found))
    rows = [guarded(one.record(), partial(context.read, one), partial(_net, one)) for one in seen.found]
    skipped = [f"{count} {name}" for name, count in sorted(seen.other.items())]
    remarks = [f"Not transactions, left aside: {', '.join(skipped)}."] if skipped else []
    return BrokerFile(Broker.IBKR, layout, rows, remarks=remarks, stated=_reported(seen.found))


def _reported(found: list[FlexElement]) -> Decimal | None:
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

    def __init__(self, found: list[FlexElement], zone: str, day_first: bool | None) -> None:
        self.when = partial(_when, zone=zone, day_first=day_first)
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
            if one.tag != _FUNDS or not (known := self._funds_key(one)):
                continue
            try:
                self.funds[known] = self.funds.get(known, ZERO) + (number(one["amount"], "amount") or ZERO)
            except CellError:
                continue

    def _funds_key(self, one: FlexElement) -> str:
        """What a line of the statement of funds is about: its id, else its contract and day."""
        if known := one["tradeID"] or one["transactionID"]:
            return known
        if not one["symbol"]:
            return ""
        try:
            moment, day = self.when(one["reportDate"] or one["date"] or one["dateTime"] or one["tradeDate"])
        except CellError:
            return ""
        found = day or (moment.astimezone(NEW_YORK).date() if moment else None)
        return f"{one['symbol']} {found}"

    def read(self, one: FlexElement) -> BrokerRow:
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

    def _moved(self, one: FlexElement, record: Cells) -> BrokerRow:
        """A movement of cash; sums beside their details are left aside, other currencies are asked about."""
        if self.details and one["levelOfDetail"].upper() == "SUMMARY":
            return plain(record, RowKind.NOTE, "A sum; its details are recorded.")
        amount, kind = number(one["amount"], "amount"), one["type"]
        if one["currency"].upper() not in {"", "USD"}:
            raise CellError(f"{one['currency'][:8]} is not dollars: say how many dollars it was.", "currency")
        moment, day = self.when(one["dateTime"] or one["reportDate"] or one["settleDate"])
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

    def _trade(self, one: FlexElement, record: Cells) -> BrokerRow:
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
            moment, day = self.when(one["dateTime"] or one["tradeDate"])
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

    def _cash(self, one: FlexElement, own: Decimal, kind: RowKind) -> Decimal:
        stated = number(one["netCash"], "netCash") if kind is RowKind.FILL else None
        if stated is None:
            return own
        if abs(stated - own) > Decimal("0.02"):
            raise CellError(f"netCash {stated} is not quantity × price − costs ({own}).", "netCash")
        return stated

    def _settled(self, one: FlexElement, quantity: int, spec: ContractSpec) -> Decimal:
        """Price of a cash settlement: from the statement of funds, else from basis and realized."""
        known = one["tradeID"] or one["transactionID"]
        stated = self.funds.get(known) if known else None
        stated = stated or self.funds.get(f"{one['symbol']} {spec.expiry}")
        if stated:
            gross = -stated
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

    def _spec(self, one: FlexElement) -> ContractSpec:
        category, symbol = one["assetCategory"].upper(), one["symbol"]
        if category in {"OPT", "STK"}:
            return read_symbol(symbol)
        if category == "FUT" and symbol.upper().startswith("VX"):
            if one["multiplier"] not in {"", "1000"}:
                raise OutsideError("Mini VX futures are not kept in this journal.")
            moment, day = self.when(one["expiry"] or one["dateTime"] or one["tradeDate"])
            day = day or (moment.astimezone(NEW_YORK).date() if moment else None)
            if one["expiry"] and day is not None:
                return listed(vx_future(day))
            if (found := read_future(symbol, day)) is not None:
                return found
        raise OutsideError(f"{category or 'unnamed'} {symbol} is not kept in this journal.")

    def _eae(self, one: FlexElement, record: Cells) -> BrokerRow:
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


def _net(one: FlexElement) -> Decimal | None:
    """What a record that is not recorded moved in dollars; None where it does not say."""
    if one["currency"].upper() not in {"", "USD"} or one.tag not in {"Trade", "CashTransaction"}:
        return None
    if one.tag == "CashTransaction":
        return number(one["amount"], "amount")
    return number(one["netCash"], "netCash") if one["assetCategory"].upper() in {"OPT", "STK"} else None


def _level(one: FlexElement) -> str:
    stated = one["levelOfDetail"].upper()
    return stated or ("ORDER" if one.tag == "Order" else "EXECUTION")


def _identity(one: FlexElement) -> str:
    return (
        f"t{one['tradeID']}"
        if one["tradeID"]
        else (f"x{one['transactionID']}" if one["transactionID"] else "")
    )


def _day_first(found: list[FlexElement]) -> bool | None:
    """How the file writes slashed dates, decided by all of them: day first, month first, or undecided."""
    first, second = 0, 0
    for one in found:
        for name in _DATED:
            if match := _SLASHED.fullmatch(one[name]):
                first, second = max(first, int(match["a"])), max(second, int(match["b"]))
    if first > 12 and second > 12:
        raise FileError("Some dates of the file have the day first, others the month: it cannot be read.")
    return True if first > 12 else False if second > 12 else None


def _when(text: str, *, zone: str, day_first: bool | None) -> tuple[datetime | None, date | None]:
    """A moment, or the day alone where the file gives no time; a zone beside the time wins over ``zone``."""
    match = _MOMENT.fullmatch(text) or _NAMED_MONTH.fullmatch(text) or _SLASHED.fullmatch(text)
    if match is None:
        raise CellError(f"dateTime: {text[:40]!r} is not a time.", "dateTime")
    found, parts = _day_of(match, text, day_first), match.groupdict()
    if parts["clock"] is None:
        return None, found
    hour, minute, second = re.findall("[0-9]{2}", parts["clock"])
    if not parts["zone"]:
        return local_moment(found, f"{hour}:{minute}:{second}", zone, "dateTime"), None
    if parts["zone"] not in _ZONES:
        raise CellError(f"dateTime: the zone {parts['zone']} is not known.", "dateTime")
    offset = timezone(timedelta(hours=_ZONES[parts["zone"]]))
    try:
        moment = datetime(
            found.year, found.month, found.day, int(hour), int(minute), int(second), tzinfo=offset
        )
    except ValueError:
        raise CellError(f"dateTime: {text[:40]!r} is not a time.", "dateTime") from None
    return moment, None


def _day_of(match: re.Match[str], text: str, day_first: bool | None) -> date:
    parts = match.groupdict()
    year = int(parts["y"]) + (2000 if len(parts["y"]) == 2 else 0)
    if "a" in parts:
        if day_first is None:
            raise CellError(
                f"dateTime: {text[:20]!r} may be of two days; set the date format of the query to yyyyMMdd.",
                "dateTime",
            )
        day, month = (parts["a"], parts["b"]) if day_first else (parts["b"], parts["a"])
    else:
        day, month = parts["d"], parts["m"]
    try:
        return date(year, int(month) if month.isdigit() else _MONTHS.index(month.upper()) + 1, int(day))
    except ValueError:
        raise CellError(f"dateTime: {text[:40]!r} is not a date.", "dateTime") from None
