"""Trades from all recorded rows of an account: grouped anew, then brought into the ledger.

``rebuild`` is the only writer: a commit adds rows and rebuilds, an undo takes rows away and rebuilds, a merge
or a split changes choices and rebuilds. What is already as it should be is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from hedging.engine.book import ContractSpec
from hedging.selectors.calendar import NEW_YORK, session_date
from hedging.services.contracts import contract_spec, contracts_get_or_create
from journal.importers.grouping import Execution, Group, Grouping, Part, group_executions
from journal.importers.rows import BROKER_NAMES
from journal.importers.shapes import Named, name_group
from journal.models import Account, Fill, GroupChoice, GroupLabel, ImportRow, Trade, TradeReview, User
from journal.selectors.trades import live_fills
from journal.services.import_rows import executions, split_note
from journal.services.ledger import DERIVED, trade_derive
from journal.services.reviews import review_anchor, review_follow

IMPORTED = frozenset(broker.value for broker in BROKER_NAMES)
#: Source of fills that were computed from an official settlement value; a broker's own row replaces them.
COMPUTED = "settlement"
REPLACED = "import-replaced"
_BATCH = 2_000
_EVENING = 18


@dataclass(frozen=True, slots=True)
class Desired:
    """A group with its name and what a person said about it."""

    group: Group
    named: Named
    title: str = ""
    reviewed: bool = False

    @property
    def review(self) -> str:
        """What should be looked at; empty once a person did."""
        return "" if self.reviewed else " ".join(filter(None, (self.group.review, self.named.review)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What the account's trades should be, from rows and fills."""

    wanted: Sequence[Desired]
    grouping: Grouping
    rows: dict[str, ImportRow]
    fills: dict[str, Fill]
    fixed: dict[str, Fill]


@dataclass(slots=True)
class Outcome:
    """What a rebuild changed."""

    trades_made: int = 0
    trades_removed: int = 0
    fills_made: int = 0
    fills_removed: int = 0
    waiting: int = 0
    replaced: list[str] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)
    trades: dict[int, Trade] = field(default_factory=dict)


def plan_account(account: Account, extra: Iterable[ImportRow] = ()) -> Plan:
    """Group everything recorded in the account, and ``extra`` rows that may be."""
    recorded = ImportRow.objects.filter(
        account=account, status__in=(ImportRow.Status.RECORDED, ImportRow.Status.WAITING)
    ).only("pk", "key", "data", "kind", "status", "batch_id", "account_id")
    rows = {row.key: row for row in (*recorded.iterator(_BATCH), *extra)}
    fills: dict[str, Fill] = {}
    foreign: list[Fill] = []
    own = Fill.objects.filter(account=account).select_related("contract").order_by("executed_at", "pk")
    for fill in own.iterator(_BATCH):
        if fill.source in IMPORTED:
            fills[fill.external_id] = fill
        else:
            foreign.append(fill)
    choices = dict(GroupChoice.objects.filter(account=account).values_list("key", "group"))
    trades = {identity: str(fill.trade_id) for identity, fill in fills.items()}
    found: list[Execution] = []
    for key, row in rows.items():
        found += executions(key, row.data, row.kind, choice=choices.get(key, ""), trades=trades)
    fixed = {f"fixed:{fill.pk}": fill for fill in _standing(foreign)}
    found += [_fixed(key, fill) for key, fill in fixed.items()]
    grouping = group_executions(found)
    return Plan(_named(account, grouping.groups, choices), grouping, rows, fills, fixed)


def _standing(foreign: Sequence[Fill]) -> list[Fill]:
    """Fills recorded otherwise, less computed settlements that a person reversed.

    A computed settlement that an import replaced stands for as long as nothing says otherwise: when the
    import is undone it counts again.
    """
    by_hand = {fill.reverses_id for fill in foreign if fill.reverses_id and fill.source != REPLACED}
    gone = {fill.pk for fill in foreign if fill.pk in by_hand and fill.source == COMPUTED}
    return [
        fill
        for fill in foreign
        if fill.pk not in gone and fill.reverses_id not in gone and fill.source != REPLACED
    ]


def _fixed(key: str, fill: Fill) -> Execution:
    computed = fill.source == COMPUTED
    return Execution(
        key=key, leg=0, moment=fill.executed_at, timed=True, spec=contract_spec(fill.contract),
        quantity=fill.quantity, price=fill.price, fees=fill.fees, effect="close" if computed else "",
        kind="computed" if computed else "fill", trade=str(fill.trade_id), fixed=True,
    )  # fmt: skip


def _named(account: Account, groups: Sequence[Group], choices: dict[str, str]) -> list[Desired]:
    """Names of groups; a person's words go before what the shape says."""
    labels = {label.group: label for label in GroupLabel.objects.filter(account=account)}
    wanted = []
    for group in groups:
        named = name_group(group)
        token = group.token or next(
            (choices[p.source.key] for p in group.parts if p.source.key in choices), group_token(group)
        )
        label = labels.get(token)
        if label is None:
            wanted.append(Desired(group, named))
            continue
        if label.kind:
            named = Named(label.kind, label.layer)
        wanted.append(Desired(group, named, label.title, label.reviewed))
    return wanted


def group_token(group: Group) -> str:
    """The name under which a group that nobody chose keeps its label: its anchor."""
    return f"a:{group.anchor[-38:]}"


def rebuild(*, user: User, account: Account, plan: Plan) -> Outcome:
    """Bring the ledger to the plan. The caller holds the account's lock and a transaction."""
    outcome = Outcome(waiting=len([key for key in plan.grouping.waiting if key in plan.rows]))
    trades = _trades(user, account, plan, outcome)
    _write_fills(user, account, plan, trades, outcome)
    _replace_computed(user, plan, outcome)
    _refresh(account, plan, trades, outcome)
    _statuses(plan)
    outcome.trades = trades
    return outcome


def _trades(user: User, account: Account, plan: Plan, outcome: Outcome) -> dict[int, Trade]:
    """The trade of each group that has imported parts, made where there is none; by group number."""
    known = {str(trade.pk): trade for trade in Trade.objects.filter(account=account)}
    found: dict[int, Trade] = {}
    made = []
    for wanted in plan.wanted:
        group = wanted.group
        trade = known.get(group.trade)
        if trade is None:
            trade = Trade(
                account=account, kind=wanted.named.kind, layer=wanted.named.layer, created_by=user,
                underlying=group.underlying, title=wanted.title,
            )  # fmt: skip
            made.append(trade)
        found[group.number] = trade
    Trade.objects.bulk_create(made, batch_size=_BATCH)
    outcome.trades_made = len(made)
    return found


def _write_fills(
    user: User, account: Account, plan: Plan, trades: dict[int, Trade], outcome: Outcome
) -> None:
    """Make, move and remove fills until each stored one is a part of its group."""
    parts: dict[str, tuple[Part, Trade]] = {}
    for wanted in plan.wanted:
        for part in wanted.group.parts:
            if not part.source.fixed:
                parts[part.identity] = (part, trades[wanted.group.number])
    stale = [
        fill for identity, fill in plan.fills.items()
        if identity not in parts or parts[identity][0].quantity != fill.quantity
        or parts[identity][0].fees != fill.fees
    ]  # fmt: skip
    for start in range(0, len(stale), 500):
        Fill.objects.filter(pk__in=[fill.pk for fill in stale[start : start + 500]]).delete()
    gone = {fill.external_id for fill in stale}
    outcome.fills_removed = len(stale)
    outcome.changed |= {fill.trade_id for fill in stale}
    moved = []
    for identity, (_, trade) in parts.items():
        fill = plan.fills.get(identity)
        if fill is not None and identity not in gone and fill.trade_id != trade.pk:
            outcome.changed |= {fill.trade_id, trade.pk}
            fill.trade = trade
            moved.append(fill)
    Fill.objects.bulk_update(moved, ["trade"], batch_size=500)
    fresh = [identity for identity in parts if identity not in plan.fills or identity in gone]
    contracts = contracts_get_or_create(specs=_specs(parts[identity][0] for identity in fresh))
    made = []
    for identity in fresh:
        part, trade = parts[identity]
        one = part.source
        row = plan.rows[one.key]
        made.append(
            Fill(
                account=account, trade=trade, contract=contracts[one.spec.symbol], quantity=part.quantity,
                price=one.price, fees=part.fees, executed_at=one.moment, trade_date=_session(one.moment),
                source=one.key.partition(":")[0], external_id=identity, created_by=user,
                note=split_note(row.data)[:200],
            )
        )  # fmt: skip
    Fill.objects.bulk_create(made, batch_size=_BATCH)
    outcome.fills_made = len(made)
    outcome.changed |= {fill.trade_id for fill in made}


def _specs(parts: Iterable[Part]) -> list[ContractSpec]:
    return list({part.source.spec.symbol: part.source.spec for part in parts}.values())


def _session(moment: datetime) -> Any:
    """The session a fill belongs to; rows were checked when they were staged."""
    from journal.services.times import fill_session

    if moment.astimezone(NEW_YORK).hour >= _EVENING:
        return fill_session(moment, now=moment)
    return session_date(moment)


def _replace_computed(user: User, plan: Plan, outcome: Outcome) -> None:
    """Take back computed settlements of legs that the broker's own rows close: a leg settles once."""
    computed = {key: fill for key, fill in plan.fixed.items() if fill.source == COMPUTED}
    mirrors = {
        fill.reverses_id: fill
        for fill in Fill.objects.filter(source=REPLACED, reverses__in=[f.pk for f in computed.values()])
    }
    for key, fill in computed.items():
        mirror = mirrors.get(fill.pk)
        if key in plan.grouping.waiting and mirror is None:
            Fill.objects.create(
                account_id=fill.account_id, trade_id=fill.trade_id, contract=fill.contract,
                quantity=-fill.quantity, price=fill.price, fees=-fill.fees, executed_at=fill.executed_at,
                trade_date=fill.trade_date, reverses=fill, source=REPLACED, created_by=user,
                note="replaced by the broker's own settlement",
            )  # fmt: skip
            outcome.replaced.append(f"{fill.contract.symbol} computed at {fill.price.normalize():f}")
            outcome.changed.add(fill.trade_id)
        elif key not in plan.grouping.waiting and mirror is not None:
            mirror.delete()
            outcome.changed.add(fill.trade_id)


def _refresh(account: Account, plan: Plan, trades: dict[int, Trade], outcome: Outcome) -> None:
    """Derived fields of every trade that changed; trades without fills are removed."""
    desired = {trades[wanted.group.number].pk: wanted for wanted in plan.wanted}
    named = _rename(desired, trades, outcome)
    fills: dict[UUID, list[Fill]] = {pk: [] for pk in outcome.changed}
    for chunk in _chunks(sorted(outcome.changed)):
        for fill in Fill.objects.filter(trade__in=chunk).select_related("contract"):
            fills[fill.trade_id].append(fill)
    empty = [pk for pk, held in fills.items() if not held]
    by_pk = {trade.pk: trade for trade in trades.values()}
    missing = [pk for pk in outcome.changed if pk not in by_pk and pk not in empty]
    by_pk |= {trade.pk: trade for trade in Trade.objects.filter(pk__in=missing)}
    changed = []
    now = timezone.now()
    for pk, held in fills.items():
        if held:
            trade = trade_derive(by_pk[pk], held)
            trade.version += 1
            trade.updated_at = now
            changed.append(trade)
    Trade.objects.bulk_update(changed, [*DERIVED, "version", "title", "kind", "layer"], batch_size=200)
    _follow_reviews(account, changed, fills)
    removed, _ = Trade.objects.filter(account=account, pk__in=empty).delete()
    outcome.trades_removed = len(empty) if removed else 0
    outcome.changed -= set(empty) | named.keys() & set(empty)


def _follow_reviews(account: Account, changed: Sequence[Trade], fills: dict[UUID, list[Fill]]) -> None:
    """Reviews keep their trades, and those of trades that are recorded again come back."""
    reviews = TradeReview.objects.filter(account=account)
    held = set(reviews.exclude(trade=None).values_list("trade_id", flat=True))
    orphans = set(reviews.filter(trade=None).values_list("anchor", flat=True))
    if not held and not orphans:
        return
    for trade in changed:
        live = live_fills(fills[trade.pk])
        if trade.pk in held or review_anchor(live) in orphans:
            review_follow(trade, live)


def _rename(desired: dict[UUID, Desired], trades: dict[int, Trade], outcome: Outcome) -> dict[UUID, Trade]:
    """Kind, layer and title of groups made only of imported rows follow the plan."""
    named = {}
    for trade in trades.values():
        wanted = desired[trade.pk]
        if any(part.source.fixed and part.opens for part in wanted.group.parts):
            continue
        words = (wanted.named.kind, wanted.named.layer, wanted.title)
        if words != (trade.kind, trade.layer, trade.title):
            trade.kind, trade.layer, trade.title = words
            outcome.changed.add(trade.pk)
            named[trade.pk] = trade
    return named


def _statuses(plan: Plan) -> None:
    """Rows whose contracts found no opening wait; the others are recorded."""
    wanted: dict[ImportRow.Status, list[int]] = {ImportRow.Status.WAITING: [], ImportRow.Status.RECORDED: []}
    for key, row in plan.rows.items():
        status = ImportRow.Status.WAITING if key in plan.grouping.waiting else ImportRow.Status.RECORDED
        if row.status != status:
            wanted[status].append(row.pk)
    for status, pks in wanted.items():
        for chunk in _chunks(pks):
            ImportRow.objects.filter(pk__in=chunk).update(status=status)


def _chunks(values: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def fills_cash(fills: Iterable[Fill]) -> Decimal:
    """Cash of fills after fees, in dollars; options and shares only."""
    return sum(
        (-fill.quantity * fill.price * fill.contract.multiplier - fill.fees for fill in live_fills(fills)),
        Decimal(0),
    )
