"""Retention: what may go, by rule. What anything refers to stays, and revisions are never removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet

from hedging.engine.signals import codec
from hedging.jobs.kinds import MARKET_FETCH, MARKET_LOAD
from hedging.models import ChainSnapshot, IngestRun, Job, MarketSnapshot, SignalFrameRow, StagedFile
from hedging.selectors.calendar import NEW_YORK
from hedging.selectors.history import history_revision
from hedging.selectors.signals import DEFAULT_PARAMS, params_hash

log = structlog.get_logger(__name__)

#: Every chain of this many days is kept; of older sessions only the last one of each underlying.
CHAINS_WHOLE = timedelta(days=10)
SNAPSHOTS_UNUSED = timedelta(days=30)
FAILED_RUNS = timedelta(days=30)
FETCH_JOBS = timedelta(days=14)
#: Files whose loading was cancelled.
STAGED_FILES = timedelta(days=1)
#: Signals under thresholds that nobody asked for on newer data since.
FRAMES_UNUSED = timedelta(days=14)
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Retained:
    """How many rows of each kind went, or would go."""

    snapshots: int
    chains: int
    failed_runs: int
    jobs: int
    frames: int


def market_retain(*, now: datetime, dry_run: bool = False) -> Retained:
    """Apply the rules; with ``dry_run`` count only (chains then as if unused snapshots were gone)."""
    unused = [
        row.pk for row in _unreferenced(MarketSnapshot.objects.filter(created_at__lt=now - SNAPSHOTS_UNUSED))
    ]
    if not dry_run:
        _delete(MarketSnapshot, unused)
    chains = _thinned_chains(now, set(unused) if dry_run else set())
    runs = IngestRun.objects.exclude(error="").filter(created_at__lt=now - FAILED_RUNS)
    jobs = Job.objects.filter(
        kind__in=(MARKET_FETCH, MARKET_LOAD),
        created_at__lt=now - FETCH_JOBS,
        state__in=(Job.State.DONE, Job.State.CANCELLED),
    )
    frames = _old_frames(now)
    counts = Retained(len(unused), len(chains), runs.count(), jobs.count(), len(frames))
    if not dry_run:
        _delete(ChainSnapshot, chains)
        _delete(IngestRun, list(runs.values_list("pk", flat=True)))
        _delete(Job, list(jobs.values_list("pk", flat=True)))
        _delete(SignalFrameRow, frames)
        staged = StagedFile.objects.filter(created_at__lt=now - STAGED_FILES)
        _delete(StagedFile, list(staged.values_list("pk", flat=True)))
        log.info("market_retained", snapshots=counts.snapshots, chains=counts.chains)
    return counts


def _old_frames(now: datetime) -> list[int]:
    """Signals of another layout, and those of abandoned thresholds: behind the data for long."""
    own = SignalFrameRow.objects.exclude(params_hash=params_hash(DEFAULT_PARAMS))
    behind = own.exclude(revision=history_revision()).filter(created_at__lt=now - FRAMES_UNUSED)
    return list((behind | SignalFrameRow.objects.exclude(version=codec.VERSION)).values_list("pk", flat=True))


def _thinned_chains(now: datetime, unused: set[Any]) -> list[int]:
    """Keys of old chains that are not the last of their session and that no kept snapshot uses."""
    last: dict[tuple[str, str, date], int] = {}
    every: list[int] = []
    old = ChainSnapshot.objects.filter(as_of__lt=now - CHAINS_WHOLE).order_by("as_of", "pk")
    for pk, underlying, quality, as_of in old.values_list("pk", "underlying", "quality", "as_of"):
        every.append(pk)
        last[underlying, quality, as_of.astimezone(NEW_YORK).date()] = pk
    kept = set(last.values())
    used: set[int | None] = set()
    for names in MarketSnapshot.objects.exclude(pk__in=unused).values_list("spx_chain", "vix_chain"):
        used.update(names)
    return [pk for pk in every if pk not in kept and pk not in used]


def _unreferenced(rows: QuerySet[Any, Any]) -> Iterator[Any]:
    """Rows no other table points at, whichever app the table belongs to."""
    relations: list[Any] = [
        relation
        for relation in rows.model._meta.get_fields(include_hidden=True)  # noqa: SLF001 - the documented API
        if relation.auto_created and not relation.concrete
    ]
    for relation in relations:
        name = relation.field.attname
        pointing = relation.related_model._base_manager.exclude(**{name: None})  # noqa: SLF001 - of any model
        rows = rows.exclude(pk__in=pointing.values(name))
    return rows.only("pk").iterator()


def _delete(model: Any, keys: list[Any]) -> None:
    for start in range(0, len(keys), _BATCH):
        with transaction.atomic():
            model.objects.filter(pk__in=keys[start : start + _BATCH]).delete()
