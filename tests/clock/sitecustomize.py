"""Every Python process of a run reads the suite's clock: sites and workers that tests start as well.

Contracts in tests have dates, and rules ask whether they have expired. So a run begins on one day, whenever
it takes place, and time passes from there. Python imports this module by itself in each process that has its
folder on the path; ``tests.plugin`` puts it there and says by how many seconds the clock is off.
"""

from __future__ import annotations

import os
import time

OFFSET = "ALVH_TEST_CLOCK_OFFSET"


def travel() -> None:
    """Move this process to the suite's time, if a run said so: once, however often this is imported."""
    offset = os.environ.get(OFFSET)
    if offset is None:
        return
    import time_machine

    if time_machine.escape_hatch.is_travelling():
        return
    time_machine.travel(time.time() + float(offset), tick=True).start()


travel()
