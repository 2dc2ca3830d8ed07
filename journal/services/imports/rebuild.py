"""Trades from all recorded rows of an account: grouped anew, then brought into the ledger.

``rebuild`` is the only writer: a commit adds rows and rebuilds, an undo takes rows away and rebuilds, a merge
or a split changes choices and rebuilds. What is already as it should be is not touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from hedging.engine.book import ContractSpec
from hedging.selectors.calendar import NEW_YORK, session_date
from hedging.services.bulk import objects_insert
from hedging.services.snapshots.contracts import contract_spec, contracts_get_or_create
from journal.errors import RuleError
from journal.importers.grouping import Execution, ExecutionPart, Grouping, TradeGroup, group_executions
from journal.importers.rows import BOOKED, IMPORTED
from journal.importers.shapes import Named, name_group
from journal.models import (
    Account,
    Fill,
    GroupChoice,
    GroupLabel,
    ImportBatch,
    ImportRow,
    Trade,
    TradeReview,
    User,
)
from journal.selectors.book.trades import live_fills
from journal.selectors.imports.openings import group_instrument
from journal.services.book.ledger import DERIVED, trade_derive
from journal.services.imports.rows import executions, split_note
from journal.services.review.reviews import review_anchor, review_follow

#: Source of fills that were computed from an official settlement value; a broker's own row replaces them.
COMPUTED = Fill.SETTLEMENT
REPLACED = Fill.REPLACED
TWICE = "A trade entered by hand on that day has the same legs: is it the same one?"
_BATCH = 2_000
_BOOKED = [kind.value for kind in BOOKED]
_EVENING = 18


@dataclass(frozen=True, slots=True)
class Desired:
    """A group with its name and what a person said about it."""

    group: TradeGroup
    named: Named
    title: str = ""
    reviewed: bool = False
    doubt: str = ""

    @property
    def review(self) -> str:
        """What should be looked at; empty once a person did."""
        found = (self.doubt, self.group.review, self.named.review)
        return "" if self.reviewed else " ".join(filter(None, found))

    @property
    def instrument(self) -> str:
        """The instrument of a hedge layer, "" for other trades."""
        return group_instrument(self.group, self.named.kind)


@dataclass(frozen=True, slots=True)
class RowRef:
    """A row that takes part: its id, status, and what its fills say about themselves."""

    pk: int
    status: str
    note: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What the account's trades should be, from rows and fills."""

    wanted: Sequence[Desired]
    grouping: Grouping
    rows: dict[str, RowRef]
    fills: dict[str, FillRef]
    fixed: dict[str, Fill]


@dataclass(frozen=True, slots=True)
class FillRef:
    """A stored fill of an import, as far as a plan needs it."""

    pk: UUID
    trade: UUID
    quantity: int
    fees: Decimal


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild changed."""

    trades_made: int = 0
    trades_removed: int = 0
    fills_made: int = 0
    fills_removed: int = 0
    waiting: int = 0
    cash: tuple[int, int] = (0, 0)
    replaced: list[str] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)
    trades: dict[int, Trade] = field(default_factory=dict)


def plan_account(account: Account, batch: ImportBatch | None = None) -> Plan:
    """Group everything recorded in the account, and the new rows of ``batch``."""
    held = (ImportRow.Status.RECORDED, ImportRow.Status.WAITING)
    booked = ImportRow.objects.filter(account=account, kind__in=_BOOKED).order_by("pk")
    wanted = [booked.filter(status__in=held)]
    if batch is not None:
        wanted.append(booked.filter(batch=batch, status=ImportRow.Status.NEW))
    own = Fill.objects.filter(account=account, source__in=IMPORTED)
    fills = {
        identity: FillRef(pk, trade, quantity, fees)
        for identity, pk, trade, quantity, fees in own.values_list(
            "external_id", "pk", "trade_id", "quantity", "fees"
        ).iterator(_BATCH)
    }
    foreign = list(
        Fill.objects.filter(account=account).exclude(source__in=IMPORTED).select_related("contract")
    )
    choices = dict(GroupChoice.objects.filter(account=account).values_list("key", "group"))
    trades = {identity: str(fill.trade) for identity, fill in fills.items()}
    corrected = _corrected(fills, foreign)
    for identity in corrected:
        del fills[identity]
    rows: dict[str, RowRef] = {}
    found: list[Execution] = []
    columns = ("key", "pk", "status", "kind", "data")
    stored = (rows_of.values_list(*columns).iterator(_BATCH) for rows_of in wanted)
    for key, pk, status, kind, data in chain.from_iterable(stored):
        rows[key] = RowRef(pk, status, split_note(data))
        read = executions(key, data, kind, choice=choices.get(key, ""), trades=trades)
        found += [one for one in read if f"{key}/{one.leg}.0" not in corrected] if corrected else read
    fixed = {f"fixed:{fill.pk}": fill for fill in _standing(foreign)}
    found += [_fixed(key, fill) for key, fill in fixed.items()]
    grouping = group_executions(found)
    return Plan(_named(account, grouping.groups, choices), grouping, rows, fills, fixed)


def _standing(foreign: Sequence[Fill]) -> list[Fill]:
    """Fills recorded otherwise, without those a person reversed and without the reversals.

    A computed settlement that an import replaced stands for as long as nothing says otherwise: when the
    import is undone it counts again.
    """
    gone = {fill.reverses_id for fill in foreign if fill.reverses_id and fill.source != REPLACED}
    return [fill for fill in foreign if fill.reverses_id is None and fill.pk not in gone]


def _corrected(fills: dict[str, FillRef], foreign: Sequence[Fill]) -> set[str]:
    """Identities of imported fills that a person reversed: fill and reversal stay as they are, and cancel.

    A row that is divided between trades is not among them; its reversal is grouped like a fill by hand.
    """
    reversed_pks = {fill.reverses_id for fill in foreign if fill.reverses_id}
    if not reversed_pks:
        return set()
    whole = {identity for identity in fills if f"{identity.rpartition('.')[0]}.1" not in fills}
    return {identity for identity in whole if fills[identity].pk in reversed_pks}


def _fixed(key: str, fill: Fill) -> Execution:
    computed = fill.source == COMPUTED
    return Execution(
        key=key, leg=0, moment=fill.executed_at, timed=True, spec=contract_spec(fill.contract),
        quantity=fill.quantity, price=fill.price, fees=fill.fees, effect="close" if computed else "",
        kind="computed" if computed else "fill", trade=str(fill.trade_id), fixed=True,
    )  # fmt: skip


def _named(account: Account, groups: Sequence[TradeGroup], choices: dict[str, str]) -> list[Desired]:
    """Names of groups; a person's words go before what the shape says."""
    labels = {label.group: label for label in GroupLabel.objects.filter(account=account)}
    by_hand = {_signature(group) for group in groups if group.parts[0].source.fixed}
    wanted = []
    for group in groups:
        named = name_group(group)
        doubt = TWICE if not group.parts[0].source.fixed and _signature(group) in by_hand else ""
        token = group.token or next(
            (choices[p.source.key] for p in group.parts if p.source.key in choices), group_token(group)
        )
        label = labels.get(token)
        if label is None:
            wanted.append(Desired(group, named, doubt=doubt))
            continue
        if label.kind:
            named = Named(label.kind, label.layer)
        wanted.append(Desired(group, named, label.title, label.reviewed, doubt))
    return wanted


def _signature(group: TradeGroup) -> tuple[object, ...]:
    """Day and legs of an opening: two trades that share it may be one, recorded twice."""
    legs = frozenset((spec.symbol, quantity) for spec, quantity in group.opening())
    return session_date(group.opened), legs


def group_token(group: TradeGroup) -> str:
    """The name under which a group that nobody chose keeps its label: its anchor."""
    return f"a:{group.anchor[-38:]}"


def rebuild(*, user: User, account: Account, plan: Plan) -> Rebuilt:
    """Bring the ledger to the plan. The caller holds the account's lock and a transaction."""
    outcome = Rebuilt(waiting=len([key for key in plan.grouping.waiting if key in plan.rows]))
    trades, fresh = _trades(user, account, plan)
    outcome.trades_made = len(fresh)
    _remove_and_move(plan, trades, outcome)
    _write_fills(user, account, plan, trades, fresh, outcome)
    _replace_computed(user, plan, trades, outcome)
    _refresh(account, plan, trades, fresh, outcome)
    _statuses(plan)
    outcome.trades = trades
    return outcome


def _trades(user: User, account: Account, plan: Plan) -> tuple[dict[int, Trade], set[UUID]]:
    """The trade of each group by its number, and which are new: those are stored with their fills."""
    known = {str(trade.pk): trade for trade in Trade.objects.filter(account=account)}
    found: dict[int, Trade] = {}
    fresh = set()
    for wanted in plan.wanted:
        group = wanted.group
        trade = known.get(group.trade)
        if trade is None:
            trade = Trade(
                account=account, kind=wanted.named.kind, layer=wanted.named.layer, created_by=user,
                underlying=group.underlying, title=wanted.title, instrument=wanted.instrument,
            )  # fmt: skip
            fresh.add(trade.pk)
        found[group.number] = trade
    return found, fresh


def _remove_and_move(plan: Plan, trades: dict[int, Trade], outcome: Rebuilt) -> None:
    """Take away fills that are no part of a group any more, move those whose group is another trade."""
    parts = {
        part.identity: (part, trades[wanted.group.number])
        for wanted in plan.wanted
        for part in wanted.group.parts
    }
    stale = []
    moves: dict[UUID, list[UUID]] = {}
    for identity, fill in plan.fills.items():
        part, trade = parts.get(identity, (None, None))
        if part is None or trade is None or (part.quantity, part.fees) != (fill.quantity, fill.fees):
            stale.append(identity)
            outcome.changed.add(fill.trade)
        elif fill.trade != trade.pk:
            moves.setdefault(trade.pk, []).append(fill.pk)
            outcome.changed |= {fill.trade, trade.pk}
    for chunk in _chunks([plan.fills[identity].pk for identity in stale]):
        if Fill.objects.filter(reverses__in=chunk).exists():
            raise RuleError("A fill that would be divided anew was corrected by hand.")
        Fill.objects.filter(pk__in=chunk).delete()
    for identity in stale:
        del plan.fills[identity]
    for trade_pk, pks in moves.items():
        for chunk in _chunks(pks):
            Fill.objects.filter(pk__in=chunk).update(trade_id=trade_pk)
    outcome.fills_removed = len(stale)


def _write_fills(
    user: User, account: Account, plan: Plan, trades: dict[int, Trade], fresh: set[UUID], outcome: Rebuilt
) -> None:
    """Store the fills that are missing; a new trade is derived from them and stored beside them.

    Group by group in portions, so that memory does not grow with the file. Foreign keys are checked when the
    transaction ends.
    """
    moved = {pk for pk in outcome.changed if pk in fresh}
    portion: list[tuple[Trade, list[ExecutionPart]]] = []
    waiting = 0
    for wanted in plan.wanted:
        parts = [p for p in wanted.group.parts if not p.source.fixed and p.identity not in plan.fills]
        trade = trades[wanted.group.number]
        if parts or trade.pk in fresh:
            portion.append((trade, parts))
            waiting += len(parts)
        if waiting >= _BATCH:
            outcome.fills_made += _write_portion(user, account, plan, portion, fresh, moved, outcome)
            portion, waiting = [], 0
    outcome.fills_made += _write_portion(user, account, plan, portion, fresh, moved, outcome)


def _write_portion(
    user: User,
    account: Account,
    plan: Plan,
    portion: Sequence[tuple[Trade, list[ExecutionPart]]],
    fresh: set[UUID],
    moved: set[UUID],
    outcome: Rebuilt,
) -> int:
    contracts = contracts_get_or_create(specs=_specs(part for _, parts in portion for part in parts))
    fills: dict[UUID, list[Fill]] = {}
    for trade, parts in portion:
        fills[trade.pk] = [
            Fill(
                account_id=account.pk, trade_id=trade.pk, contract=contracts[part.source.spec.symbol],
                quantity=part.quantity, price=part.source.price, fees=part.fees,
                executed_at=part.source.moment, trade_date=_session(part.source.moment),
                source=part.source.key.partition(":")[0], external_id=part.identity, created_by_id=user.pk,
                note=plan.rows[part.source.key].note[:200],
            )
            for part in parts
        ]  # fmt: skip
    made = [fill for held in fills.values() for fill in held]
    objects_insert(made)
    new = []
    for trade, parts in portion:
        whole = trade.pk in fresh and trade.pk not in moved
        if whole:
            trade_derive(trade, fills[trade.pk])
        elif parts:
            outcome.changed.add(trade.pk)
        if trade.pk in fresh:
            new.append(trade)
    objects_insert(new)
    _follow_reviews(account, {trade.pk: fills[trade.pk] for trade in new if trade.pk not in moved}, new)
    return len(made)


def _specs(parts: Iterable[ExecutionPart]) -> list[ContractSpec]:
    return list({part.source.spec.symbol: part.source.spec for part in parts}.values())


def _session(moment: datetime) -> date:
    """The session a fill belongs to; rows were checked when they were staged."""
    from journal.selectors.times import fill_session

    if moment.astimezone(NEW_YORK).hour >= _EVENING:
        return fill_session(moment, now=moment)
    return session_date(moment)


def _replace_computed(user: User, plan: Plan, trades: dict[int, Trade], outcome: Rebuilt) -> None:
    """Take back computed settlements of legs that the broker's own rows close: a leg settles once.

    Rows that close a part of it before its expiry take back that part. One that settles more than its trade
    ever opened has lost its rows to an undo, a merge or a split. It goes altogether; what is still held is
    settled anew.
    """
    computed = {key: fill for key, fill in plan.fixed.items() if fill.source == COMPUTED}
    opened: dict[tuple[UUID, str], int] = defaultdict(int)
    for wanted in plan.wanted:
        for part in wanted.group.parts if computed else ():
            if part.opens:
                opened[trades[wanted.group.number].pk, part.source.spec.symbol] += abs(part.quantity)
    lost = [f for f in computed.values() if abs(f.quantity) > opened[f.trade_id, f.contract.symbol]]
    for chunk in _chunks([fill.pk for fill in lost]):
        Fill.objects.filter(reverses__in=chunk).delete()
        Fill.objects.filter(pk__in=chunk).delete()
    outcome.changed |= {fill.trade_id for fill in lost}
    computed = {key: fill for key, fill in computed.items() if fill not in lost}
    mirrors = {
        fill.reverses_id: fill
        for fill in Fill.objects.filter(source=REPLACED, reverses__in=[f.pk for f in computed.values()])
    }
    for key, stored in computed.items():
        fill, mirror = stored, mirrors.get(stored.pk)
        over = plan.grouping.waiting.get(key, 0)
        if 0 < over < abs(fill.quantity):
            if mirror is not None:
                mirror.delete()
            fill, mirror = _divide(fill, over), None
            outcome.changed.add(fill.trade_id)
        if over and mirror is None:
            Fill.objects.create(
                account_id=fill.account_id, trade_id=fill.trade_id, contract=fill.contract,
                quantity=-fill.quantity, price=fill.price, fees=-fill.fees, executed_at=fill.executed_at,
                trade_date=fill.trade_date, reverses=fill, source=REPLACED, created_by=user,
                note="replaced by the broker's own rows",
            )  # fmt: skip
            outcome.replaced.append(f"{fill.contract.symbol} computed at {fill.price.normalize():f}")
            outcome.changed.add(fill.trade_id)
        elif not over and mirror is not None:
            mirror.delete()
            outcome.changed.add(fill.trade_id)


def _divide(fill: Fill, over: int) -> Fill:
    """Divide a computed settlement in two: what is still held, and the ``over`` contracts that are not.

    Returns the second. Both keep value and author, and count again as one when the import is undone.
    """
    sign = 1 if fill.quantity > 0 else -1
    Fill.objects.filter(pk=fill.pk).update(quantity=fill.quantity - sign * over)
    return Fill.objects.create(
        account_id=fill.account_id, trade_id=fill.trade_id, contract=fill.contract, quantity=sign * over,
        price=fill.price, fees=Decimal(0), executed_at=fill.executed_at, trade_date=fill.trade_date,
        source=COMPUTED, external_id=f"{fill.external_id}/{uuid4().hex}", note=fill.note,
        created_by_id=fill.created_by_id,
    )  # fmt: skip


def _refresh(
    account: Account, plan: Plan, trades: dict[int, Trade], fresh: set[UUID], outcome: Rebuilt
) -> None:
    """Derived fields of every trade that changed; trades that hold nothing of their own are removed."""
    _rename(plan, trades, fresh, outcome)
    by_pk = {trade.pk: trade for trade in trades.values()}
    for chunk in _chunks(sorted(outcome.changed)):
        fills: dict[UUID, list[Fill]] = {pk: [] for pk in chunk}
        for fill in Fill.objects.filter(trade__in=chunk).select_related("contract"):
            fills[fill.trade_id].append(fill)
        missing = [pk for pk in chunk if pk not in by_pk]
        by_pk |= {trade.pk: trade for trade in Trade.objects.filter(pk__in=missing)}
        changed, empty = [], []
        for pk, held in fills.items():
            if _nothing_but_settled(held):
                empty.append(pk)
                continue
            trade = trade_derive(by_pk[pk], held)
            trade.version += 1
            trade.updated_at = timezone.now()
            changed.append(trade)
        Trade.objects.bulk_update(
            changed, [*DERIVED, "version", "title", "kind", "layer", "instrument"], batch_size=100
        )
        _follow_reviews(account, fills, changed)
        leftovers = Fill.objects.filter(trade__in=empty)
        leftovers.exclude(reverses=None).delete()
        leftovers.delete()
        Trade.objects.filter(account=account, pk__in=empty).delete()
        outcome.trades_removed += len(empty)


def _nothing_but_settled(held: Sequence[Fill]) -> bool:
    """Whether all that is left are computed settlements and their reversals: what they settled is gone."""
    computed = {fill.pk for fill in held if fill.source == COMPUTED}
    return all(fill.pk in computed or fill.reverses_id in computed for fill in held)


def _follow_reviews(account: Account, fills: dict[UUID, list[Fill]], changed: Sequence[Trade]) -> None:
    """Reviews keep their trades, and those of trades that are recorded again come back."""
    reviews = TradeReview.objects.filter(account=account)
    orphans = set(reviews.filter(trade=None).values_list("anchor", flat=True))
    held = set(reviews.exclude(trade=None).values_list("trade_id", flat=True))
    if not held and not orphans:
        return
    for trade in changed:
        live = live_fills(fills.get(trade.pk, ()))
        if trade.pk in held or review_anchor(live) in orphans:
            review_follow(trade, live)


def _rename(plan: Plan, trades: dict[int, Trade], fresh: set[UUID], outcome: Rebuilt) -> None:
    """Kind, layer and title of groups opened by imported rows follow the plan."""
    for wanted in plan.wanted:
        trade = trades[wanted.group.number]
        if trade.pk in fresh or any(part.source.fixed and part.opens for part in wanted.group.parts):
            continue
        words = (wanted.named.kind, wanted.named.layer, wanted.title, wanted.instrument)
        if words != (trade.kind, trade.layer, trade.title, trade.instrument):
            trade.kind, trade.layer, trade.title, trade.instrument = words
            outcome.changed.add(trade.pk)


def _statuses(plan: Plan) -> None:
    """Rows whose contracts found no opening wait; the others are recorded."""
    waiting, recorded = ImportRow.Status.WAITING, ImportRow.Status.RECORDED
    late = [r.pk for k, r in plan.rows.items() if k in plan.grouping.waiting and r.status != waiting]
    found = [r.pk for k, r in plan.rows.items() if k not in plan.grouping.waiting and r.status == waiting]
    new = [row.pk for row in plan.rows.values() if row.status == ImportRow.Status.NEW]
    if new:  # the new rows of one batch lie together
        ImportRow.objects.filter(
            status=ImportRow.Status.NEW, pk__range=(min(new), max(new)), batch=_batch_of(new[0])
        ).update(status=recorded)
    for status, pks in ((waiting, late), (recorded, found)):
        for chunk in _chunks(pks):
            ImportRow.objects.filter(pk__in=chunk).update(status=status)


def _batch_of(row_pk: int) -> UUID:
    return ImportRow.objects.values_list("batch_id", flat=True).get(pk=row_pk)


def _chunks(values: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
