"""What decided recommendations earned afterwards, costs included.

What was executed counts its linked fills with their fees, and the fills that closed them again: from then on
nothing is valued any more. What was not executed is valued at the proposed limits less assumed costs: the
account's fees, and half the spread of each leg as quoted with the proposal, else the backtest's (a share of
the price, at least some points; a tick of futures and shares). What has expired counts at its official value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from hedging.engine.backtest.types import Costs
from hedging.engine.book import ContractSpec, InstrumentKind, Leg
from hedging.engine.canonical import content_hash
from hedging.engine.instruments import ROOTS, parse_symbol
from hedging.engine.market import MarketSnapshot as EngineSnapshot
from hedging.engine.money import to_cents
from hedging.engine.pricing.settlement import has_expired
from hedging.engine.pricing.valuation import AWAITING, value_leg
from hedging.engine.results.outcomes import Followed, OrderFill, follow, horizon
from hedging.models import MarketSnapshot
from hedging.services.snapshots.closes import closings
from hedging.services.snapshots.contracts import contract_spec
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.models import Account, Decision, Fill, Outcome, Recommendation
from journal.selectors.book.trades import live_fills
from journal.services.book.settlement import settlement_price

_DECIDED = (
    Recommendation.State.EXECUTED,
    Recommendation.State.OVERRIDDEN,
    Recommendation.State.EXPIRED,
)
NO_FILLS = "the linked fills were corrected or removed"


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """P&L in dollars after ``costs``, why it is unknown, whether it can still change.

    ``realized`` is the part of what was opened and closed again, before costs; None while nothing was.
    ``until`` is when the story ended, None while it is counted up to the newest market.
    """

    pnl: Decimal | None
    costs: Decimal
    reason: str = ""
    is_final: bool = False
    realized: Decimal | None = None
    until: datetime | None = None


@dataclass(slots=True)
class Prices:
    """Marks of one snapshot and official settlement values; each is read once."""

    row: MarketSnapshot
    simulated: bool = False
    loaded: EngineSnapshot | None = None
    finals: dict[str, Decimal | None] = field(default_factory=dict)

    @property
    def market(self) -> EngineSnapshot:
        """The snapshot as the engine sees it."""
        self.loaded = self.loaded or snapshot_load(self.row)
        return self.loaded

    def of(self, spec: ContractSpec) -> tuple[Decimal | None, str, bool]:
        """Price in points, why it is unknown, and whether it is final."""
        if has_expired(spec, self.row.as_of):
            final = self._final(spec)
            return final, "" if final is not None else AWAITING, final is not None
        leg = value_leg(Leg(spec, 1, 0.0), self.market)
        return None if leg.price is None else Decimal(str(leg.price)), leg.reason, False

    def _final(self, spec: ContractSpec) -> Decimal | None:
        if spec.symbol not in self.finals:
            assert spec.expiry is not None  # it has expired
            closing = closings(days=[spec.expiry], simulated=self.simulated)[spec.expiry]
            level = closing.final_level(spec)
            strike = None if spec.strike is None else Decimal(str(spec.strike))
            self.finals[spec.symbol] = None if level is None else settlement_price(spec, strike, level.value)
        return self.finals[spec.symbol]


def outcomes_update(*, simulated: bool = False) -> int:
    """Work out each decided recommendation that new prices or fills may have changed; returns how many."""
    row = snapshot_for(simulated=simulated)
    if row is None:
        return 0
    prices = {row.pk: Prices(row, simulated)}
    count = 0
    for recommendation in _due(row, simulated).iterator(chunk_size=500):
        if not recommendation.proposal["orders"]:
            continue
        if recommendation.state == Recommendation.State.EXECUTED:
            count += _executed_update(recommendation, row, prices)
        else:
            costs = assumed_costs(recommendation.account, recommendation.proposal)
            _store(recommendation, row, proposal_result(recommendation.proposal, prices[row.pk], costs), "")
            count += 1
    return count


def _executed_update(
    recommendation: Recommendation, newest: MarketSnapshot, prices: dict[UUID, Prices]
) -> bool:
    """Follow the fills that carried it out; False where its final outcome stands on the same fills.

    A story that ended is valued on the market of that moment, never later than ``newest``. ``prices`` holds
    what was read of each snapshot so far, by its id.
    """
    linked = _linked_ids(recommendation)
    groups = _groups(linked)
    fills_hash = _fills_hash(groups)
    known = getattr(recommendation, "outcome", None)
    if known is not None and known.is_final and known.fills_hash == fills_hash:
        Outcome.objects.filter(pk=known.pk).update(book_revision=recommendation.account.book_revision)
        return False
    parts = followed(groups, linked)
    ended = horizon(part for _, part in parts)
    then = snapshot_for(as_of=ended, simulated=prices[newest.pk].simulated) if ended is not None else None
    at = newest if then is None or then.as_of > newest.as_of else then
    result = fills_result(parts, ended, prices.setdefault(at.pk, Prices(at, prices[newest.pk].simulated)))
    _store(recommendation, at, result, fills_hash)
    return True


def _due(row: MarketSnapshot, simulated: bool) -> QuerySet[Recommendation]:
    """Decided ones without an outcome, not final and valued on other data, or with a book that changed."""
    fresh = (
        Q(outcome__isnull=True)
        | (Q(outcome__is_final=False) & ~Q(outcome__snapshot=row))
        | (Q(state=Recommendation.State.EXECUTED) & ~Q(outcome__book_revision=F("account__book_revision")))
    )
    rows = Recommendation.objects.filter(
        fresh, state__in=_DECIDED, account__is_demo=simulated, run__as_of__lt=row.as_of
    )
    return rows.select_related("account", "outcome").prefetch_related("decisions")


def _store(
    recommendation: Recommendation, at: MarketSnapshot, result: OutcomeResult, fills_hash: str
) -> None:
    with transaction.atomic():
        Outcome.objects.update_or_create(
            recommendation=recommendation,
            defaults={
                "account_id": recommendation.account_id, "snapshot": at, "as_of": result.until or at.as_of,
                "pnl": result.pnl, "reason": result.reason[:200], "is_final": result.is_final,
                "costs": result.costs, "realized": result.realized,
                "at_fills": recommendation.state == Recommendation.State.EXECUTED,
                "book_revision": recommendation.account.book_revision, "fills_hash": fills_hash,
            },
        )  # fmt: skip


def proposal_result(proposal: dict[str, Any], prices: Prices, costs: Decimal) -> OutcomeResult:
    """The orders since their limits: cash plus the value of what was bought and sold, less assumed costs.

    A future counts from its mark then. Final once every leg has settled.
    """
    total, final = -costs, True
    for order in proposal["orders"]:
        total += Decimal(str(order["cash"]))
        for given in order["legs"]:
            spec = parse_symbol(given["symbol"])
            price, reason, settled = prices.of(spec)
            if price is None:
                return OutcomeResult(None, costs, f"{given['symbol']}: {reason}")
            start = Decimal(str(given["price"])) if spec.kind is InstrumentKind.FUTURE else Decimal(0)
            total += (price - start) * given["quantity"] * spec.multiplier
            final = final and settled
    return OutcomeResult(to_cents(total), costs, is_final=final)


def fills_result(
    parts: Sequence[tuple[ContractSpec, Followed]], ended: datetime | None, prices: Prices
) -> OutcomeResult:
    """The fills that carried it out: what was closed again is realized, the rest is valued at ``prices``.

    What they closed of an earlier holding is compared with having kept it, until the story ended.
    """
    if not parts:
        return OutcomeResult(None, Decimal(0), NO_FILLS)
    costs = sum((part.fees for _, part in parts), Decimal(0))
    gains = sum((part.realized for _, part in parts), Decimal(0))
    closed = any(part.realized or part.closed_at for _, part in parts)
    total, settled = gains - costs, True
    realized = to_cents(gains) if closed else None
    for spec, part in parts:
        for one in (*part.held, *part.given_up):
            price, reason, final = prices.of(spec)
            if price is None:
                return OutcomeResult(None, to_cents(costs), f"{spec.symbol}: {reason}", realized=realized)
            total += (price - one.price) * one.quantity * spec.multiplier
            settled = settled and final
    return OutcomeResult(to_cents(total), to_cents(costs), "", ended is not None or settled, realized, ended)


def followed(
    groups: dict[tuple[UUID, str], list[Fill]], linked: set[str]
) -> list[tuple[ContractSpec, Followed]]:
    """Follow the linked fills through their trades, contract by contract."""
    found = []
    for fills in groups.values():
        spec = contract_spec(fills[0].contract)
        rows = [
            OrderFill(fill.executed_at, fill.quantity, fill.price, fill.fees, str(fill.pk) in linked)
            for fill in fills
        ]
        found.append((spec, follow(rows, multiplier=spec.multiplier)))
    return found


def _groups(linked: set[str]) -> dict[tuple[UUID, str], list[Fill]]:
    """Live fills by trade and contract, of the contracts that a living linked fill traded."""
    trades = Fill.objects.filter(pk__in=linked).values("trade")
    every = Fill.objects.filter(trade__in=trades).select_related("contract")
    groups: dict[tuple[UUID, str], list[Fill]] = {}
    for fill in live_fills(every):
        groups.setdefault((fill.trade_id, fill.contract.symbol), []).append(fill)
    return {
        key: fills for key, fills in sorted(groups.items()) if any(str(fill.pk) in linked for fill in fills)
    }


def _fills_hash(groups: dict[tuple[UUID, str], list[Fill]]) -> str:
    """Changes with every fill that counts."""
    return content_hash([[str(fill.pk) for fill in fills] for fills in groups.values()])


def assumed_costs(account: Account, proposal: dict[str, Any]) -> Decimal:
    """Fees by the account's schedule and half the spread of every leg, dollars."""
    fees = {
        InstrumentKind.OPTION: account.fee_per_option,
        InstrumentKind.FUTURE: account.fee_per_future,
        InstrumentKind.SHARE: Decimal(0),
    }
    total = Decimal(0)
    for order in proposal["orders"]:
        for given in order["legs"]:
            spec = parse_symbol(given["symbol"])
            half = _half_spread(spec, given)
            total += abs(given["quantity"]) * (fees[spec.kind] + half * spec.multiplier)
    return to_cents(total)


def _half_spread(spec: ContractSpec, given: dict[str, Any]) -> Decimal:
    """Points: as quoted, else assumed."""
    bid, ask = given.get("bid"), given.get("ask")
    if bid is not None and ask is not None and ask >= bid:
        return (Decimal(str(ask)) - Decimal(str(bid))) / 2
    price = Decimal(str(given["price"]))
    if spec.kind is not InstrumentKind.OPTION:
        return ROOTS[spec.root].tick(price) / 2
    assumed = Costs()
    floor = assumed.vix_floor if spec.underlying == "VIX" else assumed.spx_floor
    return max(Decimal(str(assumed.share)) * price, Decimal(str(floor)))


def _linked_ids(recommendation: Recommendation) -> set[str]:
    """The fills that carried it out."""
    return {
        pk for one in recommendation.decisions.all() if one.kind == Decision.Kind.EXECUTED for pk in one.fills
    }
