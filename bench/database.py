"""The whole book from the database and back: legs read, marked and attributed, one row a leg and an account.

``ours`` is ``journal.services.attribution.batch``; ``bare COPY`` moves the same rows and does nothing else:
every fill out, and the rows ours wrote back in, by PostgreSQL's binary COPY. Both begin with empty tables.
The comparison of workers goes the whole way: job rows, Redis, and Celery worker processes of one core each.
``ALVH_BENCH_ACCOUNTS`` makes a smaller book.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from bench.crew import Crew
from bench.servers import site
from bench.timing import Case, Rival, Target

ACCOUNTS = int(os.environ.get("ALVH_BENCH_ACCOUNTS", "10000"))
LEGS, PER_TRADE = 86, 4
NOW = datetime(2026, 11, 21, tzinfo=UTC)
#: A server sized for such a book: its tables and indexes fit, and no checkpoint or vacuum falls in a sample.
SETTINGS = {
    "shared_buffers": "2GB", "max_wal_size": "16GB", "checkpoint_timeout": "1h", "autovacuum": "off",
}  # fmt: skip
TABLES = ("journal_dailymark", "journal_attributionday", "journal_capitalday")


def cases() -> Iterator[Case]:
    """One case: it starts a PostgreSQL of its own and takes minutes."""
    site(**SETTINGS)
    day = _book()
    from journal.models import Account
    from journal.services.attribution.batch import PART, batch_day

    accounts = list(Account.objects.order_by("pk"))
    legs = ACCOUNTS * LEGS

    def ours() -> None:
        empty()
        for start in range(0, len(accounts), PART):
            found = batch_day(day=day, accounts=accounts[start : start + PART])
            if found.left:
                raise RuntimeError("the simulated market left a leg without a mark")

    ours()
    kept = {table: _out(f'SELECT {_columns(table)} FROM "{table}"') for table in TABLES}

    def bare() -> None:
        from django.db import connection, transaction

        empty()
        _out("SELECT * FROM journal_fill")
        with transaction.atomic():
            raw: Any = connection.connection
            for table, data in kept.items():
                with (
                    raw.cursor() as cursor,
                    cursor.copy(f'COPY "{table}" ({_columns(table)}) FROM STDIN (FORMAT BINARY)') as copy,
                ):
                    copy.write(data)

    crew = Crew(2)
    crew.ready()

    def workers(count: int) -> None:
        empty()
        crew.attribute(day, workers=count)

    yield Case(
        title=f"Attribution and capital of {ACCOUNTS:,} accounts × {LEGS} legs by Celery workers",
        count=legs,
        unit="leg",
        rivals=[
            Rival("two workers", lambda: workers(2)),
            Rival("one worker", lambda: workers(1)),
        ],
        targets=[Target("two workers", "one worker", 1.7)],
        limit="the cores: PostgreSQL's own work shares them with the workers. Counted from the request of "
        "the jobs to the end of the last one; workers had started and read their marks once before",
        wall=True,
    )
    crew.stop()
    yield Case(
        title=f"{ACCOUNTS:,} accounts × {LEGS} legs from PostgreSQL and back, attributed on one session",
        count=legs,
        unit="leg",
        rivals=[Rival("ours", ours), Rival("bare COPY", bare)],
        targets=[Target("ours", "bare COPY", 1 / 3)],
        limit="indexes and foreign keys of the written rows, which the bare copy pays as well",
        wall=True,
    )


def _book() -> Any:
    """Accounts, trades and fills on the simulated market; returns the session to attribute."""
    from django.db import connection

    from hedging.models import Contract
    from hedging.selectors.calendar import previous_session
    from hedging.services.market.simulated import simulated_last_session, simulated_market_load
    from hedging.services.snapshots.contracts import contracts_get_or_create
    from journal.bulk_rows import CopyColumn, write_rows
    from journal.models import Account, Trade

    simulated_market_load(now=NOW)
    day = simulated_last_session(NOW)
    opened = previous_session(previous_session(day))
    specs = _listed(day, opened)
    contracts: list[Contract] = list(contracts_get_or_create(specs=specs).values())
    rng = np.random.default_rng(5)
    Account.objects.bulk_create(
        (
            Account(name=f"A{i:05d}", broker="Simulated", base_capital=Decimal(250_000), is_demo=True)
            for i in range(ACCOUNTS)
        ),
        batch_size=1_000,
    )
    accounts = np.array([pk.bytes for pk in Account.objects.values_list("pk", flat=True)], "V16")
    trades_each = -(-LEGS // PER_TRADE)
    owner = np.repeat(np.arange(ACCOUNTS), trades_each)
    ids = np.array([uuid.uuid4().bytes for _ in owner], "V16")
    kinds = np.tile([Trade.Kind.CONDOR.value, Trade.Kind.HEDGE.value], len(owner))[: len(owner)]
    Trade.objects.bulk_create(
        (
            Trade(
                id=uuid.UUID(bytes=bytes(pk)), account_id=uuid.UUID(bytes=bytes(accounts[who])), kind=kind,
                layer=1 if kind == Trade.Kind.HEDGE.value else None, underlying="SPX", opened_at=NOW,
            )
            for pk, who, kind in zip(ids, owner, kinds.tolist(), strict=True)
        ),
        batch_size=5_000,
    )  # fmt: skip
    leg_trade = np.concatenate(
        [
            np.arange(a * trades_each, a * trades_each + trades_each).repeat(PER_TRADE)[:LEGS]
            for a in range(ACCOUNTS)
        ]
    )
    pick = (
        rng.integers(0, len(contracts), len(leg_trade) // PER_TRADE + 1)[:, None] + np.arange(PER_TRADE)
    ).ravel()
    chosen = np.array([contract.pk for contract in contracts])[pick[: len(leg_trade)] % len(contracts)]
    quantity = rng.choice([-3, -2, -1, 1, 2, 3], len(leg_trade))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE leg (account uuid, trade uuid, contract bigint, quantity integer)")
    connection.ensure_connection()
    write_rows(
        "leg",
        [
            CopyColumn("account", "uuid", accounts[owner[leg_trade]]),
            CopyColumn("trade", "uuid", ids[leg_trade]),
            CopyColumn("contract", "int8", chosen), CopyColumn("quantity", "int4", quantity),
        ],
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journal_fill (id, account_id, trade_id, contract_id, quantity, price, "
            "fees, executed_at, trade_date, source, external_id, note, created_at) "
            "SELECT gen_random_uuid(), account, trade, contract, quantity, 5, 1.3, %s, %s, 'bench', '', '', "
            "%s FROM leg",
            [NOW, opened, NOW],
        )
        cursor.execute("DROP TABLE leg")
        cursor.execute("ANALYZE")
    return day


def _listed(day: Any, opened: Any) -> list[Any]:
    """Some thousand contracts that the session's chain and the one before both quote."""
    from hedging.engine.instruments import option_contract
    from hedging.maths.types import Right
    from hedging.selectors.calendar import previous_session
    from hedging.services.snapshots.close_market import closing_market
    from hedging.services.snapshots.closes import closings

    before = previous_session(day)
    market = [closing_market(c).market for c in closings(days=[before, day], simulated=True).values()]
    found = []
    for key in market[1].slices:
        root, expiry = key
        if key not in market[0].slices or (expiry - day).days < 5:
            continue
        common = np.intersect1d(market[0].slices[key].strikes, market[1].slices[key].strikes)
        for strike in common[:: max(1, len(common) // 60)]:
            found += [
                option_contract(root, expiry, right, Decimal(str(strike)))
                for right in (Right.PUT, Right.CALL)
            ]
    return found


def empty(*more: str) -> None:
    """Remove every result, and the rows of ``more`` tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join((*TABLES, *more))}")


def _columns(table: str) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s "
            "ORDER BY ordinal_position",
            [table],
        )
        return ", ".join(f'"{name}"' for (name,) in cursor.fetchall() if name != "id")


def _out(sql: str) -> bytes:
    from django.db import connection

    connection.ensure_connection()
    raw: Any = connection.connection
    data = io.BytesIO()
    with raw.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)") as copy:
        for part in copy:
            data.write(part)
    return data.getvalue()
