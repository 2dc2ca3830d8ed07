"""Tables of the hedging app."""

from hedging.models.calendar import MacroEvent
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
from hedging.models.marks import ContractMark
from hedging.models.signals import SignalFrameRow
from hedging.models.sources import Lock, MarketSource, StagedFile

__all__ = [
    "ChainSnapshot",
    "Contract",
    "ContractMark",
    "DailyBar",
    "Heartbeat",
    "IngestRun",
    "Job",
    "Lock",
    "MacroEvent",
    "MarketSnapshot",
    "MarketSource",
    "Quality",
    "SignalFrameRow",
    "StagedFile",
    "VXSettlement",
]
