"""What the tenancy tests must know of backtests."""

from __future__ import annotations

from typing import Any

from journal.models import BacktestRun
from tests.journal.people import People

POST_ONLY = {"backtest_cancel", "backtest_resume", "backtest_delete"}
#: What a member who may only read is refused.
WRITES = POST_ONLY
#: Pages that need two runs in their address.
INCOMPLETE = {"backtest_compare"}


def backtest_ids(people: People) -> dict[str, Any]:
    """The owner's objects by the first part of their routes."""
    run = BacktestRun.objects.create(
        account=people.account, key="k" * 64, title="Run", document={},
        settings={"first": "2015-01-02", "last": "2015-02-02", "hedge": "on", "capital": 1e6, "seed": 1},
        sets=[{"condor.dte": 45}],
    )  # fmt: skip
    return {"backtest": run.pk}
