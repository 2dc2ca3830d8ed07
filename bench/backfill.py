"""Five years of one account attributed from nothing, inside one process and by two Celery workers.

``python -m bench backfill`` starts a PostgreSQL and a Redis of its own, loads the index history of the data
folder and makes the account of ``bench.long_account``. Every sample begins without marks and without results.
Workers take the site's own jobs, a year each; their start is not counted.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from time import perf_counter, process_time

from bench.crew import Crew
from bench.database import SETTINGS, empty
from bench.servers import site

LIMIT = 30.0
SAMPLES = 3


def lines() -> Iterator[str]:
    """The report, line by line: the account, then wall and processor seconds of every sample."""
    from bench.chains import data_folder

    folder = data_folder()
    if folder is None:
        yield "no data folder: set ALVH_DATA"
        return
    site(**SETTINGS)
    from bench.long_account import FIRST, LAST, account_make, market_load
    from journal.models import Fill, Trade
    from journal.services.attribution.jobs import attribution_request, attribution_run
    from journal.services.book.settlement import settlements_book_loaded

    rows = market_load(folder)
    account = account_make()
    settled = settlements_book_loaded(accounts=[account])
    account.refresh_from_db()
    yield "### Five years of one account, attributed from nothing"
    yield ""
    yield f"- {rows:,} rows of market data, {FIRST} to {LAST} attributed"
    yield (
        f"- {Trade.objects.count():,} trades, {Fill.objects.count():,} fills, {settled} trades settled by "
        "loaded values"
    )

    def inside() -> None:
        attribution_run(account=account, date_from=FIRST, date_to=LAST)

    crew = Crew(2)
    crew.ready()
    asked = 0

    def workers() -> None:
        nonlocal asked
        asked += 1
        crew.do(
            attribution_request(account=account, date_from=FIRST, date_to=LAST, nonce=str(asked)), workers=2
        )

    found: dict[str, list[float]] = {}
    for _ in range(SAMPLES):
        for name, work, clock in (
            ("inside one process", inside, process_time),
            ("two Celery workers", workers, crew.processor_seconds),
        ):
            empty("hedging_contractmark")
            began, used = perf_counter(), clock()
            work()
            took = perf_counter() - began
            found.setdefault(name, []).append(took)
            yield f"- {name}: {took:.1f} s, {clock() - used:.1f} s of processor; {_written()}"
    inside_again = perf_counter()
    inside()
    yield f"- the same again, nothing changed: {perf_counter() - inside_again:.1f} s"
    for name, seconds in found.items():
        median = statistics.median(seconds)
        verdict = "met" if median <= LIMIT else "MISSED"
        yield f"- {name}: median {median:.1f} s, best {min(seconds):.1f} s; limit {LIMIT:g} s {verdict}"
    crew.stop()


def _written() -> str:
    from hedging.models import ContractMark
    from journal.models import AttributionDay, DailyMark

    return (
        f"{AttributionDay.objects.count():,} sessions, {DailyMark.objects.count():,} days of legs, "
        f"{ContractMark.objects.count():,} marks"
    )
