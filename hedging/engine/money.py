"""The one rounding function for money, and the door from Decimal to float."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> Decimal:
    """Round a dollar amount to the cent, half to even. Raises on NaN and infinity."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)
