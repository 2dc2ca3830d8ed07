"""Playbooks: a way of trading in words, and what to check before entry."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import Account, Playbook, User
from journal.services.audit import audit_record

MAX_ITEMS = 30
_ITEM_LENGTH = 200


def checklist_items(text: str) -> list[str]:
    """Read one question a line; raises RuleError for a list nobody would go through."""
    items = [" ".join(line.split()) for line in text.replace("\x00", "").splitlines()]
    items = [item for item in items if item]
    if len(items) > MAX_ITEMS:
        raise RuleError(f"At most {MAX_ITEMS} questions.", "items")
    for number, item in enumerate(items, start=1):
        if len(item) > _ITEM_LENGTH:
            raise RuleError(f"Question {number} is longer than {_ITEM_LENGTH} characters.", "items")
    return items


@transaction.atomic
def playbook_save(
    *,
    user: User,
    account: Account,
    name: str,
    text: str,
    items: Sequence[str],
    playbook: Playbook | None = None,
    version: int | None = None,
) -> Playbook:
    """Create a playbook, or change one read at ``version``.

    Raises RuleError for a name that is taken or missing, ConflictError when it moved on since.
    Checklists that were answered keep their wording.
    """
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise RuleError("A playbook needs a name.", "name")
    taken = Playbook.objects.filter(account=account, name__iexact=name)
    if playbook is not None:
        taken = taken.exclude(pk=playbook.pk)
    if taken.exists():
        raise RuleError("The account has a playbook of this name.", "name")
    if playbook is None:
        playbook = Playbook(account=account)
    else:
        playbook = Playbook.objects.select_for_update().get(pk=playbook.pk)
        if version is not None and playbook.version != version:
            raise ConflictError("Somebody changed this playbook meanwhile. Reload, then change it again.")
        playbook.version += 1
    playbook.name, playbook.text, playbook.items = name, text.replace("\x00", ""), list(items)
    playbook.save()
    audit_record(
        actor=user, action="playbook.save", account=account, obj=playbook, summary=name,
        changes={"items": playbook.items},
    )  # fmt: skip
    return playbook


@transaction.atomic
def playbook_archive(*, user: User, playbook: Playbook, archived: bool = True) -> None:
    """Take a playbook off the lists, or bring it back; reviews that used it keep their answers."""
    moment = timezone.now() if archived else None
    changed = Playbook.objects.filter(pk=playbook.pk, archived_at__isnull=archived).update(archived_at=moment)
    if changed:
        action = "playbook.archive" if archived else "playbook.restore"
        audit_record(actor=user, action=action, account=playbook.account, obj=playbook, summary=playbook.name)
