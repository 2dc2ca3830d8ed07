"""Tables of the hedging app."""

from hedging.models.contracts import Contract
from hedging.models.jobs import Heartbeat, Job
from hedging.models.market import (
    ChainSnapshot,
    DailyBar,
    IngestRun,
    MarketSnapshot,
    Quality,
    VXSettlement,
)

__all__ = [
    "ChainSnapshot",
    "Contract",
    "DailyBar",
    "Heartbeat",
    "IngestRun",
    "Job",
    "MarketSnapshot",
    "Quality",
    "VXSettlement",
]
