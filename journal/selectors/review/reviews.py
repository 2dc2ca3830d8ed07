"""Reads of reviews: what the panels of a trade and of a day show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString

from hedging.selectors.calendar import NEW_YORK
from journal.models import Account, Attachment, Note, Playbook, Tag, Tagging, Trade, TradeReview, User
from journal.selectors.review.markdown import markdown_html

#: Words of the method, offered while the account does not have them yet.
SUGGESTED = ("Big Top Cash Press", "loyalty", "motion", "time-shift")
SUGGESTED_MISTAKES = ("too large", "entered early", "held past 21 DTE", "no hedge", "moved a stop")
_UNDO = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ShownNote:
    """A note with its text as HTML; ``removed`` ones wait a day for Undo."""

    note: Note
    html: SafeString
    removed: bool
    edited: bool


@dataclass(frozen=True, slots=True)
class Subjects:
    """Notes and files about one thing."""

    notes: tuple[ShownNote, ...]
    files: tuple[Attachment, ...]
    removed_files: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class TradeReviewView:
    """Everything the review panel of a trade shows; ``review`` is None before the first entry."""

    review: TradeReview | None
    labels: tuple[Tag, ...]
    mistakes: tuple[Tag, ...]
    ranges: tuple[Tagging, ...]
    about: Subjects
    playbooks: tuple[Playbook, ...]
    known: tuple[str, ...]
    known_mistakes: tuple[str, ...]


def shown_notes(notes: Iterable[Note]) -> tuple[ShownNote, ...]:
    """Render notes, oldest first; those removed more than a day ago are left out."""
    since = timezone.now() - _UNDO
    return tuple(
        ShownNote(note, markdown_html(note.text), note.deleted_at is not None, note.version > 1)
        for note in notes
        if note.deleted_at is None or note.deleted_at > since
    )


def subjects(user: User, **about: Any) -> Subjects:
    """Read the notes and files about a ``review``, or about a ``day`` of an ``account``."""
    notes = Note.objects.for_user(user).filter(**about).select_related("created_by")
    files = Attachment.objects.for_user(user).filter(**about).defer("content", "thumbnail")
    since = timezone.now() - _UNDO
    every = list(files)
    return Subjects(
        shown_notes(notes),
        tuple(f for f in every if f.deleted_at is None),
        tuple(f for f in every if f.deleted_at is not None and f.deleted_at > since),
    )


def trade_review_view(user: User, trade: Trade) -> TradeReviewView:
    """Read the review of a trade the user may see."""
    review = TradeReview.objects.for_user(user).filter(trade=trade).select_related("playbook").first()
    tags = tuple(Tag.objects.filter(taggings__review=review)) if review else ()
    opened, closed = _days(trade)
    names = Tag.objects.for_user(user).filter(account=trade.account_id).values_list("name", "kind")
    labels = [name for name, kind in names if kind == Tag.Kind.LABEL]
    mistakes = [name for name, kind in names if kind == Tag.Kind.MISTAKE]
    return TradeReviewView(
        review=review,
        labels=tuple(tag for tag in tags if tag.kind == Tag.Kind.LABEL),
        mistakes=tuple(tag for tag in tags if tag.kind == Tag.Kind.MISTAKE),
        ranges=tuple(ranges_between(user, trade.account, opened, closed)) if opened and closed else (),
        about=subjects(user, review=review) if review else Subjects((), (), ()),
        playbooks=tuple(playbooks_for(user, trade.account)),
        known=tuple(dict.fromkeys((*labels, *SUGGESTED))),
        known_mistakes=tuple(dict.fromkeys((*mistakes, *SUGGESTED_MISTAKES))),
    )


def _days(trade: Trade) -> tuple[date | None, date | None]:
    def day(moment: datetime | None) -> date | None:
        return moment.astimezone(NEW_YORK).date() if moment else None

    return day(trade.opened_at), day(trade.closed_at or timezone.now())


def playbooks_for(user: User, account: Account) -> QuerySet[Playbook]:
    """The account's playbooks that are in use."""
    return Playbook.objects.for_user(user).filter(account=account, archived_at=None)


def ranges_between(user: User, account: Account, first: date, last: date) -> QuerySet[Tagging]:
    """Tagged date ranges of the account that touch the days from ``first`` to ``last``."""
    return (
        Tagging.objects.for_user(user)
        .filter(account=account, review=None, date_from__lte=last, date_to__gte=first)
        .select_related("tag")
        .order_by("date_from", "tag__name")
    )


def tags_with_counts(user: User, account: Account) -> QuerySet[Any]:
    """The account's tags with how many trades and date ranges carry them."""
    return (
        Tag.objects.for_user(user)
        .filter(account=account)
        .annotate(
            trades=Count("taggings", filter=Q(taggings__review__trade__isnull=False)),
            ranges=Count("taggings", filter=Q(taggings__review=None)),
        )
        .order_by("kind", "name")
    )


def ranges_of(user: User, account: Account) -> QuerySet[Tagging]:
    """The account's tagged date ranges, newest first."""
    rows = Tagging.objects.for_user(user).filter(account=account, review=None).select_related("tag")
    return rows.order_by("-date_from", "tag__name")


@dataclass(frozen=True, slots=True)
class UseRow:
    """How trades with something in common went: counts, and realized P&L of the closed ones."""

    trades: int
    closed: int
    realized: Decimal

    @property
    def average(self) -> Decimal | None:
        """Realized dollars a closed trade; None without one."""
        return self.realized / self.closed if self.closed else None


def _use(trades: Iterable[tuple[str, Decimal, Decimal]]) -> UseRow:
    rows = list(trades)
    done = [cash - fees for status, cash, fees in rows if status == Trade.Status.CLOSED]
    return UseRow(len(rows), len(done), sum(done, Decimal(0)))


def mistakes_table(user: User, account: Account) -> list[tuple[Tag, UseRow]]:
    """Each mistake with the trades that carry it, dearest first."""
    rows = (
        Tagging.objects.for_user(user)
        .filter(account=account, tag__kind=Tag.Kind.MISTAKE, review__trade__isnull=False)
        .values_list(
            "tag_id", "review__trade__status", "review__trade__net_cash", "review__trade__fees_total"
        )
    )
    grouped: dict[Any, list[tuple[str, Decimal, Decimal]]] = {}
    for tag_id, status, cash, fees in rows:
        grouped.setdefault(tag_id, []).append((status, cash, fees))
    tags = Tag.objects.for_user(user).filter(account=account, kind=Tag.Kind.MISTAKE)
    table = [(tag, _use(grouped.get(tag.pk, []))) for tag in tags]
    return sorted(table, key=lambda row: (row[1].realized, row[0].name))


@dataclass(frozen=True, slots=True)
class PlaybookRow:
    """A playbook, the trades that followed it, and how often every question was answered yes."""

    playbook: Playbook
    use: UseRow
    complete: int


def playbook_rows(user: User, account: Account) -> list[PlaybookRow]:
    """The account's playbooks with their use, archived ones last."""
    reviews = (
        TradeReview.objects.for_user(user)
        .filter(account=account, playbook__isnull=False, trade__isnull=False)
        .values_list("playbook_id", "checklist", "trade__status", "trade__net_cash", "trade__fees_total")
    )
    grouped: dict[Any, list[Any]] = {}
    for playbook_id, *row in reviews:
        grouped.setdefault(playbook_id, []).append(row)
    rows = []
    for playbook in Playbook.objects.for_user(user).filter(account=account):
        mine = grouped.get(playbook.pk, [])
        complete = sum(all(item["checked"] for item in checklist) for checklist, *_ in mine)
        rows.append(PlaybookRow(playbook, _use(tuple(r[1:]) for r in mine), complete))
    return sorted(rows, key=lambda r: (r.playbook.archived_at is not None, r.playbook.name))
