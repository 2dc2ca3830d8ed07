"""One session of many accounts at once: unique contracts priced once, legs only multiply and add.

The figures and hashes are those of ``journal.services.attribution.jobs``. Accounts whose legs have no mark at
the session before, or a settlement somebody typed in, need their history and are left to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Q

from hedging.engine.results.attribution import Fills, Legs, MarkTable, leg_days, micro
from hedging.engine.results.effects import States, Terms
from hedging.jobs.context import JobContext
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import accounts_scope
from hedging.maths.arrays import Ints
from hedging.models import Contract, ContractMark, Job
from hedging.selectors.calendar import previous_session
from hedging.services.snapshots.closes import closings
from hedging.services.snapshots.marks import contract_marks
from journal.bulk_rows import one_server_process, read_rows
from journal.job_kinds import ATTRIBUTE_DAY
from journal.models import Account, AttributionDay, CapitalDay, DailyMark, Fill, Trade
from journal.services.attribution.build import contract_facts
from journal.services.attribution.capital_days import capital_rows
from journal.services.attribution.days import BookRows, DaySummary, LegFacts, summaries
from journal.services.attribution.jobs import attribution_request
from journal.services.attribution.rows import write_marks

#: Accounts of one job: each reads the contracts' marks anew, so small ones read more than they write.
PART = 1_000
_BATCH = 1_000
_POSITIONS = """
    SELECT f.account_id, f.trade_id, f.contract_id, CAST(SUM(f.quantity) AS BIGINT) AS held,
           CAST(CASE t.kind WHEN 'condor' THEN 0 WHEN 'hedge_layer' THEN 1 ELSE 2 END AS BIGINT) AS role,
           CAST(COALESCE(t.layer, 0) AS BIGINT) AS layer
    FROM journal_fill f JOIN journal_trade t ON t.id = f.trade_id
    WHERE f.trade_date < %s AND {accounts}
    GROUP BY f.account_id, f.trade_id, f.contract_id, t.kind, t.layer HAVING SUM(f.quantity) <> 0
"""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch did: accounts and legs written, and those that need their history."""

    accounts: int
    legs: int
    left: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    accounts: list[Account]
    book: BookRows
    contracts: list[Contract]
    mark_rows: list[ContractMark]
    left: set[int]


def batch_day(*, day: date, accounts: Sequence[Account]) -> BatchResult:
    """Attribute a session for accounts of one kind of market (all real or all simulated) and store it.

    Accounts that changed meanwhile are skipped; unchanged results are left alone.
    """
    batch = _read(day, sorted(accounts, key=lambda account: account.pk.bytes))
    if batch is None:
        return BatchResult(0, 0, ())
    left = tuple(batch.accounts[i].pk for i in sorted(batch.left))
    found = [one for one in summaries(batch.book) if one.account not in batch.left]
    written, legs = _store(batch, found, day)
    return BatchResult(written, legs, left)


def _read(day: date, accounts: list[Account]) -> _Batch | None:
    before = previous_session(day)
    ids = np.array([account.pk.bytes for account in accounts], "V16")
    where, parameters = _filter(accounts)
    with one_server_process():
        held = read_rows(
            _POSITIONS.format(accounts=where), [day, *parameters],
            ("uuid", "uuid", "int8", "int8", "int8", "int8"),
        )  # fmt: skip
        fills = _fills(day, accounts)
    used = {*np.unique(held[2]).tolist(), *(row[2] for row in fills)}
    if not used:
        return None
    contracts = Contract.objects.in_bulk(used)
    contract_ids = sorted(contracts, key=lambda pk: contracts[pk].symbol)
    row_of = np.zeros(max(contract_ids) + 1, np.int64)
    row_of[contract_ids] = np.arange(len(contract_ids))
    keys = _leg_keys(held, fills, row_of)
    held_now = {contracts[int(pk)] for pk in np.unique(held[2])}
    simulated = accounts[0].is_demo
    stored = contract_marks(wanted={before: held_now, day: set(contracts.values())}, simulated=simulated)
    known = [mark for mark in stored if mark.price is not None]
    marks = _mark_vectors(known, row_of, before)
    facts = contract_facts([contracts[pk] for pk in contract_ids])
    legs = Legs(keys.contract, facts.multiplier[keys.contract])
    entries = _entries(keys, held, fills)
    terms = Terms(
        np.array([float(contracts[pk].strike or 0) for pk in contract_ids]),
        np.array([{"C": 1.0, "P": -1.0}.get(contracts[pk].right, 0.0) for pk in contract_ids]),
    )
    taylor = leg_days(legs, entries, marks, terms, 2)
    account_row = np.searchsorted(ids.view("S16"), keys.account.view("S16"))
    vix = [close.levels.get("VIX") for close in closings(days=[before, day], simulated=simulated).values()]
    book = BookRows(
        days=(before, day),
        first=1,
        legs=LegFacts(account_row, keys.trade, keys.role, keys.layer, legs.contract),
        contracts=facts,
        marks=marks,
        delta=np.array([np.nan if mark.delta is None else mark.delta for mark in known]),
        modelled=np.array([mark.is_modelled for mark in known], np.bool_),
        taylor=taylor,
        full=leg_days(legs, entries, marks, terms, 2, full=True),
        vix=np.array([float(level.value) if level else np.nan for level in vix]),
    )
    left = set(np.unique(account_row[taylor.leg[(taylor.day == 0) & ~taylor.known]]).tolist())
    unsettled = {(one.contract_id, one.day) for one in known}
    for account_id, _, contract_id, *_, source, _, _ in fills:
        if source == Fill.SETTLEMENT and (contract_id, day) not in unsettled:
            left.add(int(np.searchsorted(ids.view("S16"), np.array([account_id], "V16").view("S16"))[0]))
    return _Batch(
        accounts,
        book,
        [contracts[pk] for pk in contract_ids],
        known,
        left,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Keys:
    """Distinct legs in order of account, trade and contract row, and where positions and fills belong."""

    account: Any
    trade: Any
    contract: Ints
    role: Ints
    layer: Ints
    of_held: Ints
    of_fills: Ints


def _filter(accounts: Sequence[Account]) -> tuple[str, list[Any]]:
    from django.db import connection

    if connection.vendor == "postgresql":
        return "f.account_id = ANY(%s)", [[account.pk for account in accounts]]
    return f"f.account_id IN ({', '.join(['%s'] * len(accounts))})", [account.pk.hex for account in accounts]


def _fills(day: date, accounts: Sequence[Account]) -> list[tuple[Any, ...]]:
    """The session's fills with raw ids; a session has few."""
    kinds = {"condor": 0, "hedge_layer": 1, "other": 2}
    mine = Fill.objects.filter(account__in=[account.pk for account in accounts], trade_date=day)
    rows = mine.values_list(
        "account_id",
        "trade_id",
        "contract_id",
        "quantity",
        "price",
        "fees",
        "source",
        "trade__kind",
        "trade__layer",
    )
    return [
        (account.bytes, trade.bytes, contract, quantity, price, fees, source, kinds[kind], layer or 0)
        for account, trade, contract, quantity, price, fees, source, kind, layer in rows.order_by()
    ]


def _leg_keys(held: list[Any], fills: list[tuple[Any, ...]], row_of: Ints) -> _Keys:
    account = np.concatenate([held[0], np.array([row[0] for row in fills], "V16")])
    trade = np.concatenate([held[1], np.array([row[1] for row in fills], "V16")])
    numbers = [
        np.concatenate([column, np.array([row[i] for row in fills], np.int64)])
        for column, i in ((held[2], 2), (held[4], 7), (held[5], 8))
    ]
    numbers[0] = row_of[numbers[0]]
    order = np.lexsort((numbers[0], trade.view("S16"), account.view("S16")))
    sorted_trade, sorted_contract = trade[order].view("S16"), numbers[0][order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (sorted_trade[1:] != sorted_trade[:-1]) | (sorted_contract[1:] != sorted_contract[:-1])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    first = order[new]
    return _Keys(
        account[first], trade[first], numbers[0][first], numbers[1][first], numbers[2][first],
        number[: len(held[0])], number[len(held[0]) :],
    )  # fmt: skip


def _entries(keys: _Keys, held: list[Any], fills: list[tuple[Any, ...]]) -> Fills:
    """Opening positions on day 0 and the session's fills on day 1."""
    count, zeros = len(keys.of_held), np.zeros(len(keys.of_held), np.int64)
    rows = np.array([(q, micro(p), micro(f)) for _, _, _, q, p, f, *_ in fills], np.int64).reshape(-1, 3)
    return Fills(
        np.concatenate([keys.of_held, keys.of_fills]),
        np.concatenate([zeros, np.ones(len(fills), np.int64)]),
        np.concatenate([held[3], rows[:, 0]]),
        np.concatenate([zeros, rows[:, 1]]),
        np.concatenate([np.zeros(count, np.int64), rows[:, 2]]),
    )


def _mark_vectors(known: list[ContractMark], row_of: Ints, before: date) -> MarkTable:
    states = np.array([(m.forward, m.iv, m.t, m.rate) for m in known], np.float64).reshape(-1, 4)
    states[:, 3] = np.nan_to_num(states[:, 3])
    return MarkTable(
        row_of[np.array([m.contract_id for m in known], np.int64)],
        np.array([int(m.day != before) for m in known], np.int64),
        np.array([micro(m.price) for m in known if m.price is not None], np.int64),
        States(*states.T.copy()),
    )


def day_request(*, day: date, simulated: bool = False, nonce: str = "") -> list[Job]:
    """Ask the workers for a session of every account with a position or fill, in parts; once per data.

    The key holds the session's market data and the accounts of the part, so that new data asks again.
    """
    closing = closings(days=[day], simulated=simulated)[day]
    busy = Fill.objects.filter(trade_date__lte=day).filter(
        Q(trade__status=Trade.Status.OPEN) | Q(trade_date=day)
    )
    accounts = Account.objects.filter(
        archived_at__isnull=True, is_demo=simulated, pk__in=busy.values("account_id")
    )
    rows = list(accounts.order_by("pk").values_list("pk", "book_revision"))
    jobs = []
    for start in range(0, len(rows), PART):
        part = rows[start : start + PART]
        books = hashlib.sha256(repr(part).encode()).hexdigest()[:24]
        job, _ = job_request(
            kind=ATTRIBUTE_DAY,
            scope=accounts_scope(part[0][0]),
            as_of=str(day),
            input_revision=f"{closing.key()[:24]}:{books}:{nonce}"[:80],
            payload={"day": str(day), "accounts": [str(pk) for pk, _ in part]},
        )
        jobs.append(job)
    return jobs


@job_handler(ATTRIBUTE_DAY)
def attribute_day(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Attribute a session of the payload's accounts; those that need their history get a job of their own.

    What was attributed is stored before the job ends, so that a killed worker's successor finds it done.
    """
    day = date.fromisoformat(context.job.payload["day"])
    accounts = list(Account.objects.filter(pk__in=context.job.payload["accounts"]).order_by("pk"))
    context.progress(0, len(accounts), "attributing")
    result = batch_day(day=day, accounts=accounts)

    def write() -> dict[str, Any]:
        for account in Account.objects.filter(pk__in=result.left):
            attribution_request(account=account, date_from=day, date_to=day, nonce=str(context.job.pk))
        return {"accounts": result.accounts, "legs": result.legs, "by_history": len(result.left)}

    return write


@transaction.atomic
def _store(batch: _Batch, found: list[DaySummary], day: date) -> tuple[int, int]:
    """Write what came out differently; returns accounts and legs."""
    pks = [account.pk for account in batch.accounts]
    locked = Account.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    revision = dict(locked.values_list("pk", "book_revision"))
    stored = {
        account: (content, market)
        for account, content, market in AttributionDay.objects.filter(account__in=pks, day=day).values_list(
            "account_id", "content_hash", "market_hash"
        )
    }
    fresh = []
    for one in found:
        account = batch.accounts[one.account]
        hashes = (one.fields["content_hash"], one.fields["market_hash"])
        if revision.get(account.pk) == account.book_revision and stored.get(account.pk) != hashes:
            fresh.append(one)
    if not fresh:
        return 0, 0
    changed = [batch.accounts[one.account].pk for one in fresh]
    if stored:
        DailyMark.objects.filter(account__in=changed, day=day).delete()
        AttributionDay.objects.filter(account__in=changed, day=day).delete()
    CapitalDay.objects.filter(account__in=changed, day=day).delete()
    AttributionDay.objects.bulk_create(
        (
            AttributionDay(
                account=batch.accounts[one.account], day=day,
                book_revision=batch.accounts[one.account].book_revision, **one.fields,
            )
            for one in fresh
        ),
        batch_size=_BATCH,
    )  # fmt: skip
    at = np.concatenate([one.at for one in fresh])
    CapitalDay.objects.bulk_create(capital_rows(batch.book, batch.accounts, at), batch_size=_BATCH)
    legs = write_marks(
        batch.book,
        at,
        accounts=np.array([account.pk.bytes for account in batch.accounts], "V16"),
        contract_ids=np.array([contract.pk for contract in batch.contracts], np.int64),
        mark_ids=np.array([mark.pk for mark in batch.mark_rows], np.int64),
    )
    return len(fresh), legs
