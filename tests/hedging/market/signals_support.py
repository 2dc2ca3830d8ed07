"""A simulated market without option chains, which signals do not read."""

from __future__ import annotations

from datetime import date

from hedging.models import Quality
from hedging.providers import simulated
from hedging.providers.formats.tables import ParsedFile
from hedging.services.market.load import parsed_file_store

LAST = date(2026, 1, 30)


def simulated_closes_load(last: date = LAST, sessions: int = 380) -> None:
    """Store closes and VX settlements of the demo's market."""
    parsed = ParsedFile("simulated", "simulated", Quality.SIMULATED)
    for state in simulated.simulate_days(last, sessions):
        parsed.bars += simulated.simulated_bars(state)
        parsed.vx += simulated.simulated_vx(state)
    parsed_file_store(parsed=parsed, name="simulated closes", sha256="0" * 64)
