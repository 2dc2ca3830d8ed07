"""What the tenancy tests must know of scheduled reports."""

from __future__ import annotations

from typing import Any

from journal.services.reports.schedules import schedule_add
from tests.journal.people import People

POST_ONLY = {"schedule_new", "schedule_end"}
#: What a member who may only read is refused.
WRITES = {"schedule_end"}


def statistics_ids(people: People) -> dict[str, Any]:
    """The owner's objects by the first part of their routes."""
    schedule = schedule_add(user=people.owner, account=people.account, every="week", format="csv")
    return {"report-schedules": schedule.pk}
