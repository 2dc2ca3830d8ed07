"""What a broker's file says, row by row: every record of the file becomes exactly one row here.

A row is never dropped. What the journal does not keep (shares, other underlyings, footers) is a row of its
own kind, and what was not understood is a row of kind ERROR with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from hedging.engine.book import ContractSpec

ZERO = Decimal(0)


class Broker(StrEnum):
    """Whose file it is."""

    TASTYTRADE = "tastytrade"
    IBKR = "ibkr"
    SCHWAB = "schwab"
    THINKORSWIM = "thinkorswim"
    FIDELITY = "fidelity"


BROKER_NAMES = {
    Broker.TASTYTRADE: "tastytrade",
    Broker.IBKR: "Interactive Brokers (Flex XML)",
    Broker.SCHWAB: "Schwab",
    Broker.THINKORSWIM: "thinkorswim account statement",
    Broker.FIDELITY: "Fidelity",
}
#: Sources of fills that came from a broker's file.
IMPORTED = frozenset(broker.value for broker in BROKER_NAMES)


class RowKind(StrEnum):
    """What a row means for the journal."""

    FILL = "fill"
    EXPIRY = "expiry"
    SETTLEMENT = "settlement"
    CASH = "cash"
    OUTSIDE = "outside"
    NOTE = "note"
    ERROR = "error"


#: Kinds that change positions.
BOOKED = frozenset({RowKind.FILL, RowKind.EXPIRY, RowKind.SETTLEMENT})


@dataclass(frozen=True, slots=True)
class RowLeg:
    """One contract of a row. ``quantity`` is signed (+ bought) unless ``signed`` is False.

    ``price`` is in points, None where the file prices only the package; ``effect`` is ``open``, ``close`` or
    empty where the file does not say.
    """

    spec: ContractSpec
    quantity: int
    price: Decimal | None
    effect: str = ""
    signed: bool = True


@dataclass(frozen=True, slots=True)
class BrokerRow:
    """One record of a broker's file.

    ``fees`` is a cost in dollars, ``cash`` what the record moved in all (+ received, after fees), None where
    the file does not say. ``moment`` is the time of the fill; a file without times gives only ``day``.
    ``package`` is the signed package price in points (+ received) of ``packages`` packages. A cash movement
    has the broker's ``word`` for it and the ``ledger`` kind that stands for, empty where that is not known.
    """

    line: int
    raw: str
    kind: RowKind
    message: str = ""
    field: str = ""
    legs: tuple[RowLeg, ...] = ()
    fees: Decimal = ZERO
    cash: Decimal | None = None
    moment: datetime | None = None
    day: date | None = None
    order_id: str = ""
    external_id: str = ""
    package: Decimal | None = None
    packages: int = 0
    text: str = ""
    ledger: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """A total the broker states, beside ours from the rows; ``stated`` None: the file states none."""

    name: str
    stated: Decimal | None
    computed: Decimal

    @property
    def difference(self) -> Decimal | None:
        """Stated less computed, in dollars."""
        return None if self.stated is None else self.stated - self.computed


@dataclass(frozen=True, slots=True)
class BrokerFile:
    """A broker's file as understood: all its rows, its totals, and remarks about the whole.

    ``stated`` is what the statement says all its rows moved together, in dollars; None: it does not say.
    """

    broker: Broker
    layout: str
    rows: Sequence[BrokerRow]
    totals: Sequence[Total] = ()
    remarks: Sequence[str] = ()
    keys: Sequence[str] = field(default=())
    stated: Decimal | None = None


def row_keys(broker: Broker, rows: Iterable[BrokerRow]) -> list[str]:
    """The identity of each row: the broker's own id, else a hash of what it says and its ordinal in the file.

    The hash is over the meaning, so that another header variant, time zone or line ending of the same export
    gives the same identity. Identical rows of one file count up: both are kept.
    """
    seen: dict[str, int] = {}
    keys = []
    for row in rows:
        if row.external_id:
            base = f"{broker}:id:{row.external_id}"[:110]
        else:
            base = f"{broker}:{hashlib.sha256(_meaning(row).encode()).hexdigest()[:40]}"
        ordinal = seen.get(base, 0)
        seen[base] = ordinal + 1
        keys.append(f"{base}:{ordinal}")
    return keys


def _meaning(row: BrokerRow) -> str:
    when = row.moment.astimezone(UTC).isoformat() if row.moment else str(row.day)
    if row.kind is RowKind.CASH:
        return "|".join(("cash", when, row.order_id, _plain(row.cash), row.word, row.text))
    if row.kind not in BOOKED:
        return f"{row.kind}|{row.raw}"
    parts = [row.kind.value, when, row.order_id, _plain(row.fees), _plain(row.package)]
    for leg in row.legs:
        # The price of a package is stated; how it is shared over the legs depends on the sections exported.
        own = leg.price if row.package is None else None
        parts += [leg.spec.symbol, str(leg.quantity), _plain(own)]
    return "|".join(parts)


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"
