"""What the desk sees of one account: figures against limits, positions, decisions, imports, who looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery

from journal.models import (
    Account,
    AuditEvent,
    BreachCase,
    Decision,
    ImportBatch,
    Measure,
    Recommendation,
    RiskRow,
    Trade,
    Valuation,
)
from journal.selectors import overview
from journal.selectors.risk.console import newest_sheet
from journal.selectors.risk.limits import FIGURES, Limit, limit_book, use_of_limit

_LOOKS = 20


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit of the account with the figure it is about and its use in percent."""

    label: str
    value: float | None
    limit: Limit
    use: float | None
    broken: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """The page; ``row`` is None while no sheet has the account, ``grid`` without a market."""

    account: Account
    row: RiskRow | None
    limits: tuple[LimitUse, ...]
    cases: tuple[BreachCase, ...]
    trades: tuple[Trade, ...]
    grid: Any
    recommendations: tuple[Recommendation, ...]
    decisions: tuple[Decision, ...]
    imports: tuple[ImportBatch, ...]
    looks: tuple[AuditEvent, ...]

    @property
    def is_advised(self) -> bool:
        """Whether anything was recommended or decided."""
        return bool(self.recommendations or self.decisions)


def account_view(account: Account) -> AccountView:
    """Read the page."""
    sheet = newest_sheet(simulated=account.is_demo)
    row = RiskRow.objects.filter(sheet=sheet, account=account).first() if sheet else None
    cases = tuple(BreachCase.objects.filter(account=account, closed_at__isnull=True))
    newest = Valuation.objects.filter(trade=OuterRef("pk")).order_by("-book_revision", "-as_of")
    trades = Trade.objects.filter(account=account, status=Trade.Status.OPEN)
    held = overview.book_and_market(account)
    waiting = Recommendation.objects.filter(account=account, state__in=Recommendation.OPEN)
    looks = AuditEvent.objects.filter(account_id=str(account.pk), action="risk.view_account")
    return AccountView(
        account=account,
        row=row,
        limits=_uses(account, row, {case.measure for case in cases}),
        cases=cases,
        trades=tuple(
            trades.annotate(valued=Subquery(newest.values("result")[:1])).order_by("nearest_expiry")
        ),
        grid=overview.heat_rows(*held) if held else None,
        recommendations=tuple(waiting[:20]),
        decisions=tuple(
            Decision.objects.filter(account=account).select_related("recommendation").order_by("-at")[:20]
        ),
        imports=tuple(ImportBatch.objects.filter(account=account).order_by("-created_at")[:10]),
        looks=tuple(looks[:_LOOKS]),
    )


def _uses(account: Account, row: RiskRow | None, broken: set[str]) -> tuple[LimitUse, ...]:
    found = []
    for measure, limit in limit_book().limits(account).items():
        value = getattr(row, FIGURES[measure]) if row else None
        found.append(
            LimitUse(
                str(Measure(measure).label), value, limit, use_of_limit(measure, value, limit),
                measure.value in broken,
            )
        )  # fmt: skip
    return tuple(found)
