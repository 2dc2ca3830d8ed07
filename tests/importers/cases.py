"""Rows of brokers' files as tests make them."""

from __future__ import annotations

from decimal import Decimal

HEADER = (
    "Date,Type,Sub Type,Action,Symbol,Instrument Type,Description,Value,Quantity,Average Price,Commissions,"
    "Fees,Multiplier,Root Symbol,Underlying Symbol,Expiration Date,Strike Price,Call or Put,Order #,"
    "Total,Currency"
)


def tasty(
    day: str,
    clock: str,
    action: str,
    right: str,
    strike: int,
    price: str,
    order: str,
    *,
    expiry: str = "",
    quantity: int = 1,
    root: str = "SPXW",
) -> str:
    """A trade row of tastytrade in New York summer time; opening costs 1.77 a contract, closing 0.77.

    The expiration date column is a day late, as in exports from the other side of the date line.
    """
    expiry = expiry or f"{day[2:4]}{day[5:7]}{day[8:10]}"
    sign = -1 if action.startswith("BUY") else 1
    value = sign * Decimal(price) * 100 * quantity
    commission = Decimal(-quantity) if action.endswith("OPEN") else Decimal(0)
    fees = Decimal("-0.77") * quantity
    symbol = f"{root:<6}{expiry}{right}{strike * 1000:08d}"
    late = f"{expiry[2:4]}/{int(expiry[4:]) + 1}/{expiry[:2]}"
    words = action.replace("_", " ").title()
    return (
        f"{day}T{clock}-0400,Trade,{words},{action},{symbol},Equity Option,x,{value:.2f},{quantity},"
        f"{abs(value) / quantity:.2f},{commission:.2f},{fees:.2f},100,{root},SPX,{late},{strike},"
        f"{'PUT' if right == 'P' else 'CALL'},{order},{value + commission + fees:.2f},USD"
    )


def settled(day: str, right: str, strike: int, value: str, *, quantity: int = 1) -> list[str]:
    """The two rows of a cash settlement: removal and cash, with a fee of 5.00."""
    cash = Decimal(value)
    what = "Assignment" if cash < 0 else "Exercise"
    symbol = f"SPXW  {day[2:4]}{day[5:7]}{day[8:10]}{right}{strike * 1000:08d}"
    tail = f"100,SPXW,SPX,1/1/25,{strike},{'PUT' if right == 'P' else 'CALL'},"
    start = f"{day}T17:00:00-0400,Receive Deliver"
    moved = f"{cash},{quantity},{cash},--,-5.00,{tail},{cash - 5},USD"
    return [
        f"{start},{what},,{symbol},Equity Option,Removal,0.00,{quantity},0.00,--,0.00,{tail},0.00,USD",
        f"{start},Cash Settled {what},,{symbol},Equity Option,Cash,{moved}",
    ]
