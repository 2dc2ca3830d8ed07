"""The tax worksheet of an account and a year: Section 1256 contracts, securities, and what is uncertain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from hedging.engine.book import ContractSpec
from hedging.engine.money import to_cents
from hedging.engine.results.tax import (
    ContractYear,
    TaxClass,
    TaxFill,
    contract_year,
    split_60_40,
    tax_class,
)
from hedging.jobs.engine import job_request
from hedging.jobs.scopes import account_scope
from hedging.models import Contract, ContractMark, Job
from hedging.selectors.calendar import FIRST_DAY, LAST_DAY, closes_at, session_on_or_before
from hedging.services.snapshots.contracts import contract_spec
from hedging.services.snapshots.marks import contract_marks
from journal.errors import RuleError
from journal.job_kinds import TAX_PDF
from journal.models import WRITE_ROLES, Account, BulkChange, Fill, User, YearEndMark
from journal.services.audit import audit_record
from journal.services.undo_records import removal_record

FIRST_YEAR, LAST_YEAR = FIRST_DAY.year + 1, LAST_DAY.year - 1
ZERO = Decimal(0)
NOT_ADVICE = (
    "A worksheet for you and your adviser, not tax advice. Wash sales, straddles, mixed-straddle "
    "elections and corrections of your broker's Form 1099-B are not considered."
)
CARRYBACK = (
    "A net Section 1256 loss may be carried back three years against Section 1256 gains "
    "(Form 6781, line 6; Form 1045 or 1040-X). Corporations, estates and trusts may not."
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A year-end value in points, what it comes from, and None with a reason while unknown."""

    contract: Contract
    price: Decimal | None
    source: str


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One contract of the worksheet; amounts in dollars to the cent, None while unknown."""

    contract: Contract
    spec: ContractSpec
    tax_class: TaxClass
    result: ContractYear
    realized: Decimal | None
    year_end: Decimal | None
    total: Decimal | None
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class TaxYear:
    """The worksheet. ``net`` and its parts cover the known Section 1256 lines; ``unknown`` counts others.

    ``is_final`` is whether the year's last session has closed; before it nothing is marked.
    """

    account: Account
    year: int
    last_session: date
    is_final: bool
    lines: tuple[TaxLine, ...]
    securities: tuple[TaxLine, ...]
    uncertain: tuple[TaxLine, ...]
    losses: Decimal
    gains: Decimal
    net: Decimal
    long_term: Decimal
    short_term: Decimal
    unknown: int
    security_long: Decimal
    security_short: Decimal

    @property
    def missing(self) -> tuple[TaxLine, ...]:
        """Lines that wait for a year-end mark."""
        return tuple(line for line in self.lines if line.mark is not None and line.mark.price is None)

    @property
    def carryback(self) -> str:
        """The note on carrying a loss back; empty for a gain."""
        return CARRYBACK if self.net < 0 else ""


def tax_check(year: int) -> None:
    """Raise RuleError for a year no worksheet can have."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise RuleError(f"A year is between {FIRST_YEAR} and {LAST_YEAR}.", "year")


def tax_year(*, account: Account, year: int, now: datetime) -> TaxYear:
    """Work out the worksheet as known at ``now``. Raises RuleError for an impossible year."""
    tax_check(year)
    last = session_on_or_before(date(year, 12, 31))
    is_final = now >= closes_at(last)
    contracts, executions = _executions(account, year)
    open_end = _open(executions, year)
    marks_end = _marks(account, year, last, [contracts[k] for k in open_end]) if is_final else {}
    open_start = _open(executions, year - 1)
    before = session_on_or_before(date(year - 1, 12, 31))
    marks_before = _marks(account, year - 1, before, [contracts[k] for k in open_start])
    lines = []
    for key, contract in contracts.items():
        spec = contract_spec(contract)
        kind = tax_class(spec)
        mark = marks_end.get(key)
        if mark is None and key in open_end:
            mark = Mark(contract, None, "not yet")
        start = marks_before.get(key)
        result = contract_year(
            executions[key], year=year, multiplier=spec.multiplier, marked=kind is TaxClass.SECTION_1256,
            mark_before=start.price if start else None, mark_end=mark.price if mark else None,
        )  # fmt: skip
        if result.open_start or result.closed or result.open_end:
            lines.append(_line(contract, spec, kind, result, mark, is_final=is_final))
    return _summed(account, year, last, is_final, lines)


def _line(
    contract: Contract, spec: ContractSpec, kind: TaxClass, result: ContractYear, mark: Mark | None,
    *, is_final: bool,
) -> TaxLine:  # fmt: skip
    """Round once. Before the year is over nothing is marked, and the total is what was realized."""
    realized = None if result.realized is None else to_cents(result.realized)
    year_end = None if result.year_end is None else to_cents(result.year_end)
    if kind is TaxClass.SECTION_1256 and not is_final and result.open_end:
        total = realized
        year_end = None
    else:
        total = None if realized is None or year_end is None else realized + year_end
    shown = mark if kind is TaxClass.SECTION_1256 else None
    return TaxLine(contract, spec, kind, result, realized, year_end, total, shown)


def _summed(account: Account, year: int, last: date, is_final: bool, lines: Sequence[TaxLine]) -> TaxYear:
    def of(kind: TaxClass) -> tuple[TaxLine, ...]:
        return tuple(line for line in lines if line.tax_class is kind)

    marked, securities = of(TaxClass.SECTION_1256), of(TaxClass.SECURITY)
    known = [line.total for line in marked if line.total is not None]
    net = sum(known, ZERO)
    long_term, short_term = split_60_40(net)
    parts = [part for line in securities for part in line.result.closed]
    return TaxYear(
        account=account, year=year, last_session=last, is_final=is_final, lines=marked,
        securities=securities, uncertain=of(TaxClass.UNCERTAIN),
        losses=sum((total for total in known if total < 0), ZERO),
        gains=sum((total for total in known if total > 0), ZERO),
        net=net, long_term=long_term, short_term=short_term, unknown=len(marked) - len(known),
        security_long=to_cents(sum((p.gain for p in parts if p.long_term), ZERO)),
        security_short=to_cents(sum((p.gain for p in parts if not p.long_term), ZERO)),
    )  # fmt: skip


def _executions(account: Account, year: int) -> tuple[dict[int, Contract], dict[int, list[TaxFill]]]:
    """Every execution up to the end of the year by contract, without corrected fills."""
    fills = (
        Fill.objects.filter(
            account=account, reverses=None, reversed_by=None, trade_date__lte=date(year, 12, 31)
        )
        .select_related("contract")
        .order_by("contract__symbol", "executed_at", "created_at", "pk")
    )
    contracts: dict[int, Contract] = {}
    rows: dict[int, list[TaxFill]] = {}
    for fill in fills:
        contracts[fill.contract_id] = fill.contract
        rows.setdefault(fill.contract_id, []).append(
            TaxFill(fill.trade_date, fill.quantity, fill.price, fill.fees)
        )
    return contracts, rows


def _open(rows: dict[int, list[TaxFill]], year: int) -> list[int]:
    return [
        key for key, fills in rows.items() if sum(fill.quantity for fill in fills if fill.day.year <= year)
    ]


def _marks(account: Account, year: int, day: date, contracts: Iterable[Contract]) -> dict[int, Mark]:
    """Year-end values: as the trader entered them, else the stored mark of the session, else unknown."""
    wanted = [c for c in contracts if tax_class(contract_spec(c)) is TaxClass.SECTION_1256]
    if not wanted:
        return {}
    entered = dict(YearEndMark.objects.filter(account=account, year=year).values_list("contract_id", "price"))
    rest = [c for c in wanted if c.pk not in entered]
    made = contract_marks(wanted={day: rest}, simulated=account.is_demo) if rest else []
    stored: dict[int, ContractMark] = {mark.contract_id: mark for mark in made}
    found = {}
    for contract in wanted:
        mark = stored.get(contract.pk)
        if contract.pk in entered:
            found[contract.pk] = Mark(contract, entered[contract.pk], "entered by you")
        elif mark is not None and mark.price is not None:
            source = "modelled" if mark.is_modelled else mark.source
            found[contract.pk] = Mark(contract, mark.price, f"{source}, {day}")
        else:
            reason = mark.reason if mark is not None and mark.reason else "no market data of that day"
            found[contract.pk] = Mark(contract, None, reason)
    return found


@transaction.atomic
def year_end_mark_set(
    *, user: User, account: Account, contract: Contract, year: int, price: Decimal | None
) -> BulkChange | None:
    """Keep the broker's year-end value of a contract in points; None forgets it. Raises RuleError.

    Forgetting one returns the record to undo it from.
    """
    tax_check(year)
    if price is not None and not (price.is_finite() and 0 <= price < 10**7):
        raise RuleError("A value in points is zero or more.", "price")
    if not Fill.objects.filter(account=account, contract=contract).exists():
        raise RuleError("The account has no fill of this contract.", "contract")
    former = YearEndMark.objects.filter(account=account, contract=contract, year=year).first()
    if price is None:
        YearEndMark.objects.filter(account=account, contract=contract, year=year).delete()
    else:
        YearEndMark.objects.update_or_create(
            account=account, contract=contract, year=year, defaults={"price": price, "entered_by": user}
        )
    audit_record(
        actor=user, action="tax.year_end_mark", account=account, summary=f"{contract.symbol} {year}",
        changes={"price": None if price is None else str(price)},
    )  # fmt: skip
    if price is not None or former is None:
        return None
    undo = {
        "account": str(account.pk), "contract": contract.pk, "year": year, "price": str(former.price),
    }  # fmt: skip
    summary = f"Year-end value of {contract.symbol} forgotten"
    return removal_record(user=user, action=BulkChange.Action.MARK, summary=summary, undo=[undo])


def year_end_mark_restore(user: User, undo: Sequence[Any]) -> int:
    """Keep forgotten year-end values again where none was entered since; returns how many."""
    count = 0
    for row in undo:
        account = Account.objects.for_user(user, WRITE_ROLES).filter(pk=row["account"]).first()
        contract = Contract.objects.filter(pk=row["contract"]).first()
        entered = YearEndMark.objects.filter(account=account, contract=contract, year=row["year"])
        if account is None or contract is None or entered.exists():
            continue
        year_end_mark_set(
            user=user, account=account, contract=contract, year=row["year"], price=Decimal(row["price"])
        )
        count += 1
    return count


@transaction.atomic
def tax_pdf_request(*, user: User, account: Account, year: int, token: str) -> Job:
    """Ask a worker for the worksheet as PDF; the same token asks once. Raises RuleError."""
    tax_check(year)
    job, made = job_request(
        kind=TAX_PDF, scope=account_scope(account.pk), as_of=str(year), input_revision=token[:40],
        requested_by=str(user.public_id), payload={"year": year, "by": user.get_username()}, max_attempts=2,
    )  # fmt: skip
    if made:
        audit_record(actor=user, action="tax.pdf", account=account, summary=f"Form 6781 worksheet {year}")
    return job
