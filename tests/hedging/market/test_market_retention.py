"""Retention: old chains are thinned, unused snapshots go, and what is referred to stays."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from hedging.engine.signals.params import SignalParams
from hedging.models import ChainSnapshot, DailyBar, IngestRun, Job, MarketSnapshot, SignalFrameRow
from hedging.selectors.signals import params_hash
from hedging.services.market.fetch import fetch_request
from hedging.services.market.load import market_file_load
from hedging.services.market.retain import market_retain
from hedging.services.signals import signals_refresh
from hedging.services.snapshots.snapshots import snapshot_for
from journal.models import AccountRisk
from tests.journal.people import make_people

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 23, tzinfo=UTC)


def chain(moment: str, bid: float) -> ChainSnapshot:
    """An SPX chain quoted at a UTC time."""
    option: dict[str, Any] = {
        "option": "SPXW261218C06900000", "bid": bid, "ask": bid + 1, "iv": 0.1, "open_interest": 1,
        "volume": 1, "delta": 0.2, "gamma": 0.001,
    }  # fmt: skip
    document = {"timestamp": moment, "data": {"current_price": 6700.0, "options": [option]}}
    run = market_file_load(name="_SPX.json", data=json.dumps(document).encode())
    return ChainSnapshot.objects.get(run=run)


def age(snapshot: MarketSnapshot, days: int) -> None:
    MarketSnapshot.objects.filter(pk=snapshot.pk).update(created_at=NOW - timedelta(days=days))


def test_only_the_last_chain_of_an_old_session_is_kept() -> None:
    old = [chain(f"2026-10-05 {hour}:00:00", 20 + hour) for hour in (15, 17, 19)]
    new = [chain(f"2026-11-19 {hour}:00:00", 20 + hour) for hour in (15, 17)]
    found = market_retain(now=NOW)
    assert found.chains == 2
    assert set(ChainSnapshot.objects.values_list("pk", flat=True)) == {old[2].pk, *(c.pk for c in new)}
    assert market_retain(now=NOW).chains == 0


def test_a_chain_that_a_valuation_stands_on_is_never_removed() -> None:
    first = chain("2026-10-05 15:00:00", 30)
    snapshot = snapshot_for(as_of=first.as_of)
    assert snapshot is not None
    age(snapshot, 45)
    chain("2026-10-05 17:00:00", 31)
    unused = snapshot_for(as_of=datetime(2026, 10, 5, 17, 30, tzinfo=UTC))
    assert unused is not None
    age(unused, 45)
    people = make_people()
    AccountRisk.objects.create(
        account=people.account, snapshot=snapshot, book_revision=1, as_of=snapshot.as_of, result={}
    )
    last = chain("2026-10-05 19:00:00", 32)
    found = market_retain(now=NOW)
    assert (found.snapshots, found.chains) == (1, 1)
    assert set(ChainSnapshot.objects.values_list("pk", flat=True)) == {first.pk, last.pk}
    assert MarketSnapshot.objects.get().pk == snapshot.pk


def test_a_dry_run_counts_the_same_and_removes_nothing() -> None:
    for hour in (15, 17, 19):
        chain(f"2026-10-05 {hour}:00:00", 20 + hour)
    snapshot = snapshot_for(as_of=datetime(2026, 10, 5, 15, 30, tzinfo=UTC))
    assert snapshot is not None
    age(snapshot, 45)
    planned = market_retain(now=NOW, dry_run=True)
    assert ChainSnapshot.objects.count() == 3
    assert MarketSnapshot.objects.count() == 1
    assert market_retain(now=NOW) == planned
    assert ChainSnapshot.objects.count() == 1


def test_failed_runs_and_old_fetch_jobs_go_and_revisions_stay() -> None:
    market_file_load(name="x.csv", data=b"date,close\n2024-01-02,1\n", symbol="ABC")
    market_file_load(name="x.csv", data=b"date,close\n2024-01-02,2\n", symbol="ABC")
    failed = IngestRun.objects.create(name="y", source="fred", format="", sha256="", error="no answer")
    job, _ = fetch_request(names=["macro"], slot="a")
    waiting, _ = fetch_request(names=["macro"], slot="b")
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    long_ago = timezone.now() - timedelta(days=40)
    IngestRun.objects.all().update(created_at=long_ago)
    Job.objects.all().update(created_at=long_ago)
    out = io.StringIO()
    call_command("market_retain", "--dry-run", stdout=out)
    assert (
        "would go: 0 unused snapshots, 0 chains, 1 failed runs, 1 fetch jobs, 0 signal archives"
        in out.getvalue()
    )
    call_command("market_retain", stdout=out)
    assert not IngestRun.objects.filter(pk=failed.pk).exists()
    assert list(Job.objects.values_list("pk", flat=True)) == [waiting.pk]
    assert DailyBar.objects.filter(symbol="ABC").count() == 2
    assert IngestRun.objects.count() == 2


def test_signals_of_abandoned_thresholds_go_and_those_in_use_stay() -> None:
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-02,13\n2024-01-03,14\n")
    used, abandoned = SignalParams(rsi_vix_below=30.0), SignalParams(rsi_vix_below=31.0)
    for params in (SignalParams(), used, abandoned):
        signals_refresh(params=params)
    long_ago = NOW - timedelta(days=20)
    SignalFrameRow.objects.all().update(created_at=long_ago)
    assert market_retain(now=NOW).frames == 0, "all of them are of the newest data"
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-04,15\n")
    signals_refresh(params=used)
    assert market_retain(now=NOW).frames == 1
    kept = set(SignalFrameRow.objects.values_list("params_hash", flat=True))
    assert kept == {params_hash(SignalParams()), params_hash(used)}
    SignalFrameRow.objects.update(version=1)
    assert market_retain(now=NOW).frames == 2
