"""Recording trades: fills, derived fields, revision, audit and job in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hedging.engine.book import ContractSpec, InstrumentKind
from hedging.engine.money import CENT, to_cents
from hedging.engine.structure import Shape, describe
from hedging.selectors.calendar import (
    CalendarRangeError,
    is_session,
    session_on_or_before,
    settles_at,
    third_friday,
)
from hedging.services.contracts import contract_get_or_create
from hedging.services.jobs import job_request
from journal.models import Account, Fill, Trade, User
from journal.selectors.trades import (
    OpenLeg,
    Position,
    legs_label,
    position_of,
    trade_position,
)
from journal.services.audit import audit_record
from journal.services.errors import ConflictError, RuleError
from journal.services.times import fill_session

VALUE_ACCOUNT = "journal.value_account"
MAX_QUANTITY = 100_000
MAX_PRICE = Decimal(100_000)
MAX_FEES = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class LegInput:
    """One leg of an order: signed quantity (+ bought), price in points."""

    spec: ContractSpec
    quantity: int
    price: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderInput:
    """An execution as entered. ``fees`` None means: by the account's fee schedule."""

    legs: Sequence[LegInput]
    executed_at: datetime
    fees: Decimal | None = None
    source: str = "manual"
    token: str = ""


@transaction.atomic
def trade_create(
    *,
    user: User,
    account: Account,
    kind: Trade.Kind,
    order: OrderInput,
    reason: str = "",
    order_text: str = "",
    layer: int | None = None,
    instrument: str = "",
    protects: Sequence[Trade] = (),
    accept_size: bool = False,
) -> Trade:
    """Record a new trade. Raises RuleError naming the input.

    The same ``order.token`` in the account returns the trade it made the first time. Above the
    account's size limit at maximum loss ``accept_size`` and a reason are needed (methodology, per-trade
    size: a journal records what happened, but not silently).
    """
    if order.token and (known := _trade_of_token(account, order)):
        return known
    _check_open(account)
    session = _check_order(order)
    _check_kind(kind, order, layer)
    _check_size(account, order, reason, accept_size=accept_size)
    trade = Trade.objects.create(
        account=account, kind=kind, layer=layer, instrument=instrument, reason=reason,
        order_text=order_text, created_by=user, label=_label(kind, order, layer),
        underlying=order.legs[0].spec.underlying,
    )
    trade.protects.set(protects)
    _write_fills(user, trade, order, session)
    return _after_fills(user, trade, "trade.create")


@transaction.atomic
def trade_close(
    *, user: User, trade: Trade, order: OrderInput, version: int | None = None
) -> Trade:
    """Close a trade wholly or in part; quantities must not exceed what is open."""
    trade = _locked(trade, version)
    if order.token and _trade_of_token(trade.account, order):
        return trade
    session = _check_order(order)
    held = {leg.spec.symbol: leg.quantity for leg in trade_position(trade).legs}
    opened = min((f.executed_at for f in trade.fills.all()), default=order.executed_at)
    if order.executed_at < opened:
        raise RuleError("The closing time is before the trade was opened.", "filled_at")
    for leg in order.legs:
        quantity = held.get(leg.spec.symbol, 0)
        if not quantity or (quantity > 0) == (leg.quantity > 0) or abs(leg.quantity) > abs(quantity):
            raise RuleError(
                f"{leg.spec.symbol}: {leg.quantity:+d} does not close what is open ({quantity:+d}).", "legs"
            )
    _write_fills(user, trade, order, session)
    return _after_fills(user, trade, "trade.close")


@transaction.atomic
def fill_reverse(*, user: User, fill: Fill, reason: str) -> Fill:
    """Correct a fill by its mirror image: opposite quantity and fees at the same price and time."""
    if not reason.strip():
        raise RuleError("Say why the fill is corrected.", "reason")
    trade = _locked(fill.trade, None)
    if fill.reverses_id is not None or Fill.objects.filter(reverses=fill).exists():
        raise RuleError("This fill is already corrected.")
    mirror = Fill.objects.create(
        account=fill.account, trade=trade, contract=fill.contract, quantity=-fill.quantity,
        price=fill.price, fees=-fill.fees, executed_at=fill.executed_at, trade_date=fill.trade_date,
        reverses=fill, source="reversal", note=reason[:200], created_by=user,
    )
    _after_fills(user, trade, "fill.reverse", reason)
    return mirror


def trade_refresh(trade: Trade) -> Trade:
    """Rebuild the derived fields from the fills; the same fills always give the same fields."""
    fills = list(Fill.objects.filter(trade=trade).select_related("contract"))
    position = position_of(fills)
    trade.net_cash, trade.fees_total = position.cash, position.fees
    trade.opened_at = min((f.executed_at for f in fills), default=None)
    trade.status = Trade.Status.OPEN if position.legs else Trade.Status.CLOSED
    trade.closed_at = None if position.legs else max((f.executed_at for f in fills), default=None)
    trade.nearest_expiry = min(
        (leg.spec.expiry for leg in position.legs if leg.spec.expiry is not None), default=None
    )
    trade.save(
        update_fields=[
            "net_cash", "fees_total", "opened_at", "status", "closed_at", "nearest_expiry", "updated_at",
        ]
    )
    return trade


def account_revalue(*, account: Account, requested_by: str = "", nonce: str = "") -> None:
    """Ask the workers to value the account at its present revision."""
    job_request(
        kind=VALUE_ACCOUNT, scope=f"account:{account.pk}", as_of=nonce,
        input_revision=str(account.book_revision), requested_by=requested_by,
    )


def default_fees(account: Account, legs: Sequence[LegInput]) -> Decimal:
    """Fees by the account's schedule, per contract and side; shares are free."""
    rate = {
        InstrumentKind.OPTION: account.fee_per_option, InstrumentKind.FUTURE: account.fee_per_future,
        InstrumentKind.SHARE: Decimal(0),
    }
    return to_cents(sum((abs(leg.quantity) * rate[leg.spec.kind] for leg in legs), Decimal(0)))


def split_fees(total: Decimal, legs: Sequence[LegInput]) -> list[Decimal]:
    """Share fees over legs by contracts, in cents, adding up exactly (largest remainder)."""
    weight = sum(abs(leg.quantity) for leg in legs)
    exact = [total * abs(leg.quantity) / weight for leg in legs]
    shares = [amount.quantize(CENT, rounding=ROUND_DOWN) for amount in exact]
    order = sorted(range(len(legs)), key=lambda i: (shares[i] - exact[i], i))
    missing = total - sum(shares, Decimal(0))
    for i in order:
        step = min(CENT, missing)
        if step <= 0:
            break
        shares[i] += step
        missing -= step
    shares[0] += missing  # fractions of a cent, where a broker bills them
    return shares


def _trade_of_token(account: Account, order: OrderInput) -> Trade | None:
    fill = Fill.objects.filter(
        account=account, source=order.source, external_id=f"{order.token}:0"
    ).select_related("trade").first()
    return fill.trade if fill else None


def _check_open(account: Account) -> None:
    if account.archived_at is not None:
        raise RuleError("The account is archived; restore it before recording trades.", "account")


def _check_order(order: OrderInput) -> date:
    if not order.legs:
        raise RuleError("An order needs at least one leg.", "legs")
    if order.fees is not None and not 0 <= order.fees <= MAX_FEES:
        raise RuleError("Fees are a cost: zero or more.", "fees")
    session = fill_session(order.executed_at, now=timezone.now())
    seen: set[str] = set()
    for number, leg in enumerate(order.legs, start=1):
        name = f"Leg {number} ({leg.spec.symbol})"
        if leg.spec.symbol in seen:
            raise RuleError(f"{name}: the contract appears twice.", "legs")
        seen.add(leg.spec.symbol)
        if not leg.quantity or abs(leg.quantity) > MAX_QUANTITY:
            raise RuleError(f"{name}: quantity must be between 1 and {MAX_QUANTITY:,}.", "legs")
        if not 0 <= leg.price <= MAX_PRICE:
            raise RuleError(f"{name}: price must be between 0 and {MAX_PRICE:,}.", "legs")
        _check_contract(name, leg.spec, order.executed_at)
    return session


def _check_contract(name: str, spec: ContractSpec, executed_at: datetime) -> None:
    if spec.expiry is None:
        return
    try:
        listed = is_session(spec.expiry)
        settles = settles_at(spec)
        monthly = session_on_or_before(third_friday(spec.expiry.year, spec.expiry.month))
    except CalendarRangeError as error:
        raise RuleError(f"{name}: {error}", "legs") from None
    if not listed:
        raise RuleError(f"{name}: {spec.expiry:%A %Y-%m-%d} is not a trading day.", "legs")
    if spec.root == "SPX" and spec.expiry != monthly:
        raise RuleError(
            f"{name}: SPX (AM) options expire on the third Friday; this date is SPXW, written (Weeklys).", "legs"
        )
    if settles is not None and executed_at > settles:
        raise RuleError(f"{name}: filled after the contract settled.", "legs")


def _check_kind(kind: Trade.Kind, order: OrderInput, layer: int | None) -> None:
    legs = [OpenLeg(leg.spec, leg.quantity, leg.price) for leg in order.legs]
    position = Position(tuple(legs), Decimal(0), Decimal(0))
    structure = describe(position.engine_legs(), 0.0)
    if kind == Trade.Kind.CONDOR:
        if structure.shape not in (Shape.IRON_CONDOR, Shape.IRON_BUTTERFLY):
            raise RuleError(
                "An iron condor has four legs of one expiry: a bought and a sold put, a sold and a bought "
                "call, in equal numbers. Other shapes are recorded as Other.", "legs",
            )
        if order.legs[0].spec.underlying != "SPX":
            raise RuleError("Condors in this journal are on SPX.", "legs")
    if kind == Trade.Kind.HEDGE:
        if layer not in (1, 2, 3):
            raise RuleError("A hedge layer is 1, 2 or 3.", "layer")
        net_calls = sum(
            leg.quantity for leg in order.legs
            if leg.spec.underlying == "VIX" and leg.spec.right is not None and leg.spec.right > 0
        )
        if net_calls < 0:
            raise RuleError("A hedge layer is never net short VIX calls.", "legs")


def _check_size(account: Account, order: OrderInput, reason: str, *, accept_size: bool) -> None:
    loss = order_max_loss(order)
    limit = account.base_capital * account.max_trade_loss_pct / 100
    if loss is not None and loss > limit and not (accept_size and reason.strip()):
        raise RuleError(
            f"The maximum loss of ${loss:,.2f} is above {account.max_trade_loss_pct:g}% of the account "
            f"(${limit:,.2f}). To record it all the same, confirm the size and give a reason.", "accept_size",
        )


def order_max_loss(order: OrderInput) -> Decimal | None:
    """Maximum loss of an order in dollars at expiry, or None where it has no exact figure."""
    legs = tuple(OpenLeg(leg.spec, leg.quantity, leg.price) for leg in order.legs)
    cash = -sum((leg.quantity * leg.price * leg.spec.multiplier for leg in order.legs), Decimal(0))
    structure = describe(Position(legs, cash, Decimal(0)).engine_legs(), float(cash))
    return None if structure.max_loss is None else to_cents(Decimal(str(structure.max_loss)))


def _label(kind: Trade.Kind, order: OrderInput, layer: int | None) -> str:
    specs = [leg.spec for leg in order.legs]
    legs = tuple(OpenLeg(leg.spec, leg.quantity, leg.price) for leg in order.legs)
    shape = describe(Position(legs, Decimal(0), Decimal(0)).engine_legs(), 0.0).shape
    name = shape.value.capitalize() if shape is not Shape.OTHER else "Position"
    underlying = specs[0].underlying
    prefix = f"L{layer} {underlying}" if kind == Trade.Kind.HEDGE else underlying
    return f"{prefix} {name.lower()} {legs_label(specs)}".strip()[:120]


def _write_fills(user: User, trade: Trade, order: OrderInput, session: date) -> None:
    fees = order.fees if order.fees is not None else default_fees(trade.account, order.legs)
    shares = split_fees(fees, order.legs)
    for number, (leg, share) in enumerate(zip(order.legs, shares, strict=True)):
        Fill.objects.create(
            account=trade.account, trade=trade, contract=contract_get_or_create(spec=leg.spec),
            quantity=leg.quantity, price=leg.price, fees=share, executed_at=order.executed_at,
            trade_date=session, source=order.source, note=leg.note, created_by=user,
            external_id=f"{order.token}:{number}" if order.token else "",
        )


def _locked(trade: Trade, version: int | None) -> Trade:
    fresh = Trade.objects.select_for_update().select_related("account").get(pk=trade.pk)
    if version is not None and fresh.version != version:
        raise ConflictError("This trade was changed meanwhile. Reload, then try again.")
    assert isinstance(fresh, Trade)
    return fresh


def _after_fills(user: User, trade: Trade, action: str, reason: str = "") -> Trade:
    """Derived fields, versions, audit event and valuation job, in the caller's transaction."""
    trade = trade_refresh(trade)
    Trade.objects.filter(pk=trade.pk).update(version=F("version") + 1)
    Account.objects.filter(pk=trade.account_id).update(book_revision=F("book_revision") + 1)
    trade.refresh_from_db()
    trade.account.refresh_from_db()
    audit_record(
        actor=user, action=action, account=trade.account, obj=trade, summary=trade.label,
        changes={"net_cash": str(trade.net_cash), "fees": str(trade.fees_total), "reason": reason or trade.reason},
    )
    account_revalue(account=trade.account, requested_by=str(user.public_id))
    return trade
