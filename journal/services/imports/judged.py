"""Groups of imported rows judged as orders are: what a file would open, by the same door as a form.

An import records what happened, so a guardrail stops nothing here; what it says is shown before the commit.
"""

from __future__ import annotations

from decimal import Decimal

from hedging.engine.book import Book, ContractSpec
from journal.errors import RuleError
from journal.importers.grouping import TradeGroup
from journal.models import Account, Trade
from journal.selectors.book.trades import book_build
from journal.services.book.judging import JudgedOrder, TradeOrder, judge
from journal.services.book.orders import LegInput, OrderInput
from journal.services.imports.rebuild import Desired


class GroupJudge:
    """Judges what groups open on the account's book, which is read once and only when it is needed."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._book: Book | None = None

    def judge(self, wanted: Desired) -> JudgedOrder | None:
        """A group that is new and still open, as an order; None for others and where it cannot be one."""
        group = wanted.group
        if group.trade or not any(group.held.values()):
            return None
        asked = TradeOrder(
            self._account, group_order(group), Trade.Kind(wanted.named.kind), wanted.named.layer,
            wanted.instrument,
        )  # fmt: skip
        self._book = self._book or book_build(self._account)
        try:
            return judge(asked, book=self._book)
        except RuleError:  # a person named it otherwise than its legs say; that is for the review
            return None


def group_order(group: TradeGroup) -> OrderInput:
    """All that a group opened as one order, each leg at the average price of its openings."""
    totals: dict[str, tuple[ContractSpec, int, Decimal]] = {}
    for part in group.parts:
        if part.opens:
            spec = part.source.spec
            _, quantity, value = totals.get(spec.symbol, (spec, 0, Decimal(0)))
            totals[spec.symbol] = (
                spec, quantity + part.quantity, value + part.quantity * part.source.price,
            )  # fmt: skip
    legs = [
        LegInput(spec, quantity, round(value / quantity, 6))
        for spec, quantity, value in totals.values()
        if quantity
    ]
    return OrderInput(legs, group.opened, Decimal(0), "import")
