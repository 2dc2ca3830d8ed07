"""Storing and removing the simulated market of the demo."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from django.db import transaction

from hedging.models import (
    ChainSnapshot,
    ContractMark,
    DailyBar,
    IngestRun,
    MarketSnapshot,
    Quality,
    VXSettlement,
)
from hedging.providers import simulated
from hedging.providers.formats.tables import ParsedFile
from hedging.selectors.calendar import closes_at, session_date, session_on_or_before
from hedging.services.market.load import parsed_file_store

SOURCE = "simulated"
SESSIONS = 380
RECENT_CHAINS = 8
WEEKS_OF_CHAINS = 30


def simulated_last_session(now: datetime) -> date:
    """The newest session whose close has passed."""
    day = session_on_or_before(session_date(now))
    if now < closes_at(day):
        day = session_on_or_before(date.fromordinal(day.toordinal() - 1))
    return day


def simulated_chain_days(days: list[date]) -> list[date]:
    """Sessions that get option chains: the newest ones, and every fifth session before."""
    recent = days[-RECENT_CHAINS:]
    earlier = days[:-RECENT_CHAINS][::-1][4::5][:WEEKS_OF_CHAINS]
    return sorted({*recent, *earlier})


@transaction.atomic
def simulated_market_load(*, now: datetime) -> list[date]:
    """Store the simulated market up to the last closed session; returns the chain days.

    Does nothing when that session is already there; an older simulated market is replaced first.
    """
    last = simulated_last_session(now)
    states = simulated.simulate_days(last, SESSIONS)
    chain_days = simulated_chain_days([state.day for state in states])
    newest = DailyBar.objects.filter(source=SOURCE).order_by("-date").values_list("date", flat=True).first()
    if newest == last:
        return chain_days
    parsed = ParsedFile(SOURCE, SOURCE, Quality.SIMULATED)
    for state in states:
        parsed.bars += simulated.simulated_bars(state)
        parsed.vx += simulated.simulated_vx(state)
        if state.day in chain_days:
            parsed.chains += [simulated.simulated_spx_chain(state), simulated.simulated_vix_chain(state)]
    parsed.rows_read = len(parsed.bars) + len(parsed.vx) + sum(map(len, parsed.chains))
    digest = hashlib.sha256(f"{SOURCE}|{last}|{simulated.SEED}".encode()).hexdigest()
    parsed_file_store(parsed=parsed, name=f"simulated market to {last}", sha256=digest, loaded_by=SOURCE)
    return chain_days


@transaction.atomic
def simulated_market_remove() -> None:
    """Remove every simulated row; valuations that name its snapshots must be gone before."""
    ContractMark.objects.filter(quality=Quality.SIMULATED).delete()
    MarketSnapshot.objects.filter(flags__icontains=Quality.SIMULATED.value).delete()
    for model in (DailyBar, VXSettlement, ChainSnapshot):
        model.objects.filter(quality=Quality.SIMULATED).delete()
    IngestRun.objects.filter(source=SOURCE).delete()
