"""A large broker file read and recorded as a worker does it: ``python -m bench imports [--sqlite]``.

Years of a tastytrade account: iron condors closed early, rolled, expired or settled in cash, shares that the
journal does not keep, deposits and interest. The two jobs run here one after the other, with their progress;
the limits are 20 s for both together and 512 MiB.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from datetime import time as clock
from pathlib import Path
from typing import Any

ROWS = 50_000
LIMIT_SECONDS, LIMIT_MIB = 20.0, 512
_HEADER = (
    "Date,Type,Sub Type,Action,Symbol,Instrument Type,Description,Value,Quantity,Average Price,Commissions,"
    "Fees,Multiplier,Root Symbol,Underlying Symbol,Expiration Date,Strike Price,Call or Put,Order #,Total,"
    "Currency"
)
_FIRST = date(2019, 1, 2)


def main(arguments: list[str] | None = None) -> int:
    """Print what both jobs took; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench imports", description="A large broker file.")
    parser.add_argument("--sqlite", action="store_true", help="SQLite in place of PostgreSQL")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of the file, {ROWS:,} by default")
    options = parser.parse_args(arguments)
    from bench.servers import site

    site(sqlite=options.sqlite)
    data = tastytrade_file(options.rows)
    database = "SQLite" if options.sqlite else "PostgreSQL"
    print(f"{options.rows:,} rows, {len(data) / 2**20:.1f} MiB, {database}, load {os.getloadavg()[0]:.2f}")
    return _measure(data)


def _measure(data: bytes) -> int:
    """Read and record the file in an empty account, in the jobs of the site."""
    from journal.models import Fill, Trade, User
    from journal.services.imports.commit import import_commit

    user = User.objects.create_user("bench", "bench@example.org")
    batch = uploaded(user, data)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # making the file is none of its memory
    read = timed("read", lambda: _run(batch.job_id))
    batch.refresh_from_db()
    batch = import_commit(user=user, batch=batch, version=batch.version)
    recorded = timed("recorded", lambda: _run(batch.job_id))
    batch.refresh_from_db()
    peak = peak_mib()
    print(", ".join(f"{count:,} {status}" for status, count in batch.counts.items() if count))
    print(
        f"{Trade.objects.count():,} trades, {Fill.objects.count():,} fills, "
        f"{batch.plan['roll_count']:,} rolls, cash {batch.plan['cash']}"
    )
    print(f"peak memory {peak:.0f} MiB, limit {LIMIT_MIB}: {'met' if peak <= LIMIT_MIB else 'MISSED'}")
    took = read + recorded
    print(f"in all {took:.1f} s, limit {LIMIT_SECONDS:.0f} s: {'met' if took <= LIMIT_SECONDS else 'MISSED'}")
    return int(took > LIMIT_SECONDS or peak > LIMIT_MIB)


def uploaded(user: Any, data: bytes) -> Any:
    """A file on its way into a new account of the user."""
    from journal import job_handlers  # noqa: F401 - registers them
    from journal.services.accounts import account_create
    from journal.services.imports.stage import import_upload

    account = account_create(
        user=user, name="Bench", broker="tastytrade", number_masked="", base_capital=1_000_000,
        fee_per_option=0, fee_per_future=0,
    )  # fmt: skip
    return import_upload(user=user, account=account, filename="large.csv", data=data)


def recorded(user: Any, rows: int) -> None:
    """Read and record a history of so many rows in a new account of the user."""
    from journal.services.imports.commit import import_commit

    batch = uploaded(user, tastytrade_file(rows))
    _run(batch.job_id)
    batch.refresh_from_db()
    batch = import_commit(user=user, batch=batch, version=batch.version)
    _run(batch.job_id)


def _run(job_id: Any) -> None:
    from hedging.jobs.engine import job_run
    from hedging.models import Job

    job_run(job_id)
    job = Job.objects.get(pk=job_id)
    if job.state != Job.State.DONE:
        raise RuntimeError(f"the job ended as {job.state}: {job.error}")


def timed(what: str, run: Callable[[], None]) -> float:
    """Seconds on the wall; printed beside the processor time of this process."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    took = time.perf_counter() - wall
    print(f"{what:9} {took:5.1f} s, {time.process_time() - processor:5.1f} s of this process")
    return took


def peak_mib() -> float:
    """The most memory this process held since it was told to forget that."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def tastytrade_file(rows: int) -> bytes:
    """A tastytrade history with ``Total`` of so many rows under its header, newest first, always the same."""
    lines = [line for _, line in zip(range(rows), _Writer().lines(), strict=False)]
    return "\n".join([_HEADER, *reversed(lines), ""]).encode()


@dataclass(frozen=True)
class _Condor:
    """An open condor: its expiry, strikes from low to high, and how many."""

    expiry: date
    strikes: tuple[int, int, int, int]
    count: int


class _Writer:
    """Writes an account's life, session by session."""

    def __init__(self) -> None:
        self._dice = random.Random(7)
        self._order = 100_000_000

    def lines(self) -> Iterator[str]:
        """Rows from the first session on, without end."""
        from hedging.selectors.calendar import LAST_DAY, sessions_between

        days = sessions_between(_FIRST, LAST_DAY)
        held: list[_Condor] = []
        level = 2_500.0
        for at, day in enumerate(days):
            level = min(9_000.0, max(2_000.0, level * self._dice.gauss(1.0004, 0.01)))
            body = round(level / 5) * 5
            for _ in range(4):
                held.append(self._condor(days[at + self._dice.randrange(1, 12)], body))
                yield from self._trade(day, held[-1], "OPEN")
            for condor in [one for one in held if one.expiry == day]:
                held.remove(condor)
                yield from self._settle(day, condor, body)
            for condor in held[:2] if at % 2 else ():
                held.remove(condor)
                yield from self._trade(day, condor, "CLOSE")
                if self._dice.random() < 0.3:
                    held.append(self._condor(days[at + 12], body))
                    yield from self._trade(day, held[-1], "OPEN", same_order=True)
            if at % 5 == 0:
                yield self._shares(day)
            if at % 20 == 0:
                yield self._cash(day, "Deposit", 2_500)
                yield self._cash(day, "Credit Interest", 12.34)

    def _condor(self, expiry: date, body: int) -> _Condor:
        reach = self._dice.randrange(5, 40) * 5
        return _Condor(
            expiry,
            (body - reach - 50, body - reach, body + reach, body + reach + 50),
            self._dice.randint(1, 5),
        )

    def _trade(self, day: date, condor: _Condor, effect: str, *, same_order: bool = False) -> Iterator[str]:
        """The four legs of an order, in one second of the session."""
        if not same_order:
            self._order += 1
            self._clock = clock(
                10 + self._dice.randrange(3), self._dice.randrange(60), self._dice.randrange(60)
            )
        for place, strike in enumerate(condor.strikes):
            buys = (place in {0, 3}) == (effect == "OPEN")
            side = "BUY" if buys else "SELL"
            price = self._dice.randrange(100 if place in {0, 3} else 300, 2_000, 5)
            value = (-price if buys else price) * condor.count
            commission = -condor.count if effect == "OPEN" else 0
            yield self._row(
                f"{day}T{self._clock}-0500,Trade,{side.title()} to {effect.title()},{side}_TO_{effect}",
                condor, place, strike, f"{value:,}.00", f"{price:.2f}", commission, f"{self._order}",
                value + commission, -0.62 * condor.count,
            )  # fmt: skip

    def _settle(self, day: date, condor: _Condor, body: int) -> Iterator[str]:
        """Each leg expires worthless or is settled in cash, by a removal and the row of its cash."""
        for place, strike in enumerate(condor.strikes):
            worth = (strike - body if place < 2 else body - strike) * 100 * condor.count
            long = place in {0, 3}
            when = f"{day}T17:00:00-0500,Receive Deliver"
            if worth <= 0:
                side = "SELL" if long else "BUY"
                start = f"{when},Expiration,{side}_TO_CLOSE"
                yield self._row(start, condor, place, strike, "0.00", "0.00", 0, "", 0, 0)
                continue
            what, value = ("Exercise", worth) if long else ("Assignment", -worth)
            yield self._row(f"{when},{what},", condor, place, strike, "0.00", "0.00", 0, "", 0, 0)
            cash = f"{when},Cash Settled {what},"
            yield self._row(cash, condor, place, strike, f"{value:,}.00", "0.00", 0, "", value, -5)

    def _row(
        self,
        start: str,
        condor: _Condor,
        place: int,
        strike: int,
        value: str,
        price: str,
        commission: int,
        order: str,
        moved: float,
        fees: float,
    ) -> str:
        letter, word = ("P", "PUT") if place < 2 else ("C", "CALL")
        expiry = condor.expiry
        symbol = f"SPXW  {expiry:%y%m%d}{letter}{strike * 1000:08d}"
        said = f"{condor.count} SPXW {expiry:%m/%d/%y} {word.title()} {strike}.00 @ {price}"
        return (
            f'{start},{symbol},Equity Option,{said},"{value}",{condor.count},{price},{commission}.00,'
            f'{fees:.2f},100,SPXW,SPX,{expiry:%-m/%d/%y},{strike},{word},{order},"{moved + fees:,.2f}",USD'
        )

    def _shares(self, day: date) -> str:
        return (
            f"{day}T11:00:00-0500,Trade,Buy to Open,BUY_TO_OPEN,SPY,Equity,Bought 10 SPY @ 400.00,"
            '"-4,000.00",10,-400.00,0.00,-0.01,,,,,,,7,"-4,000.01",USD'
        )

    def _cash(self, day: date, what: str, amount: float) -> str:
        return (
            f'{day}T22:00:00-0500,Money Movement,{what},,,,{what},"{amount:,.2f}",0,,--,0.00,,,,,,,,'
            f'"{amount:,.2f}",USD'
        )


if __name__ == "__main__":
    sys.exit(main())
