"""The one door for a trade: an order judged once, before anything is written.

``judge`` says of every order the session it was filled in, its position and structure, what it is recorded as
(kind, layer, instrument, label), what it protects, and what the guardrails say. Pages, API, rolls, closings,
many closings at once, imports and every preview ask it; who writes takes the JudgedOrder and asks nothing
again. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from hedging.engine.book import Book
from hedging.engine.policy.types import Refusal
from hedging.engine.structure import Structure, describe
from journal.errors import RuleError
from journal.models import Account, Fill, Trade
from journal.selectors.book.purpose import purpose_of
from journal.selectors.book.trades import Position, position_of
from journal.services.book.guards import order_refusals, refusals_together
from journal.services.book.orders import OrderInput, OrderRead, order_read

_CONFIRM = "To override, confirm it and give a reason."


@dataclass(frozen=True, slots=True)
class TradeOrder:
    """An order with what its sender says of it; None and "" leave it to the legs.

    With ``trade`` the order closes legs of it. A roll names the ``trade`` and the ``closing`` order that goes
    before ``order``, which then opens a new trade.
    """

    account: Account
    order: OrderInput
    kind: Trade.Kind | None = None
    layer: int | None = None
    instrument: str = ""
    protects: tuple[Trade, ...] = ()
    trade: Trade | None = None
    closing: OrderInput | None = None


@dataclass(frozen=True, slots=True)
class GuardCheck:
    """What the guardrails say of an order: refusals first, then warnings."""

    refusals: tuple[Refusal, ...] = ()

    @property
    def blocking(self) -> tuple[Refusal, ...]:
        """Refusals that must be confirmed with a reason."""
        return tuple(one for one in self.refusals if one.blocks)

    @property
    def warnings(self) -> tuple[Refusal, ...]:
        """What is told and stops nothing."""
        return tuple(one for one in self.refusals if not one.blocks)

    @property
    def words(self) -> str:
        """The reasons of all refusals that must be confirmed."""
        return " ".join(one.reason for one in self.blocking)


@dataclass(frozen=True, slots=True)
class JudgedOrder:
    """An order as it will be recorded.

    ``position`` and ``structure`` are of the order's own legs (dollars, + received). ``trade`` is the trade
    whose legs are closed, ``closes`` the closing half of a roll. ``guard`` speaks of the whole change.
    """

    account: Account
    order: OrderInput
    session: date
    position: Position
    structure: Structure
    kind: Trade.Kind
    layer: int | None
    instrument: Trade.Instrument
    label: str
    protects: tuple[Trade, ...] = ()
    guard: GuardCheck = GuardCheck()
    trade: Trade | None = None
    closes: JudgedOrder | None = None


def judge(asked: TradeOrder, *, book: Book | None = None) -> JudgedOrder:
    """Judge an order on the account's book, or on ``book`` where the caller has one at hand.

    Raises RuleError naming the input and the leg. What a guardrail refuses is in ``guard``.
    """
    if asked.trade is None:
        found = _opening(asked)
        refusals = order_refusals(
            asked.account, found.position, asked.order.executed_at, kind=found.kind, layer=found.layer,
            book=book,
        )  # fmt: skip
        return replace(found, guard=GuardCheck(refusals))
    if asked.closing is None:
        found = _closing(asked, asked.trade, asked.order)
        refusals = order_refusals(
            asked.account, found.position, asked.order.executed_at, kind=found.kind, layer=found.layer,
            trade=asked.trade, book=book,
        )  # fmt: skip
        return replace(found, guard=GuardCheck(refusals))
    closes = _closing(asked, asked.trade, asked.closing)
    found = replace(_opening(asked), closes=closes)
    refusals = order_refusals(
        asked.account, found.position, asked.order.executed_at, kind=found.kind, layer=found.layer,
        trade=asked.trade, rolled=closes.position, book=book,
    )  # fmt: skip
    return replace(found, guard=GuardCheck(refusals))


def judge_confirmed(asked: TradeOrder, *, reason: str, accept_size: bool) -> JudgedOrder:
    """Judge an order that is to be recorded now.

    Raises RuleError as ``judge``, and with every refusal unless they are confirmed with a reason.
    """
    found = judge(asked)
    if found.guard.blocking and not (accept_size and reason.strip()):
        raise RuleError(f"{found.guard.words} {_CONFIRM}", "accept_size")
    return found


def judge_together(account: Account, closings: Sequence[JudgedOrder]) -> GuardCheck:
    """What the guardrails say of many closings of an account as one change.

    One of them may close what another one's shorts relied on, so none is judged by itself.
    """
    changes = [(str(one.trade.pk), one.position) for one in closings if one.trade is not None]
    return GuardCheck(refusals_together(account, changes))


def closing_judged(account: Account, trade: Trade, order: OrderInput) -> JudgedOrder:
    """One of many closings, checked by itself; its guardrails are asked by ``judge_together``."""
    return _closing(TradeOrder(account, order, trade=trade), trade, order)


def _opening(asked: TradeOrder) -> JudgedOrder:
    read = order_read(asked.order)
    if asked.protects and asked.kind != Trade.Kind.HEDGE:
        raise RuleError("Only hedge layers protect condors.", "protects")
    if any(trade.account_id != asked.account.pk for trade in asked.protects):
        raise RuleError("A layer protects condors of its own account.", "protects")
    if any(trade.kind != Trade.Kind.CONDOR for trade in asked.protects):
        raise RuleError("A layer protects condors.", "protects")
    purpose = purpose_of(read.position, kind=asked.kind, layer=asked.layer, instrument=asked.instrument)
    return _judged(
        asked, asked.order, read, purpose.kind, purpose.layer, purpose.instrument, purpose.label,
        protects=asked.protects,
    )  # fmt: skip


def _closing(asked: TradeOrder, trade: Trade, order: OrderInput) -> JudgedOrder:
    """A closing keeps what its trade is; each leg must reduce what is open."""
    read = order_read(order)
    fills = list(trade.fills.select_related("contract"))
    if order.executed_at < min((fill.executed_at for fill in fills), default=order.executed_at):
        raise RuleError("The closing time is before the trade was opened.", "filled_at")
    _check_closes(order, fills)
    return _judged(
        asked, order, read, Trade.Kind(trade.kind), trade.layer, Trade.Instrument(trade.instrument),
        trade.label, trade=trade,
    )  # fmt: skip


def _judged(
    asked: TradeOrder,
    order: OrderInput,
    read: OrderRead,
    kind: Trade.Kind,
    layer: int | None,
    instrument: Trade.Instrument,
    label: str,
    *,
    protects: tuple[Trade, ...] = (),
    trade: Trade | None = None,
) -> JudgedOrder:
    position = read.position
    structure = describe(position.engine_legs(), float(position.cash))
    return JudgedOrder(
        asked.account, order, read.session, position, structure, kind, layer, instrument, label, protects,
        trade=trade,
    )  # fmt: skip


def _check_closes(order: OrderInput, fills: Sequence[Fill]) -> None:
    """Each leg must reduce what is open now and what was open at the closing time."""
    now = {leg.spec.symbol: leg.quantity for leg in position_of(fills).legs}
    earlier = [fill for fill in fills if fill.executed_at <= order.executed_at]
    then = {leg.spec.symbol: leg.quantity for leg in position_of(earlier).legs}
    for number, leg in enumerate(order.legs, start=1):
        symbol = leg.spec.symbol
        for held, when in ((now.get(symbol, 0), "open"), (then.get(symbol, 0), "open at the time")):
            same_side = (held > 0) == (leg.quantity > 0)
            if not held or same_side or abs(leg.quantity) > abs(held):
                raise RuleError(
                    f"Leg {number} ({symbol}): {leg.quantity:+d} does not close what is {when} ({held:+d}).",
                    "legs",
                )
