"""Objects and rules of the import routes for the tenancy test."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from journal.models import Trade, TradeLink
from journal.services.imports.stage import import_upload
from tests.journal.people import People

POST_ONLY = {
    "import_reread", "import_commit", "import_undo", "import_discard", "import_restore", "import_release",
    "import_groups", "link_decide",
}  # fmt: skip
#: Routes a viewer may not use.
WRITES = {*POST_ONLY, "import_fix"}


def import_ids(people: People, trade: Trade) -> dict[str, Any]:
    """One batch and one link of the owner's account."""
    batch = import_upload(user=people.owner, account=people.account, filename="x.csv", data=b"nothing,known")
    link = TradeLink.objects.create(
        account=people.account, earlier=trade, later=trade, earlier_anchor="a", later_anchor="b",
        kind="recenter", moment=timezone.now(),
    )  # fmt: skip
    return {"imports": batch.pk, "links": link.pk}
