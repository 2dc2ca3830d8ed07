"""What the finder finds: own trades, accounts, tags and notes; every word of the search must match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from journal.models import Account, Note, Tag, Trade, User

_MOST_WORDS, _NOTE_LENGTH = 6, 70


@dataclass(frozen=True, slots=True)
class Found:
    """One hit: what it is, its words, a fainter line beside it, and the route that shows it."""

    kind: str
    text: str
    detail: str
    route: str
    args: tuple[object, ...] = ()
    query: tuple[tuple[str, str], ...] = ()


def words(text: str) -> list[str]:
    """The search in words, at most six."""
    return text.replace("\x00", "").split()[:_MOST_WORDS]


def matches(wanted: Sequence[str], *texts: str) -> bool:
    """Whether every word is somewhere in the texts."""
    whole = " ".join(texts).lower()
    return all(word.lower() in whole for word in wanted)


def _all(wanted: Sequence[str], *columns: str) -> Q:
    """Every word in at least one of the columns."""
    found = Q()
    for word in wanted:
        either = Q()
        for column in columns:
            either |= Q(**{f"{column}__icontains": word})
        found &= either
    return found


def find(user: User, text: str) -> list[Found]:
    """Hits among the user's own rows, in four queries; none for an empty search."""
    wanted = words(text)
    if not wanted:
        return []
    trades = Trade.objects.for_user(user).filter(_all(wanted, "label", "reason", "account__name", "kind"))
    found = [
        Found(
            "trade", t.label, f"{t.get_status_display().lower()}, {t.account.name}", "trade_detail", (t.pk,)
        )
        for t in trades.select_related("account")[:8]
    ]
    for account in Account.objects.for_user(user).filter(_all(wanted, "name", "broker", "number_masked"))[:4]:
        detail = f"{account.broker} {account.number_masked}".strip()
        found.append(Found("account", account.name, detail, "trades", query=(("account", str(account.pk)),)))
    for tag in Tag.objects.for_user(user).filter(_all(wanted, "name")).select_related("account")[:5]:
        query = (("tag", tag.name), ("account", str(tag.account_id)))
        found.append(Found(tag.get_kind_display().lower(), tag.name, tag.account.name, "trades", query=query))
    notes = Note.objects.for_user(user).filter(_all(wanted, "text"), deleted_at=None)
    for note in notes.select_related("review__trade").order_by("-updated_at")[:5]:
        trade = note.review.trade if note.review else None
        about = f"{note.day:%Y-%m-%d}" if note.day else trade.label if trade else "trade not recorded"
        found.append(Found("note", _around(note.text, wanted[0]), about, "note", (note.pk,)))
    return found


def _around(text: str, word: str) -> str:
    """The part of a note around the first hit, in one line."""
    flat = " ".join(text.split())
    at = max(0, flat.lower().find(word.lower()) - 20)
    part = flat[at : at + _NOTE_LENGTH]
    return f"{'…' if at else ''}{part}{'…' if at + _NOTE_LENGTH < len(flat) else ''}"
