"""Loading market files: all of a file or nothing, and the same content never twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from hedging.models import ChainSnapshot, DailyBar, IngestRun, Quality, VXSettlement
from hedging.providers.formats.chain import ChainTable
from hedging.providers.formats.detect import MAX_BYTES, parse_market_file
from hedging.providers.formats.tables import MarketFileError, ParsedFile
from hedging.services.market_filters import clean_bars

__all__ = ["MarketFileError", "market_file_load", "market_path_load", "parsed_file_store"]

log = structlog.get_logger(__name__)
_BATCH = 500


def market_path_load(*, path: Path, symbol: str = "", loaded_by: str = "") -> IngestRun:
    """Load a file from disk; raises MarketFileError, also for a missing or oversized file."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MarketFileError(f"the file is larger than {MAX_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise MarketFileError(f"cannot be read ({error.strerror})") from None
    return market_file_load(name=path.name, data=data, symbol=symbol, loaded_by=loaded_by)


def market_file_load(*, name: str, data: bytes, symbol: str = "", loaded_by: str = "") -> IngestRun:
    """Detect, parse, filter and store one file in one transaction.

    Returns the run with its counts: rows new, unchanged and dropped with reasons. Raises
    MarketFileError naming line and column; nothing of the file is kept then.
    """
    parsed = parse_market_file(name, data, symbol)
    return parsed_file_store(
        parsed=parsed, name=name, sha256=hashlib.sha256(data).hexdigest(), loaded_by=loaded_by
    )


@transaction.atomic
def parsed_file_store(*, parsed: ParsedFile, name: str, sha256: str, loaded_by: str = "") -> IngestRun:
    """Store what a file held; revisions supersede, they do not overwrite."""
    bars = clean_bars(parsed.bars, parsed.dropped)
    run = IngestRun.objects.create(
        name=name[:255],
        source=parsed.source,
        format=parsed.format,
        sha256=sha256,
        rows_read=parsed.rows_read,
        loaded_by=loaded_by,
    )
    counts = [
        _store_series(
            DailyBar,
            ("symbol", "date"),
            ("open", "high", "low", "close"),
            run,
            parsed.quality,
            [
                {
                    "symbol": b.symbol,
                    "date": b.day,
                    "open": b.open,
                    "high": b.high,
                    "low": b.low,
                    "close": b.close,
                }
                for b in bars
            ],
        ),
        _store_series(
            VXSettlement,
            ("date", "expiry"),
            ("settle", "volume", "open_interest"),
            run,
            parsed.quality,
            [
                {
                    "date": v.day,
                    "expiry": v.expiry,
                    "settle": v.settle,
                    "open": v.open,
                    "high": v.high,
                    "low": v.low,
                    "close": v.close,
                    "volume": v.volume,
                    "open_interest": v.open_interest,
                }
                for v in parsed.vx
            ],
        ),
        *(_store_chain(chain, run, parsed.quality) for chain in parsed.chains),
    ]
    run.rows_new = sum(new for new, _ in counts)
    run.rows_unchanged = sum(same for _, same in counts)
    run.rows_dropped = sum(parsed.dropped.values())
    run.notes = [f"{reason}: {count}" for reason, count in sorted(parsed.dropped.items())]
    run.save()
    log.info("market_file_loaded", name=name, format=run.format, new=run.rows_new)
    return run


def _store_series(
    model: Any,
    key: tuple[str, ...],
    compared: tuple[str, ...],
    run: IngestRun,
    quality: Quality,
    rows: list[dict[str, Any]],
) -> tuple[int, int]:
    """Insert new and revised rows of DailyBar or VXSettlement; returns (new, unchanged)."""
    if not rows:
        return 0, 0
    incoming = {tuple(row[name] for name in key): row for row in rows}
    days = [row["date"] for row in incoming.values()]
    current = model.objects.filter(
        source=run.source, superseded_at__isnull=True, date__range=(min(days), max(days))
    )
    if "symbol" in key:
        current = current.filter(symbol__in={row["symbol"] for row in incoming.values()})
    stored = {tuple(row[name] for name in key): row for row in current.values("pk", *key, *compared)}
    fresh, revised, same = [], [], 0
    for identity, row in incoming.items():
        old = stored.get(identity)
        if old is None:
            fresh.append(row)
        elif all(_equal(old[name], row[name]) for name in compared):
            same += 1
        else:
            revised.append(old["pk"])
            fresh.append(row)
    for batch in _batches(revised):
        model.objects.filter(pk__in=batch).update(superseded_at=timezone.now())
    model.objects.bulk_create(
        (model(source=run.source, quality=quality, run=run, **row) for row in fresh),
        batch_size=_BATCH,
    )
    return len(fresh), same


def _equal(stored: object, given: object) -> bool:
    if isinstance(stored, Decimal) and isinstance(given, Decimal):
        return stored == round(given, -int(stored.as_tuple().exponent))
    return stored == given


def _batches(keys: list[int]) -> Iterable[list[int]]:
    return (keys[i : i + _BATCH] for i in range(0, len(keys), _BATCH))


def _store_chain(chain: ChainTable, run: IngestRun, quality: Quality) -> tuple[int, int]:
    content_hash = chain.content_hash()
    if ChainSnapshot.objects.filter(content_hash=content_hash).exists():
        return 0, len(chain)
    ChainSnapshot.objects.create(
        source=run.source,
        underlying=chain.underlying,
        as_of=chain.as_of,
        spot=None if chain.spot is None else Decimal(str(chain.spot)),
        row_count=len(chain),
        payload=chain.pack(),
        content_hash=content_hash,
        quality=quality,
        run=run,
    )
    return len(chain), 0
