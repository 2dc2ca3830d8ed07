"""The list of trades: filters as they stand in the address, its order, and totals of what they leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, F, FloatField, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.http import QueryDict

from hedging.engine.money import to_cents
from journal.models import Note, Tagging, Trade, User, Valuation
from journal.selectors.book.trades import trades_for

_TEXT_LENGTH = 80
_MOST_DAYS = 20_000
ZERO = Decimal(0)

#: Columns a list can be ordered by, as they stand in ``?sort=``; a minus turns them round.
SORTS: dict[str, str] = {
    "label": "label",
    "account": "account__name",
    "opened": "opened_at",
    "expiry": "nearest_expiry",
    "cash": "net_cash",
    "pnl": "pnl_now",
    "rating": "review__rating",
    "status": "status",
}


@dataclass(frozen=True, slots=True)
class TradeFilters:
    """What a list is narrowed to; empty values narrow nothing.

    ``dte`` are calendar days to the nearest open expiry, ``pnl`` dollars after fees (realized once
    closed, else as valued), dates are of the opening. ``ignored`` names what was not understood.
    """

    status: str = ""
    kind: str = ""
    layer: int | None = None
    account: UUID | None = None
    underlying: str = ""
    tags: tuple[str, ...] = ()
    text: str = ""
    opened_from: date | None = None
    opened_to: date | None = None
    dte_min: int | None = None
    dte_max: int | None = None
    pnl_min: Decimal | None = None
    pnl_max: Decimal | None = None
    sort: str = ""
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> TradeFilters:
        """Read filters from an address; what cannot be read narrows nothing and is named."""
        bad: list[str] = []

        def read(name: str, convert: Any) -> Any:
            text = query.get(name, "").strip()
            if not text:
                return None
            try:
                return convert(text)
            except (ValueError, InvalidOperation, OverflowError):
                bad.append(name)
                return None

        found = {
            "status": read("status", _one_of(Trade.Status.values)) or "",
            "kind": read("kind", _one_of(Trade.Kind.values)) or "",
            "layer": read("layer", lambda text: int(_one_of(("1", "2", "3"))(text))),
            "account": read("account", UUID),
            "underlying": read("underlying", _symbol) or "",
            "tags": tuple(dict.fromkeys(t.strip()[:40] for t in query.getlist("tag") if t.strip()))[:5],
            "text": query.get("q", "").strip()[:_TEXT_LENGTH],
            "opened_from": read("from", date.fromisoformat),
            "opened_to": read("to", date.fromisoformat),
            "dte_min": read("dte_min", _days),
            "dte_max": read("dte_max", _days),
            "pnl_min": read("pnl_min", _amount),
            "pnl_max": read("pnl_max", _amount),
            "sort": read("sort", _sort) or "",
        }
        return cls(**found, ignored=tuple(bad))

    @property
    def is_narrow(self) -> bool:
        """Whether anything is filtered."""
        apart = {"sort", "ignored"}
        return any(getattr(self, f.name) not in ("", None, ()) for f in fields(self) if f.name not in apart)


def _one_of(values: Iterable[str]) -> Any:
    known = set(values)

    def check(text: str) -> str:
        if text not in known:
            raise ValueError
        return text

    return check


def _symbol(text: str) -> str:
    if not (text.isascii() and text.isalnum() and len(text) <= 8):
        raise ValueError
    return text.upper()


def _days(text: str) -> int:
    if abs(int(text)) > _MOST_DAYS:
        raise ValueError
    return int(text)


def _amount(text: str) -> Decimal:
    value = Decimal(text.replace(",", "").replace("$", "").replace("\N{MINUS SIGN}", "-"))
    if not value.is_finite() or abs(value) > Decimal(10) ** 12:
        raise ValueError
    return value


def _sort(text: str) -> str:
    if text.removeprefix("-") not in SORTS:
        raise ValueError
    return text


@dataclass(frozen=True, slots=True)
class TradeTotals:
    """Totals of a filtered list in dollars after fees.

    ``realized`` is of closed trades, ``unrealized`` the newest valuation of open ones; ``unknown``
    counts open trades that have none.
    """

    count: int
    realized: Decimal
    fees: Decimal
    unrealized: Decimal
    open_count: int
    unknown: int


def trades_filtered(user: User, filters: TradeFilters, *, today: date) -> QuerySet[Any]:
    """Read the user's trades that pass the filters in the order asked for, newest first by default."""
    trades: QuerySet[Any] = with_pnl(trades_for(user).select_related("review"))
    trades = trades.filter(**_plain(filters, today))
    if filters.text:
        trades = trades.filter(_mentions(filters.text))
    for name in filters.tags:
        carries = Tagging.objects.filter(review=OuterRef("review__pk"), tag__name__iexact=name)
        trades = trades.filter(Exists(carries))
    if not filters.sort:
        return trades.order_by("-opened_at", "-created_at", "pk")
    column = F(SORTS[filters.sort.removeprefix("-")])
    down = filters.sort.startswith("-")
    first = column.desc(nulls_last=True) if down else column.asc(nulls_last=True)
    return trades.order_by(first, "-opened_at", "pk")


def _plain(filters: TradeFilters, today: date) -> dict[str, Any]:
    """Filters that are one comparison each."""
    wanted: dict[str, Any] = {
        "status": filters.status or None,
        "kind": filters.kind or None,
        "layer": filters.layer,
        "account_id": filters.account,
        "underlying": filters.underlying or None,
        "opened_at__date__gte": filters.opened_from,
        "opened_at__date__lte": filters.opened_to,
        "pnl_now__gte": None if filters.pnl_min is None else float(filters.pnl_min),
        "pnl_now__lte": None if filters.pnl_max is None else float(filters.pnl_max),
        "nearest_expiry__gte": None if filters.dte_min is None else today + timedelta(days=filters.dte_min),
        "nearest_expiry__lte": None if filters.dte_max is None else today + timedelta(days=filters.dte_max),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _mentions(text: str) -> Q:
    notes = Note.objects.filter(review=OuterRef("review__pk"), deleted_at=None, text__icontains=text)
    return (
        Q(label__icontains=text)
        | Q(reason__icontains=text)
        | Q(order_text__icontains=text)
        | Q(Exists(notes))
    )


def _newest() -> QuerySet[Valuation]:
    return Valuation.objects.filter(trade=OuterRef("pk")).order_by("-book_revision", "-as_of")


def valued_figure(name: str, *path: str) -> Subquery:
    """A figure of each trade's newest valuation, at the end of a path of keys; null where it is unknown."""
    at: Any = "result"
    for key in path:
        at = KeyTransform(key, at)
    found = Cast(KeyTextTransform(name, at), FloatField())
    return Subquery(_newest().annotate(figure=found).values("figure")[:1])


def _part(path: KeyTransform) -> Subquery:
    """An object of the newest valuation; a bare number would not come back alike from both databases."""
    return Subquery(_newest().annotate(found=path).values("found")[:1])


def with_pnl(trades: QuerySet[Any]) -> QuerySet[Any]:
    """Trades with ``pnl_now``, see ``pnl_of``."""
    found: QuerySet[Any] = trades.annotate(pnl_now=_pnl_now())
    return found


def pnl_of(trade: Any) -> Decimal | None:
    """P&L after fees of a trade of ``with_pnl``: realized once closed, else as valued, None while unknown."""
    closed = trade.status == Trade.Status.CLOSED
    realized: Decimal = trade.realized
    return realized if closed else _money(trade.pnl_now)


def _pnl_now() -> Case:
    """P&L after fees for order and filter: realized once closed, else as valued, null while unknown."""
    realized = Cast(F("net_cash"), FloatField()) - Cast(F("fees_total"), FloatField())
    return Case(
        When(status=Trade.Status.CLOSED, then=realized),
        default=valued_figure("pnl", "totals"),
        output_field=FloatField(),
    )


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade of the list: ``pnl`` in dollars after fees is realized once closed, else as valued.

    ``share`` is that P&L over the open position's maximum profit, ``deltas`` dollars a point by what moves
    it. ``stale`` is whether the book changed since that valuation; None figures are unknown.
    """

    trade: Trade
    pnl: Decimal | None
    mark: Decimal | None
    share: float | None
    deltas: tuple[tuple[str, float | None], ...]
    stale: bool
    tags: tuple[str, ...]
    mistakes: tuple[str, ...]
    rating: int | None
    may_write: bool

    @property
    def has_tags(self) -> bool:
        """Whether a tag or a mistake stands beside it."""
        return bool(self.tags or self.mistakes)


def with_page_details(trades: QuerySet[Any]) -> QuerySet[Any]:
    """Fetch the newest mark and the tags along with each trade, in a constant number of queries."""
    taggings = Tagging.objects.select_related("tag").order_by("tag__name")
    detailed: QuerySet[Any] = trades.annotate(
        valued_mark=valued_figure("market_value", "totals"),
        valued_revision=Subquery(_newest().values("book_revision")[:1]),
        valued_greeks=_part(KeyTransform("greeks", KeyTransform("totals", "result"))),
        valued_structure=_part(KeyTransform("structure", "result")),
    ).prefetch_related(Prefetch("review__taggings", queryset=taggings, to_attr="shown"))
    return detailed


def trade_rows(trades: Iterable[Any], writable: frozenset[UUID] = frozenset()) -> list[TradeRow]:
    """Make the rows of a page of ``with_page_details``; ``writable`` are accounts the user may change."""
    rows = []
    for trade in trades:
        closed = trade.status == Trade.Status.CLOSED
        review = getattr(trade, "review", None)
        taggings = review.shown if review else ()
        revision = trade.valued_revision
        rows.append(
            TradeRow(
                trade,
                pnl=pnl_of(trade),
                mark=None if closed else _money(trade.valued_mark),
                share=None if closed else _share(trade.pnl_now, trade.valued_structure),
                deltas=() if closed else _deltas(trade.valued_greeks),
                stale=not closed and revision is not None and revision != trade.account.book_revision,
                tags=tuple(t.tag.name for t in taggings if t.tag.kind == "label"),
                mistakes=tuple(t.tag.name for t in taggings if t.tag.kind == "mistake"),
                rating=review.rating if review else None,
                may_write=trade.account_id in writable,
            )
        )
    return rows


def _share(pnl: float | None, structure: dict[str, Any] | None) -> float | None:
    """P&L over the maximum profit; None where either is unknown or nothing can be won."""
    most = structure["max_profit"] if structure else None
    return pnl / most if pnl is not None and most is not None and most > 0 else None


def _deltas(greeks: dict[str, dict[str, float | None]] | None) -> tuple[tuple[str, float | None], ...]:
    return tuple((factor, of["delta"]) for factor, of in (greeks or {}).items())


def _money(value: float | None) -> Decimal | None:
    return None if value is None else to_cents(Decimal(str(value)))


def trade_totals(trades: QuerySet[Any]) -> TradeTotals:
    """Add up a list in Decimal; one database keeps no exact sums."""
    closed = Trade.Status.CLOSED
    rows = list(trades.order_by().values_list("net_cash", "fees_total", "status", "pnl_now"))
    waiting = [_money(pnl) for _, _, status, pnl in rows if status != closed]
    return TradeTotals(
        len(rows),
        sum((cash - fees for cash, fees, status, _ in rows if status == closed), ZERO),
        sum((fees for _, fees, _, _ in rows), ZERO),
        sum((pnl for pnl in waiting if pnl is not None), ZERO),
        len(waiting),
        sum(pnl is None for pnl in waiting),
    )
