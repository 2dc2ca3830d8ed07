"""Taking a change back from its record: of many trades, or the removal of something.

An undo touches a row only while it still is as the change left it, so that what somebody did since is
not overwritten; it happens once, and checks the person's rights again. What is only archived
(accounts, playbooks, notes, files) is brought back where it stands and needs no record. Not undone:
computed backtests (the same seed gives the same figures), decisions and signatures, which are final by
their nature, and the demo, which is loaded again with one press.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from journal.errors import RuleError
from journal.models import BulkChange, User
from journal.services import accounts, saved_views, tax
from journal.services.alerts import alerts
from journal.services.audit import audit_record
from journal.services.book import bulk_close, bulk_edit, links
from journal.services.reports import schedules
from journal.services.review import reviews
from journal.services.undo_records import UNDO_FOR

Action = BulkChange.Action
Undo = Callable[[User, Sequence[Any]], int]

_UNDOS: dict[str, Undo] = {
    **bulk_edit.UNDOS,
    Action.CLOSE: bulk_close.close_undo,
    Action.VIEW: saved_views.view_restore,
    Action.DAYS: reviews.range_restore,
    Action.CHANNEL: alerts.channel_restore,
    Action.MEMBER: accounts.member_restore,
    Action.SCHEDULE: schedules.schedule_restore,
    Action.MARK: tax.year_end_mark_restore,
    Action.LINK: links.link_restore,
}


@transaction.atomic
def change_undo(*, user: User, change: BulkChange) -> BulkChange:
    """Take a change back where nobody changed it since; a repeat is the same undo.

    ``undone_count`` says how many rows it took back. Raises RuleError after UNDO_FOR.
    """
    change = BulkChange.objects.select_for_update().get(pk=change.pk, user=user)
    if change.undone_at is not None:
        return change
    if timezone.now() - change.created_at > UNDO_FOR:
        raise RuleError("This can no longer be undone.")
    change.undone_count = _UNDOS[change.action](user, change.undo)
    change.undone_at = timezone.now()
    change.save(update_fields=["undone_at", "undone_count"])
    audit_record(
        actor=user, action="bulk.undo", obj=change, summary=change.summary,
        changes={"rows": change.undone_count, "of": len(change.undo)},
    )  # fmt: skip
    return change
