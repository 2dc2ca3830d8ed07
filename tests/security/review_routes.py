"""Objects and rules of the review routes for the tenancy test."""

from __future__ import annotations

from datetime import date
from typing import Any

from journal.models import DataTransfer, Trade
from journal.services.book.bulk_edit import BulkOrder, bulk_apply
from journal.services.review.attachments import attachment_add
from journal.services.review.notes import note_create
from journal.services.review.playbooks import playbook_save
from journal.services.review.reviews import range_tag, trade_tag
from journal.services.saved_views import view_save
from tests.journal.people import People, png

POST_ONLY = {
    "trade_tag", "trade_untag", "trade_rate", "trade_checklist", "trade_note", "trade_file", "day_note",
    "day_file", "note_preview", "note_remove", "file_remove", "tag_range_remove", "playbook_archive",
    "trades_bulk", "bulk_undo", "view_save", "view_remove", "tax_pdf", "tax_mark",
    "own_data_export", "own_data_import", "own_data_delete",
}  # fmt: skip
#: Routes about an object that a viewer may not use (403), or that belong to one user alone (404).
WRITES = {
    "trade_tag", "trade_untag", "trade_rate", "trade_checklist", "trade_note", "trade_file", "note_remove",
    "file_remove", "tag_edit", "tag_range_remove", "playbook_edit", "playbook_archive", "bulk_undo",
    "view_remove", "own_data_download",
}  # fmt: skip
#: Routes that answer 404 without naming an account or playbook.
INCOMPLETE = {"trade_checklist", "day_note", "day_file", "tax_pdf", "tax_mark"}


def review_ids(people: People, trade: Trade) -> dict[str, Any]:
    """One object for each route, by the route's first parts."""
    owner, account = people.owner, people.account
    days = {"date_from": date(2026, 11, 2), "date_to": date(2026, 11, 3)}
    change = bulk_apply(user=owner, trades=Trade.objects.all(), order=BulkOrder("tag", "motion", 1, "t"))
    kept = DataTransfer.objects.create(
        user=owner, kind="export", filename="e.zip", content=b"PK", size=2, sha256="0"
    )
    return {
        "your-data": kept.pk,
        "trades/bulk": change.pk,
        "trades/views": view_save(user=owner, name="Open", query="status=open").pk,
        "tags/ranges": range_tag(user=owner, account=account, name="motion", **days).pk,
        "tags": trade_tag(user=owner, trade=trade, name="motion").pk,
        "notes": note_create(user=owner, account=account, trade=trade, text="a note").pk,
        "files": attachment_add(user=owner, account=account, trade=trade, name="a.png", content=png()).pk,
        "playbooks": playbook_save(user=owner, account=account, name="45 DTE", text="", items=["Calm?"]).pk,
    }
