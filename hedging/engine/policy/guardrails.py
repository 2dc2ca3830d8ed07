"""Guardrails: what no order may do, wherever it comes from. A pure function of book, order and ruleset.

An order is judged by what it makes worse: one that repairs a bad position is never refused. ``blocks``
False is a warning. Contango is M2 > M1 throughout the product; there is nothing to refuse about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hedging.engine.book import Book, BookTrade, InstrumentKind, Leg, Settlement, TradeRole
from hedging.engine.policy.after import after_legs, trade_of
from hedging.engine.policy.context import LAYERS, credit_of, risk_of
from hedging.engine.policy.types import Guard, Refusal, SizeLimits
from hedging.engine.rulesets.types import Ruleset
from hedging.maths.types import Right

_EVENING = {Settlement.AM: 0, Settlement.PM: 1, Settlement.NONE: 1}


def guardrails(
    book: Book,
    legs: Sequence[Leg],
    rules: Ruleset,
    *,
    trade_id: str | None = None,
    role: TradeRole = TradeRole.OTHER,
    layer: int | None = None,
    roll: bool = False,
    approved: bool = False,
    size: SizeLimits | None = None,
) -> tuple[Refusal, ...]:
    """Every guardrail the order breaks; empty when it may go.

    ``legs`` are the order's signed quantities at its prices, in trade ``trade_id`` or a new one of ``role``.
    ``roll`` says that it replaces a position, ``approved`` that a larger roll was signed off; ``size`` are
    the limits of one trade where an account states its own, None takes the ruleset's. Raises KeyError for an
    unknown trade.
    """
    after = after_legs(book, legs, trade_id=trade_id, role=role, layer=layer)
    changed = trade_of(after, trade_id) if trade_id is not None else after.trades[-1]
    before = trade_of(book, trade_id) if trade_id is not None else None
    found = [*_net_short_vix(book, after), *_undefined(book, after, before, changed)]
    if not found:
        limits = size or _limits(rules)
        found += [
            *_size(before, changed, book.capital, limits), *_premium(book, after, changed, rules),
        ]  # fmt: skip
    if roll and before is not None and not approved and rules.on("guard.roll_keeps_size"):
        found += _roll(before, changed)
    return tuple(found)


def account_guardrails(before: Book, after: Book) -> tuple[Refusal, ...]:
    """What many changes at once make worse over the whole account: net short VIX calls, uncovered shorts."""
    return (*_net_short_vix(before, after), *_uncovered(before, after))


def _legs(trades: Iterable[BookTrade]) -> list[Leg]:
    return [leg for trade in trades for leg in trade.legs]


def _net_short_vix(book: Book, after: Book) -> Iterator[Refusal]:
    net = _vix_calls(_legs(after.trades))
    if net < 0 and net < _vix_calls(_legs(book.trades)):
        yield Refusal(
            Guard.NET_SHORT_VIX,
            f"The account would be short {-net} VIX calls net. A hedge never sells more than it holds.",
            "LAY-8", value=float(net), limit=0.0, unit="contracts",
        )  # fmt: skip


def _vix_calls(legs: Iterable[Leg]) -> int:
    return sum(
        leg.quantity for leg in legs if leg.contract.underlying == "VIX" and leg.contract.right is Right.CALL
    )


def _uncovered(book: Book, after: Book) -> Iterator[Refusal]:
    for name, now in uncovered(_legs(after.trades)).items():
        was = uncovered(_legs(book.trades)).get(name, 0)
        if now > was:
            yield Refusal(
                Guard.UNDEFINED_RISK,
                f"{now} short {name} would have no long one of the same or a later expiry behind them: "
                "what they may lose is not limited.",
                "CON-2", value=float(now), limit=float(was), unit="contracts",
            )  # fmt: skip
            return


def _undefined(book: Book, after: Book, before: BookTrade | None, changed: BookTrade) -> Iterator[Refusal]:
    found = list(_uncovered(book, after))
    yield from found
    if found or changed.role is not TradeRole.CONDOR:
        return
    held = uncovered(before.legs) if before else {}
    for name, now in uncovered(changed.legs).items():
        if now > held.get(name, 0):
            yield Refusal(
                Guard.WINGS,
                f"The condor would keep {now} short {name} without a long wing of its own.",
                "CON-2", value=float(now), limit=0.0, unit="contracts",
            )  # fmt: skip


def uncovered(legs: Iterable[Leg]) -> dict[str, int]:
    """Short contracts without a long one that lives at least as long, by kind of contract.

    For every expiry the shorts from there on may not exceed the longs from there on: each short then
    has a long of its own. A PM option outlives an AM option of the same day. Futures and shares are
    covered by their own contract only: two VX expiries move apart without a bound.
    """
    kinds: dict[tuple[str, str], list[Leg]] = {}
    for leg in legs:
        spec = leg.contract
        if spec.kind is InstrumentKind.OPTION and spec.right is not None:
            name, apart = f"{spec.underlying} {spec.right.name.lower()}s", ""
        else:
            name, apart = f"{spec.root} {spec.kind.value}s", spec.symbol
        kinds.setdefault((name, apart), []).append(leg)
    found: dict[str, int] = {}
    for (name, _), group in kinds.items():
        net = worst = 0
        for leg in sorted(group, key=_life, reverse=True):
            net += leg.quantity
            worst = min(worst, net)
        if worst < 0:
            found[name] = found.get(name, 0) - worst
    return found


def _life(leg: Leg) -> tuple[int, int, int]:
    """Sorting by this, latest last; among equals longs outlive shorts."""
    spec = leg.contract
    return (spec.expiry.toordinal() if spec.expiry else 0, _EVENING[spec.settlement], leg.quantity)


def _limits(rules: Ruleset) -> SizeLimits:
    return SizeLimits(rules.number("guard.warn_of_equity"), rules.number("guard.block_of_equity"))


def _size(
    before: BookTrade | None, changed: BookTrade, capital: float, limits: SizeLimits
) -> Iterator[Refusal]:
    loss, _ = risk_of(changed)
    was = risk_of(before)[0] if before else 0.0
    if loss is None or capital <= 0 or (was is not None and loss <= was + 0.005):
        return
    share = loss / capital
    levels = ((limits.block, limits.own_block, True), (limits.warn, limits.own_warn, False))
    for limit, own, blocks in levels:
        if round(share, 9) > round(limit, 9):
            whose = "the account's own limit" if own else "its limit"
            yield Refusal(
                Guard.SIZE,
                f"The maximum loss of ${loss:,.2f} is {share:.2%} of the account's equity, "
                f"above {whose} of {limit * 100:.6g}%.",
                "CON-2", blocks, share, limit, "share of equity",
            )  # fmt: skip
            return


def _premium(book: Book, after: Book, changed: BookTrade, rules: Ruleset) -> Iterator[Refusal]:
    """A hedge layer's open premium above its cap is warned about; the engine itself never proposes it."""
    layer = changed.layer
    if changed.role is not TradeRole.HEDGE or layer not in LAYERS:
        return
    if rules.word(f"layer{layer}.sizing") == "vxth":
        return
    alone = rules.word("caps.scope") == "layer"

    def spent(trades: Iterable[BookTrade]) -> float:
        return -sum(
            credit_of(t.legs) for t in trades if t.role is TradeRole.HEDGE and (t.layer == layer or not alone)
        )

    credit = sum(
        max(trade.cash, 0.0) for trade in book.trades if trade.role is TradeRole.CONDOR and trade.legs
    )
    now, limit = spent(after.trades), rules.number("caps.premium_of_credit") * credit
    if now > limit + 0.005 and now > spent(book.trades) + 0.005:
        yield Refusal(
            Guard.PREMIUM_CAP,
            f"Open premium would be {now:,.0f} dollars; the cap by the condors' credit is {limit:,.0f}.",
            "LAY-1", False, now, limit, "$",
        )  # fmt: skip


def _roll(before: BookTrade, changed: BookTrade) -> Iterator[Refusal]:
    was, now = _packages(before.legs), _packages(changed.legs)
    if now > was:
        yield Refusal(
            Guard.ROLL_SIZE,
            f"The roll would hold {now} contracts where {was} were held; a larger roll needs approval.",
            "GOV-2", value=float(now), limit=float(was), unit="contracts",
        )  # fmt: skip


def _packages(legs: Sequence[Leg]) -> int:
    """Contracts of a position: its largest leg."""
    return max((abs(leg.quantity) for leg in legs), default=0)
