"""Loading market files: all of a file or nothing, and the same content never twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from time import monotonic

import structlog
from django.db import transaction

from hedging.models import IngestRun
from hedging.providers.formats.detect import MAX_BYTES, parse_market_file
from hedging.providers.formats.tables import MarketFileError, ParsedFile
from hedging.services.market.filters import clean_bars, clean_vx
from hedging.services.market.store import bars_store, chain_store, events_store, vx_store

__all__ = [
    "MarketFileError",
    "calendars_first",
    "market_file_load",
    "market_files_in",
    "market_path_load",
    "parsed_file_store",
]

log = structlog.get_logger(__name__)


#: Endings of market files; others in a folder are left alone.
ENDINGS = (".csv", ".csv.gz", ".json", ".json.gz")


def market_files_in(paths: Iterable[Path]) -> list[Path]:
    """The files named, and those in the folders named, with event calendars first.

    A calendar dates the figures that follow it. Raises MarketFileError for a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.is_file() and p.name.lower().endswith(ENDINGS))
        if not inside:
            raise MarketFileError(f"no market file in the folder {path}")
        found += inside
    return sorted(dict.fromkeys(found), key=calendars_first)


def calendars_first(path: Path) -> bool:
    """Sorting by this puts release calendars before the figures they date."""
    return "event" not in path.name.lower()


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


def market_file_load(
    *, name: str, data: bytes, symbol: str = "", loaded_by: str = "", by_hand: bool = False
) -> IngestRun:
    """Detect, parse, filter and store one file in one transaction.

    Returns the run with its counts: rows new, unchanged and dropped with reasons. Raises
    MarketFileError naming line and column; nothing of the file is kept then. ``by_hand`` labels what it
    holds as the person's, whatever shape it has.
    """
    parsed = parse_market_file(name, data, symbol)
    if by_hand:  # a shape is easily copied: only what was fetched is a publisher's
        parsed.source = by_hand_source(loaded_by)
    return parsed_file_store(
        parsed=parsed, name=name, sha256=hashlib.sha256(data).hexdigest(), loaded_by=loaded_by
    )


def by_hand_source(who: str) -> str:
    """The source of what a person loaded: ``file:<who>``, below every publisher."""
    return f"file:{who}"[:40]


@transaction.atomic
def parsed_file_store(*, parsed: ParsedFile, name: str, sha256: str, loaded_by: str = "") -> IngestRun:
    """Store what a file held; revisions supersede, they do not overwrite."""
    began = monotonic()
    bars = clean_bars(parsed.bars, parsed.dropped)
    vx = clean_vx(parsed.vx, parsed.dropped)
    run = IngestRun.objects.create(
        name=name[:255],
        source=parsed.source,
        format=parsed.format,
        sha256=sha256,
        rows_read=parsed.rows_read,
        loaded_by=loaded_by,
    )
    counts = [
        events_store(run, parsed.events),  # before the bars: releases date them
        bars_store(run, parsed.quality, bars),
        vx_store(run, parsed.quality, vx),
        *(chain_store(run, parsed.quality, chain) for chain in parsed.chains),
    ]
    run.rows_new = sum(new for new, _ in counts)
    run.rows_unchanged = sum(same for _, same in counts)
    run.rows_dropped = sum(parsed.dropped.values())
    run.notes = [f"{reason}: {count}" for reason, count in sorted(parsed.dropped.items())]
    run.seconds = round(monotonic() - began, 3)
    run.save()
    log.debug("market_file_loaded", name=name, format=run.format, new=run.rows_new)
    return run
