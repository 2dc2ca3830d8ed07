"""Open trades of all accounts as arrays, read in a number of queries that does not grow with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

import numpy as np

from hedging.engine.pricing.firm import CONDOR, HEDGE, OTHER, FirmBook
from hedging.maths.arrays import Floats, Ints
from hedging.models import Contract
from hedging.services.snapshots.contracts import contract_spec
from journal.bulk_rows import one_server_process, read_rows
from journal.models import Account, Fill, Trade
from journal.selectors.book.trades import position_of

_ROLES = {Trade.Kind.CONDOR: CONDOR, Trade.Kind.HEDGE: HEDGE}
_LEGS = """
    SELECT f.trade_id, f.contract_id, CAST(SUM(f.quantity) AS BIGINT)
    FROM journal_fill f
    JOIN journal_trade t ON t.id = f.trade_id
    JOIN journal_account a ON a.id = t.account_id
    WHERE t.status = 'open' AND a.archived_at IS NULL AND a.is_demo = %s
    GROUP BY f.trade_id, f.contract_id HAVING SUM(f.quantity) <> 0
"""


@dataclass(frozen=True, slots=True, eq=False)
class FirmBooks:
    """The accounts, by primary key, and their open trades as the engine takes them.

    ``trade_ids`` name the trades of ``book``, in its order.
    """

    accounts: tuple[Account, ...]
    trade_ids: tuple[UUID, ...]
    book: FirmBook


def firm_books(*, simulated: bool) -> FirmBooks:
    """Open trades of all accounts that are not archived, real or of the demo."""
    accounts = tuple(Account.objects.filter(archived_at__isnull=True, is_demo=simulated).order_by("pk"))
    place = {account.pk: i for i, account in enumerate(accounts)}
    mine = Trade.objects.filter(account__archived_at__isnull=True, account__is_demo=simulated, status="open")
    trades = list(mine.order_by("pk").values_list("pk", "account_id", "kind", "net_cash", "fees_total"))
    with one_server_process():
        trade_id, contract_id, quantity = read_rows(_LEGS, [simulated], ("uuid", "int8", "int8"))
    ids = np.array([pk.bytes for pk, *_ in trades], "V16").view("S16")
    trade = np.searchsorted(ids, trade_id.view("S16")) if len(ids) else np.zeros(0, np.int64)
    known, contract = np.unique(contract_id, return_inverse=True)
    rows = Contract.objects.in_bulk(known.tolist())
    book = FirmBook(
        contracts=tuple(contract_spec(rows[pk]) for pk in known.tolist()),
        accounts=len(accounts),
        account=np.array([place[account] for _, account, *_ in trades], dtype=np.int64),
        role=np.array([_ROLES.get(Trade.Kind(kind), OTHER) for _, _, kind, *_ in trades], dtype=np.int64),
        paid=np.array([float(cash - fees) for *_, cash, fees in trades], dtype=np.float64),
        trade=trade.astype(np.int64),
        contract=contract.astype(np.int64),
        quantity=quantity.astype(np.float64),
        entry_price=_entries([pk for pk, *_ in trades], trade, contract_id, rows),
    )
    return FirmBooks(accounts, tuple(pk for pk, *_ in trades), book)


def _entries(ids: Sequence[UUID], trade: Ints, contract_id: Ints, rows: dict[int, Contract]) -> Floats:
    """Average open price of futures in points; of anything else the value does not need it."""
    found = np.zeros(len(trade))
    futures = np.isin(contract_id, [pk for pk, row in rows.items() if row.kind == "future"])
    if not futures.any():
        return found
    wanted = {ids[i] for i in np.unique(trade[futures])}
    fills = Fill.objects.filter(trade__in=wanted, contract__kind="future").select_related("contract")
    entry = {}
    for trade_id, group in groupby(fills.order_by("trade_id"), key=lambda fill: fill.trade_id):
        for leg in position_of(group).legs:
            entry[trade_id, leg.spec.symbol] = float(leg.entry_price)
    for i in np.flatnonzero(futures):
        found[i] = entry[ids[trade[i]], rows[int(contract_id[i])].symbol]
    return found
