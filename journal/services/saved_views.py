"""Saved views: the address of a list under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.http import QueryDict

from journal.errors import RuleError
from journal.models import BulkChange, SavedView, User
from journal.services.undo_records import removal_record

MOST = 50
#: Parts of an address that belong to a moment, not to a view.
_PASSING = ("page", "token", "csrfmiddlewaretoken")


def canonical_query(text: str) -> str:
    """The address's filters without empty ones, in a stable order; raises RuleError when too long."""
    query = QueryDict(text.lstrip("?")[:4000])
    kept = QueryDict(mutable=True)
    for name in sorted(query):
        values = [value for value in query.getlist(name) if value and "\x00" not in value]
        if values and name not in _PASSING:
            kept.setlist(name, values)
    found = kept.urlencode()
    if len(found) > 1000:
        raise RuleError("These filters are too long to save.", "name")
    return found


@transaction.atomic
def view_save(*, user: User, name: str, query: str) -> SavedView:
    """Save the filters under a name; the name again gets the new filters. Raises RuleError."""
    name = " ".join(name.replace("\x00", "").split())[:60]
    if not name:
        raise RuleError("A view needs a name.", "name")
    known = SavedView.objects.for_user(user).filter(name__iexact=name).first()
    if known is None and SavedView.objects.for_user(user).count() >= MOST:
        raise RuleError(f"At most {MOST} views; remove one first.", "name")
    view = known or SavedView(user=user)
    view.name, view.query = name, canonical_query(query)
    view.save()
    return view


@transaction.atomic
def view_remove(*, user: User, view: SavedView) -> BulkChange | None:
    """Forget a view; returns the record to undo it from, None for one that is gone already."""
    if not SavedView.objects.for_user(user).filter(pk=view.pk).delete()[0]:
        return None
    return removal_record(
        user=user, action=BulkChange.Action.VIEW, summary=f"View “{view.name}” removed",
        undo=[{"name": view.name, "query": view.query}],
    )  # fmt: skip


def view_restore(user: User, undo: Sequence[Any]) -> int:
    """Save removed views again where no other took their name; returns how many."""
    count = 0
    for row in undo:
        mine = SavedView.objects.for_user(user)
        if not mine.filter(name__iexact=row["name"]).exists() and mine.count() < MOST:
            SavedView.objects.create(user=user, name=row["name"], query=row["query"])
            count += 1
    return count
