"""Attribution through the recorded ledger: partial fills and the order of files change no byte of it.

The engine's own test (tests/engine/test_attribution.py) begins at fills; this one begins at a broker's file
and goes through staging, grouping, the ledger, computed settlements, marks and the stored rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from hedging.engine.results.effects import EFFECTS
from hedging.models import DailyBar, VXSettlement
from hedging.selectors.calendar import sessions_between, vix_expiries_after
from journal.models import Account, AttributionDay, CapitalDay, DailyMark, Fill, ImportBatch
from journal.services.attribution.jobs import attribution_run
from journal.services.book.settlement import settlements_book_loaded
from journal.services.imports.commit import import_commit
from journal.services.imports.stage import import_upload
from tests.examples import examples
from tests.importers.cases import HEADER, tasty
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2025, 10, 1), date(2025, 10, 9)
DAYS = sessions_between(FIRST, LAST)
SPX_EXPIRY, VIX_EXPIRY = "251008", "251022"
#: Closes of the sessions, in points.
SPX = ("6711.20", "6715.35", "6715.79", "6740.28", "6714.59", "6753.72", "6735.11")
VIX = ("16.29", "16.63", "16.65", "16.37", "17.24", "16.30", "16.43")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the broker's file; ``second`` is its place within the day."""

    day: date
    second: int
    action: str
    right: str
    strike: int
    price: str
    order: str
    quantity: int
    root: str = "SPXW"

    def text(self) -> str:
        clock = f"{10 + self.second // 3600}:{self.second // 60 % 60:02d}:{self.second % 60:02d}"
        expiry = VIX_EXPIRY if self.root == "VIX" else SPX_EXPIRY
        return tasty(
            str(self.day), clock, self.action, self.right, self.strike, self.price, self.order,
            expiry=expiry, quantity=self.quantity, root=self.root,
        )  # fmt: skip


@pytest.fixture
def people() -> People:
    """An account on a market of closing levels, from which options are modelled."""
    for day, spx, vix in zip(DAYS, SPX, VIX, strict=True):
        levels = {"SPX": spx, "VIX": vix, "VIX9D": vix, "VIX3M": "19.10", "VVIX": "98.0", "DTB3": "3.90"}
        for symbol, close in levels.items():
            DailyBar.objects.create(source="t", symbol=symbol, date=day, close=Decimal(close))
        for number, expiry in enumerate(vix_expiries_after(day, 4)):
            settle = Decimal(vix) + 1 + number
            VXSettlement.objects.create(source="t", date=day, expiry=expiry, settle=settle)
    return make_people()


Drawn = Sequence[tuple[Sequence[tuple[str, str, int, str]], int, int, int, int]]

# A position: what it sells and buys, how much, when it is opened, and how much of it is closed when.
STRUCTURES = (
    (("SELL", "P", 6700, "31.40"), ("BUY", "P", 6680, "25.10")),
    (("SELL", "P", 6700, "31.40"), ("BUY", "P", 6660, "20.05")),
    (
        ("BUY", "P", 6660, "20.05"), ("SELL", "P", 6680, "25.10"),
        ("SELL", "C", 6760, "14.80"), ("BUY", "C", 6780, "9.95"),
    ),
    (("BUY", "C", 20, "1.13"),),
)  # fmt: skip
positions = st.lists(
    st.tuples(
        st.sampled_from(STRUCTURES),
        st.integers(1, 3),  # contracts
        st.integers(0, 2),  # session it is opened on
        st.integers(0, 3),  # contracts closed before the expiry
        st.integers(3, 4),  # session of that closing
    ),
    min_size=1,
    max_size=4,
)


def broker_file(drawn: Drawn) -> list[Line]:
    """The rows of the positions in the order of time, every order at a minute of its own."""
    found = []
    for number, (legs, size, opened, closed, when) in enumerate(drawn):
        events = [(opened, "OPEN", size), (when, "CLOSE", min(closed, size))]
        for at, effect, quantity in events:
            order = f"{number + 1}{effect[0]}"
            for side, right, strike, price in legs if quantity else ():
                turned = side if effect == "OPEN" else "BUY" if side == "SELL" else "SELL"
                root = "VIX" if strike < 1000 else "SPXW"
                found.append(
                    Line(DAYS[at], 600 * number, f"{turned}_TO_{effect}", right, strike, price, order,
                         quantity, root)
                )  # fmt: skip
    return sorted(found, key=lambda line: (line.day, line.second))


def parts(line: Line, spread: int) -> list[Line]:
    """The row as fills of one contract each, ``spread`` seconds apart."""
    return [replace(line, quantity=1, second=line.second + spread * n) for n in range(line.quantity)]


def bring(people: People, lines: Sequence[Line]) -> None:
    text = "\n".join([HEADER, *(line.text() for line in lines)]) + "\n"
    batch = import_upload(user=people.owner, account=people.account, filename="a.csv", data=text.encode())
    batch = import_commit(user=people.owner, batch=batch)
    assert batch.state == ImportBatch.State.COMMITTED


def attributed(account: Account) -> bytes:
    """Everything stored of the account's days, without ids: the same bytes for the same book."""
    settlements_book_loaded(accounts=[account])
    account.refresh_from_db()
    attribution_run(account=account, date_from=None, date_to=LAST)
    names = (
        "trade__kind", "trade__layer", "trade__label", "contract__symbol", "day", "since", "quantity", "held",
        "known", "value", "pnl", "mark__price", "base__price", *EFFECTS,
    )  # fmt: skip
    legs = sorted(map(str, DailyMark.objects.filter(account=account).values_list(*names)))
    days = AttributionDay.objects.filter(account=account).order_by("day").values_list(
        "day", "value", "pnl", "residual_share", "legs", "unknown_legs", "modelled_legs", "result"
    )  # fmt: skip
    capital = (
        CapitalDay.objects.filter(account=account).order_by("day").values_list("day", "margin", "margin_ibkr")
    )
    return json.dumps([legs, list(days), list(capital)], default=str, indent=1).encode()


def check_fees_once(account: Account, lines: Sequence[Line]) -> None:
    """Fees of the rows, of the ledger and of the attribution are one figure."""
    stated = sum(
        (Decimal("1.77" if line.action.endswith("OPEN") else "0.77") * line.quantity for line in lines),
        Decimal(0),
    )
    # Added here: SQLite adds decimals as binary fractions.
    recorded = sum(Fill.objects.filter(account=account).values_list("fees", flat=True))
    explained = DailyMark.objects.filter(account=account).aggregate(total=Sum("fees"))["total"]
    assert recorded == stated
    assert Decimal(explained) == -stated * 100


@examples(
    20, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)  # fmt: skip
@given(
    drawn=positions,
    spread=st.integers(0, 5),
    random=st.randoms(use_true_random=False),
    cuts=st.sets(st.integers(1, 12), max_size=3),
    repeated=st.booleans(),
    settle_between=st.booleans(),
)
def test_partial_fills_and_the_order_of_files_change_no_byte(
    people: People,
    drawn: Drawn,
    spread: int,
    random: object,
    cuts: set[int],
    repeated: bool,
    settle_between: bool,
) -> None:
    account, whole = people.account, broker_file(drawn)
    with transaction.atomic():
        bring(people, whole)
        wanted = attributed(account)
        check_fees_once(account, whole)
        assert json.loads(wanted)[0]
        transaction.set_rollback(True)
    # Identical fills of one moment are told apart by their number within a file: they stay in one file.
    atoms = [parts(line, spread) for line in whole]
    groups = [atoms] if not cuts else []
    if cuts:
        random.shuffle(atoms)  # type: ignore[attr-defined]
        edges = [0, *sorted(cut for cut in cuts if cut < len(atoms)), len(atoms)]
        groups = [atoms[a:b] for a, b in pairwise(edges)]
    with transaction.atomic():
        for number, group in enumerate(groups):
            rows = [line for atom in group for line in atom]
            if repeated and number:
                rows += [line for atom in groups[number - 1] for line in atom]
            random.shuffle(rows)  # type: ignore[attr-defined]
            bring(people, rows)
            if settle_between:
                settlements_book_loaded(accounts=[account])
        assert attributed(account).decode().splitlines() == wanted.decode().splitlines()
        check_fees_once(account, whole)
        transaction.set_rollback(True)
