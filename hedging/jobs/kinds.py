"""The kinds of job of the hedging app."""

from __future__ import annotations

from hedging.jobs.registry import job_kind

PROBE = job_kind("hedging.probe", title="Job probe")
SIGNALS = job_kind("hedging.signals", title="Signals", page="journal:market")
MARKET_FETCH = job_kind("hedging.market_fetch", title="Fetching market data", page="journal:data")
MARKET_LOAD = job_kind("hedging.market_load", title="Loading market files", page="journal:data")
