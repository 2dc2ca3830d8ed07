"""Fetching market data: politely, one at a time, and never putting something doubtful over what is known.

A source that fails leaves what is stored alone; its age and the reason show on the Data page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from hedging.jobs import scopes
from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_request
from hedging.jobs.kinds import MARKET_FETCH
from hedging.jobs.registry import job_handler
from hedging.models import DailyBar, IngestRun, Job, MarketSource, Quality
from hedging.providers.base import Provider, WantedFile
from hedging.providers.cboe_history import CboeHistory
from hedging.providers.cboe_quotes import CboeQuotes
from hedging.providers.cfe_vx import CFEArchive, CFEContracts, CFESettlements
from hedging.providers.csv_url import CSVAddress
from hedging.providers.formats.tables import MarketFileError, ParsedFile
from hedging.providers.fred import Fred
from hedging.providers.http import FetchError, Manners, NotThereError, fetch
from hedging.selectors.calendar import session_date
from hedging.services.locks import LockHeldError, lock_hold
from hedging.services.market.load import parsed_file_store

log = structlog.get_logger(__name__)

GROUPS = ("quotes", "close", "macro")
#: Asked for by name only: the past that is not part of a round.
HISTORY = "history"
#: The lock outlives the slowest file, is renewed with each, and dies with its holder.
LOCK_SECONDS = 600
#: A round of silent sources ends here; the next one begins where things stand then.
ROUND_SECONDS = 600
BUSY = "Another fetch is running; this one was not started."
#: A file that shrank below this share of its last size has been cut off.
SMALLEST_SHARE = 0.8
#: Of the newest common days, at least this share must agree within the tolerance, or it is another series.
COMMON_DAYS, AGREEING_SHARE, TOLERANCE = 20, 0.5, Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Fetched:
    """How one file went: new, unchanged, absent, waiting, skipped or failed, and why."""

    key: str
    state: str
    new: int = 0
    message: str = ""


def providers() -> list[Provider]:
    """Every source, at its configured address."""
    urls = settings.MARKET_URLS
    return [
        CboeQuotes(urls["cboe_quotes"]),
        CboeHistory(urls["cboe_history"]),
        CFEContracts(urls["cfe_contracts"]),
        CFEArchive(urls["cfe_contracts"]),
        CFESettlements(urls["cfe_settlements"]),
        Fred(urls["fred"]),
        CSVAddress(settings.MARKET_CSV),
    ]


def fetch_request(*, names: Sequence[str], slot: str, requested_by: str = "") -> tuple[Job, bool]:
    """The job that fetches groups or providers; one a slot of time, whoever asks again."""
    return job_request(
        kind=MARKET_FETCH,
        scope=scopes.MARKET,
        as_of=slot,
        input_revision=",".join(names)[:80],
        payload={"names": list(names)},
        requested_by=requested_by,
        max_attempts=1,
    )


@job_handler(MARKET_FETCH)
def fetch_job(context: JobContext) -> Callable[[], Any]:
    """Fetch what the job names; each file is stored by itself, so a cancel keeps what came."""
    try:
        done = market_fetch(
            names=context.job.payload["names"], progress=context.progress, check=context.check
        )
    except LockHeldError:
        raise JobError(BUSY) from None
    failed = [one for one in done if one.state == "failed"]
    if failed and len(failed) == len(done):
        raise JobError(f"Nothing could be fetched. {failed[0].key}: {failed[0].message}")
    summary = {
        "files": len(done),
        "new": sum(one.new for one in done),
        "failed": [f"{one.key}: {one.message}" for one in failed],
    }
    return lambda: summary


def market_fetch(
    *,
    names: Sequence[str] = (),
    progress: Callable[[int, int, str], None] = lambda *_: None,
    check: Callable[[], None] = lambda: None,
) -> list[Fetched]:
    """Fetch the groups or providers named, or all groups; raises LockHeldError while another round runs."""
    named = set(names or GROUPS)
    with lock_hold(MARKET_FETCH, seconds=LOCK_SECONDS) as renew:
        began = monotonic()
        day = session_date(timezone.now())
        chosen = [
            (provider, wanted)
            for provider in providers()
            for wanted in provider.wanted(day)
            if {provider.name, wanted.group, wanted.key} & named
        ]
        complete = set(MarketSource.objects.filter(success_at__isnull=False).values_list("key", flat=True))
        chosen = [(provider, one) for provider, one in chosen if not (one.once and one.key in complete)]
        done = []
        for number, (provider, wanted) in enumerate(chosen):
            progress(number, len(chosen), wanted.key)
            renew()
            if monotonic() - began > ROUND_SECONDS:
                done.append(Fetched(wanted.key, "skipped", message="the round took too long"))
            else:
                done.append(source_fetch(provider=provider, wanted=wanted, check=check))
        return done


def source_fetch(
    *, provider: Provider, wanted: WantedFile, check: Callable[[], None] = lambda: None
) -> Fetched:
    """Fetch one file and store what is new; a failure is recorded and leaves the stored data as it is."""
    row, _ = MarketSource.objects.update_or_create(
        key=wanted.key, defaults={"provider": provider.name, "group": wanted.group, "url": wanted.url[:500]}
    )
    now = timezone.now()
    if row.not_before is not None and row.not_before > now:
        return Fetched(wanted.key, "waiting", message=f"asked to wait until {row.not_before:%H:%M} UTC")
    row.attempt_at, row.not_before = now, None
    manners = Manners(
        settings.MARKET_USER_AGENT, settings.MARKET_TIMEOUT, settings.MARKET_BACKOFF_SECONDS, check=check
    )
    try:
        answer = fetch(wanted, manners, etag=row.etag, last_modified=row.last_modified)
        if answer.content is None:
            return _well(row, Fetched(wanted.key, "unchanged"))
        digest = hashlib.sha256(answer.content).hexdigest()
        row.etag, row.last_modified = answer.etag, answer.last_modified
        if digest == row.sha256:
            return _well(row, Fetched(wanted.key, "unchanged"))
        _not_cut_off(row, wanted, answer.content)
        parsed = provider.read(wanted, answer.content)
        same_series(parsed)
        run = parsed_file_store(parsed=parsed, name=wanted.file, sha256=digest, loaded_by=provider.name)
    except NotThereError as error:
        if wanted.optional:
            return _well(row, Fetched(wanted.key, "absent", message=str(error)), answered=False)
        return _badly(row, wanted, str(error), None)
    except FetchError as error:
        return _badly(row, wanted, str(error), error.wait)
    except MarketFileError as error:
        return _badly(row, wanted, str(error), None)
    row.sha256, row.size = digest, len(answer.content)
    if run.rows_new:
        row.changed_at = now
    return _well(row, Fetched(wanted.key, "new" if run.rows_new else "unchanged", run.rows_new))


def _not_cut_off(row: MarketSource, wanted: WantedFile, content: bytes) -> None:
    """Histories grow; a much smaller one is a piece of it."""
    if wanted.group != "quotes" and row.size and len(content) < SMALLEST_SHARE * row.size:
        raise MarketFileError(f"{len(content):,} bytes after {row.size:,}: cut off")


def same_series(parsed: ParsedFile) -> None:
    """Refuse a series whose values have nothing to do with the stored ones of its name.

    Vendors sometimes answer with another index under the right address. Raises MarketFileError.
    """
    symbols = {bar.symbol for bar in parsed.bars}
    for symbol in symbols:
        given = {bar.day: bar.close for bar in parsed.bars if bar.symbol == symbol}
        stored = (
            DailyBar.objects.filter(symbol=symbol, superseded_at__isnull=True, date__in=sorted(given)[-400:])
            .exclude(quality=Quality.SIMULATED)
            .order_by("-date")
            .values_list("date", "close")[:COMMON_DAYS]
        )
        pairs = [(given[day], close) for day, close in stored]
        agreeing = sum(abs(new - old) <= TOLERANCE * max(abs(old), Decimal(1)) for new, old in pairs)
        if len(pairs) >= COMMON_DAYS and agreeing < AGREEING_SHARE * len(pairs):
            raise MarketFileError(f"its values are not those stored as {symbol}: another series?")


def _well(row: MarketSource, outcome: Fetched, *, answered: bool = True) -> Fetched:
    row.failures, row.error = 0, ""
    if answered:
        row.success_at = row.attempt_at
    row.save()
    return outcome


def _badly(row: MarketSource, wanted: WantedFile, message: str, wait: float | None) -> Fetched:
    """Record the failure in the source and among the runs; validators are dropped, the file was not kept."""
    known = MarketSource.objects.get(pk=row.pk)
    row.etag, row.last_modified = known.etag, known.last_modified
    news = known.error != message[:1000]
    row.failures, row.error = row.failures + 1, message[:1000]
    if wait is not None:
        row.not_before = timezone.now() + timedelta(seconds=min(wait, 86_400))
    row.save()
    if news:  # the same failure every quarter of an hour is one line among the runs
        IngestRun.objects.create(
            name=wanted.file,
            source=row.provider,
            format="",
            sha256="",
            error=row.error,
            loaded_by=row.provider,
        )
    log.warning("market_fetch_failed", key=wanted.key, error=row.error)
    return Fetched(wanted.key, "failed", message=row.error)
