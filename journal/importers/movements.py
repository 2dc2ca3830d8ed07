"""Money that moves without a trade: which entry of the cash ledger a broker's word for it stands for.

A word that is not known is asked about, never guessed: the row waits for a person, whose answer may be kept
for the account. Where a word leaves the side open (transfers, interest, adjustments) the sign says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from journal.importers.fields import plain
from journal.importers.rows import ZERO, BrokerRow, RowKind
from journal.importers.text import CellError, Cells

MAX_WORD = 80


class Sides(NamedTuple):
    """Kind of the cash ledger of money received, and of money paid; empty: that side contradicts the word."""

    received: str
    paid: str


TRANSFER = Sides("deposit", "withdrawal")
DEPOSIT, WITHDRAWAL = Sides("deposit", ""), Sides("", "withdrawal")
INTEREST = Sides("interest_earned", "interest_paid")
INTEREST_EARNED, INTEREST_PAID = Sides("interest_earned", ""), Sides("", "interest_paid")
#: Dividends are paid on short shares and less tax; fees are given back.
DIVIDEND = Sides("dividend", "dividend")
FEE = Sides("fee", "fee")
OTHER = Sides("other_credit", "other_debit")

_TRANSFERS = (
    r"\bELECTRONIC FUND|\bEFT\b|\bACH\b|\bWIRED?\b|\bDIRECT (?:DEPOSIT|DEBIT)\b|\bCASH CONTRIBUTION\b"
    r"|\bFUNDS? (?:RECEIVED|PAID|DISBURSED)\b|\bCHECK (?:RECEIVED|PAID|DEPOSIT)|\bBILL PAY"
)
#: Words of descriptions that say what a movement is, the first that is found; more telling ones come first.
_TOLD: Sequence[tuple[re.Pattern[str], Sides]] = [
    (re.compile(pattern), sides)
    for pattern, sides in (
        (r"\bMARGIN INTEREST\b", INTEREST_PAID),
        (r"\b(?:FOREIGN|NRA|BACKUP|FEDERAL|STATE)\b.*\b(?:TAX|WITHHOLDING|WITHHELD)\b|\bTAX WITHH", OTHER),
        (r"\bDIVIDEND\b|\bTERM (?:CAP(?:ITAL)? )?GAIN\b|\bPAYMENT IN LIEU\b", DIVIDEND),
        (r"\bFEES?\b", FEE),
        (r"\bINTEREST\b", INTEREST),
        (_TRANSFERS, TRANSFER),
        (r"\bADJUSTMENT\b|\bCOURTESY CREDIT\b|\bPROMOTION", OTHER),
    )
]


def told_by(text: str) -> Sides | None:
    """What a description says the movement is; None where it does not say."""
    upper = text.upper()
    return next((sides for pattern, sides in _TOLD if pattern.search(upper)), None)


def movement(
    record: Cells,
    word: str,
    text: str,
    cash: Decimal | None,
    sides: Sides | None,
    *,
    moment: datetime | None = None,
    day: date | None = None,
    reference: str = "",
    identity: str = "",
    doubt: str = "",
) -> BrokerRow:
    """A movement of ``cash`` dollars (+ received) under the broker's ``word`` for it.

    ``sides`` None: the word is not known. ``doubt`` says why this one is asked about all the same, and no
    answer of before holds for it. A row that moves nothing is a note. Raises CellError without an amount.
    """
    if cash is None:
        raise CellError("The amount is missing.", "Amount")
    if not cash:
        return replace(plain(record, RowKind.NOTE, text or "Moves no money."), cash=ZERO)
    ledger = "" if sides is None or doubt else sides.received if cash > 0 else sides.paid
    return BrokerRow(
        record.line, record.raw, RowKind.CASH, doubt, cash=cash, moment=moment, day=day, order_id=reference,
        external_id=identity, text=text, ledger=ledger,
        word="" if doubt else " ".join(word.split())[:MAX_WORD],
    )  # fmt: skip


def inner(record: Cells, message: str, cash: Decimal | None) -> BrokerRow:
    """Money that only moves between parts of the account, or that fills account for: shown, not recorded."""
    return replace(plain(record, RowKind.NOTE, message), cash=cash)


def known_sides(words: Mapping[str, Sides], word: str) -> Sides | None:
    """Look a word up, whatever its case and spacing."""
    return words.get(" ".join(word.lower().split()))
