"""What an order costs by the account's schedule, and how its fees are shared over its legs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from hedging.engine.book import InstrumentKind
from hedging.engine.money import CENT, to_cents
from journal.models import Account
from journal.services.book.orders import LegInput, OrderInput


def order_fees(account: Account, order: OrderInput) -> list[Decimal]:
    """Fees of an order leg by leg in whole cents: its own, else by the account's schedule."""
    total = order.fees if order.fees is not None else default_fees(account, order.legs)
    return split_fees(total, order.legs)


def default_fees(account: Account, legs: Sequence[LegInput]) -> Decimal:
    """Compute fees by the account's schedule, per contract and side; shares are free."""
    rate = {
        InstrumentKind.OPTION: account.fee_per_option,
        InstrumentKind.FUTURE: account.fee_per_future,
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
    return shares
