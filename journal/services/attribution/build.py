"""From an account's fills and the contracts' daily marks to its attribution by leg and day."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import numpy as np

from hedging.engine.results.attribution import (
    Fills,
    LegDays,
    Legs,
    MarkTable,
    held_days,
    leg_days,
    micro,
)
from hedging.engine.results.effects import States, Terms
from hedging.models import Contract, ContractMark
from hedging.selectors.calendar import sessions_between
from hedging.services.snapshots.closes import closings
from hedging.services.snapshots.marks import contract_marks
from journal.models import Account, Fill, Trade
from journal.services.attribution.days import (
    CONDOR,
    ELSE,
    HEDGE,
    OTHER,
    SPX,
    VX,
    BookRows,
    ContractFacts,
    LegFacts,
    trade_column,
)

Progress = Callable[[int, int], None]
ROLE_CODES = {Trade.Kind.CONDOR.value: CONDOR, Trade.Kind.HEDGE.value: HEDGE, Trade.Kind.OTHER.value: OTHER}
#: Sessions a window starts before its first day, so that legs find the mark they count from.
_LEAD = 12
_LEVEL = re.compile(r" at ([0-9]+(?:\.[0-9]+)?)$")


@dataclass(frozen=True, slots=True)
class LegKey:
    """What a leg is: one contract inside one trade."""

    trade_id: UUID
    contract_id: int


@dataclass(frozen=True, slots=True, eq=False)
class AccountHistory:
    """Legs, days and their attribution; ``taylor`` and ``full`` explain the same P&L in two ways.

    ``mark_rows`` are the stored marks behind ``marks`` (None: a settlement typed in by a person), ``vix`` the
    closing VIX by day index (NaN unknown). Days before ``first`` only lead in.
    """

    account: Account
    days: tuple[date, ...]
    first: int
    legs: tuple[LegKey, ...]
    contracts: dict[int, Contract]
    trades: dict[UUID, Trade]
    marks: MarkTable
    mark_rows: tuple[ContractMark | None, ...]
    taylor: LegDays
    full: LegDays
    vix: np.ndarray[tuple[int], np.dtype[np.float64]]

    @property
    def contract_ids(self) -> list[int]:
        """Contracts in the order ``book_rows`` numbers them: by symbol."""
        return sorted({key.contract_id for key in self.legs}, key=lambda pk: self.contracts[pk].symbol)


@dataclass(frozen=True, slots=True)
class _FillRow:
    trade_id: UUID
    contract_id: int
    quantity: int
    price: Decimal
    fees: Decimal
    day: date
    source: str
    note: str


def history_build(
    *, account: Account, first: date | None, last: date, progress: Progress | None = None
) -> AccountHistory | None:
    """Attribute the account's sessions from ``first`` (None: from its first fill) to ``last``.

    None when nothing was filled by then. Marks that are missing are made and stored.
    """
    rows = _fills(account, last)
    if not rows:
        return None
    begin = min(row.day for row in rows)
    lead = begin if first is None else _lead(begin, first)
    while True:
        found = _window(account, rows, lead, first or begin, last, progress)
        if lead <= begin or not _starts_unknown(found):
            return found
        lead = begin


def book_rows(history: AccountHistory) -> BookRows:
    """The history as ``journal.services.attribution.days`` sums it."""
    ids = history.contract_ids
    contracts = [history.contracts[pk] for pk in ids]
    place = {pk: row for row, pk in enumerate(ids)}
    trades = [history.trades[key.trade_id] for key in history.legs]
    return BookRows(
        days=history.days,
        first=history.first,
        legs=LegFacts(
            account=np.zeros(len(trades), np.int64),
            trade=trade_column([trade.pk.bytes for trade in trades]),
            role=np.array([ROLE_CODES[trade.kind] for trade in trades], np.int64),
            layer=np.array([trade.layer or 0 for trade in trades], np.int64),
            contract=np.array([place[key.contract_id] for key in history.legs], np.int64),
        ),
        contracts=contract_facts(contracts),
        marks=history.marks,
        delta=np.array(
            [np.nan if mark is None or mark.delta is None else mark.delta for mark in history.mark_rows]
        ),
        modelled=np.array([mark is not None and mark.is_modelled for mark in history.mark_rows], np.bool_),
        taylor=history.taylor,
        full=history.full,
        vix=history.vix,
    )


def contract_facts(contracts: Sequence[Contract]) -> ContractFacts:
    """The unchanging part of contracts, in their order."""
    factor = {"SPX": SPX, "VIX": VX, "VX": VX}
    place = {
        key: i
        for i, key in enumerate(
            dict.fromkeys((contract.underlying, contract.expiry) for contract in contracts)
        )
    }
    return ContractFacts(
        symbol=np.array([contract.symbol for contract in contracts], "S32"),
        multiplier=np.array([contract.multiplier for contract in contracts], np.int64),
        is_future=np.array([contract.kind == "future" for contract in contracts], np.bool_),
        factor=np.array([factor.get(contract.underlying, ELSE) for contract in contracts], np.int64),
        strike=np.array([float(contract.strike or 0) for contract in contracts]),
        right=np.array([{"C": 1.0, "P": -1.0}.get(contract.right, 0.0) for contract in contracts]),
        expiry=np.array([place[contract.underlying, contract.expiry] for contract in contracts], np.int64),
    )


def _fills(account: Account, last: date) -> list[_FillRow]:
    values = Fill.objects.filter(account=account, trade_date__lte=last).values_list(
        "trade_id", "contract_id", "quantity", "price", "fees", "trade_date", "source", "note"
    )
    return [_FillRow(*row) for row in values.order_by()]


def _lead(begin: date, first: date) -> date:
    days = sessions_between(begin, first)
    return days[max(0, len(days) - _LEAD)] if days else begin


def _starts_unknown(found: AccountHistory) -> bool:
    """Whether a leg open at the window's start has no mark there to count from."""
    rows = found.taylor
    return bool(np.any((rows.day == 0) & ~rows.known))


def _window(
    account: Account, rows: Sequence[_FillRow], lead: date, first: date, last: date, progress: Progress | None
) -> AccountHistory:
    days = sessions_between(min(lead, first), last)
    keys = sorted({(row.trade_id, row.contract_id) for row in rows})
    contracts = Contract.objects.in_bulk({contract_id for _, contract_id in keys})
    keys.sort(key=lambda key: (str(key[0]), contracts[key[1]].symbol))
    fills = _vectors(rows, keys, days)
    used = np.unique(fills.leg)
    contract_ids = sorted({keys[i][1] for i in used}, key=lambda pk: contracts[pk].symbol)
    place = {pk: row for row, pk in enumerate(contract_ids)}
    legs = Legs(
        np.array([place.get(pk, 0) for _, pk in keys], np.int64),
        np.array([contracts[pk].multiplier for _, pk in keys], np.int64),
    )
    wanted: dict[date, set[Contract]] = defaultdict(set)
    for leg, day in zip(*held_days(len(keys), fills, len(days)), strict=True):
        wanted[days[day]].add(contracts[keys[leg][1]])
    stored = contract_marks(wanted=wanted, simulated=account.is_demo, progress=progress)
    marks, mark_rows = _marks(stored, rows, contracts, place, days)
    terms = Terms(
        np.array([float(contracts[pk].strike or 0) for pk in contract_ids]),
        np.array([{"C": 1.0, "P": -1.0}.get(contracts[pk].right, 0.0) for pk in contract_ids]),
    )
    count = len(days)
    trades = Trade.objects.in_bulk({trade_id for trade_id, _ in keys})
    closes = closings(days=days, simulated=account.is_demo)
    vix = [closes[day].levels.get("VIX") for day in days]
    return AccountHistory(
        account,
        days,
        bisect_left(days, first),
        tuple(LegKey(*key) for key in keys),
        contracts,
        trades,
        marks,
        mark_rows,
        leg_days(legs, fills, marks, terms, count),
        leg_days(legs, fills, marks, terms, count, full=True),
        np.array([float(level.value) if level else np.nan for level in vix]),
    )


def _vectors(rows: Iterable[_FillRow], keys: Sequence[tuple[UUID, int]], days: Sequence[date]) -> Fills:
    """Fills as vectors; those before the first day become opening positions of it."""
    place = {key: number for number, key in enumerate(keys)}
    opening: dict[int, int] = defaultdict(int)
    found: list[tuple[int, int, int, int, int]] = []
    for row in rows:
        leg = place[row.trade_id, row.contract_id]
        if row.day < days[0]:
            opening[leg] += row.quantity
            continue
        day = min(bisect_left(days, row.day), len(days) - 1)
        found.append((leg, day, row.quantity, micro(row.price), micro(row.fees)))
    found += [(leg, 0, quantity, 0, 0) for leg, quantity in opening.items() if quantity]
    columns = np.array(found, dtype=np.int64).reshape(-1, 5)
    return Fills(*(columns[:, i].copy() for i in range(5)))


def _marks(
    stored: Sequence[ContractMark],
    rows: Iterable[_FillRow],
    contracts: dict[int, Contract],
    place: dict[int, int],
    days: Sequence[date],
) -> tuple[MarkTable, tuple[ContractMark | None, ...]]:
    """Known marks as vectors: the stored ones, and settlements people typed in where none is loaded."""
    index = {day: number for number, day in enumerate(days)}
    known: list[ContractMark | None] = [mark for mark in stored if mark.price is not None]
    entries = [
        (
            place[mark.contract_id],
            index[mark.day],
            micro(mark.price),
            (mark.forward, mark.iv, mark.t, mark.rate),
        )
        for mark in known
        if mark is not None and mark.price is not None
    ]
    taken = {(contract, day) for contract, day, _, _ in entries}
    for row in rows:
        if row.source != Fill.SETTLEMENT or row.day not in index or row.contract_id not in place:
            continue
        key = (place[row.contract_id], index[row.day])
        if key not in taken:
            taken.add(key)
            entries.append((*key, micro(row.price), (_typed_level(row), None, 0.0, None)))
            known.append(None)
    columns = np.array([entry[:3] for entry in entries], dtype=np.int64).reshape(-1, 3)
    states = np.array([entry[3] for entry in entries], dtype=np.float64).reshape(-1, 4)
    # At the settlement rate and volatility are not needed; a missing rate elsewhere counts as zero.
    states[:, 3] = np.nan_to_num(states[:, 3])
    return (
        MarkTable(columns[:, 0].copy(), columns[:, 1].copy(), columns[:, 2].copy(), States(*states.T.copy())),
        tuple(known),
    )


def _typed_level(row: _FillRow) -> float | None:
    """The official level a settlement's note names, such as ``SET at 4512.33``."""
    match = _LEVEL.search(row.note)
    return float(match.group(1)) if match else None
