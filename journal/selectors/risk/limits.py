"""Which limit counts for an account: the narrowest scope's, and whether a figure keeps it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from journal.models import Account, BreachCase, Measure, RiskGroup, RiskLimit, RiskRow

Severity = BreachCase.Severity


class Scope(StrEnum):
    """Where a limit comes from; ACCOUNT_PAGE are the limits the account itself states."""

    ACCOUNT = "account"
    GROUP = "group"
    FIRM = "firm"
    ACCOUNT_PAGE = "the account's own settings"


@dataclass(frozen=True, slots=True)
class Limit:
    """``soft`` warns, ``hard`` breaches; both in the unit of the measure."""

    soft: float | None
    hard: float
    scope: Scope


@dataclass(frozen=True, slots=True)
class Breach:
    """A figure that broke its limit, or is unknown where a limit asks for it (``value`` None)."""

    measure: Measure
    severity: BreachCase.Severity
    value: float | None
    limit: Limit


#: The figure of a row that each measure is about.
FIGURES: dict[Measure, str] = {
    Measure.MARGIN: "margin_pct",
    Measure.FALL: "fall_pct",
    Measure.RALLY: "rally_pct",
    Measure.TRADE: "trade_loss_pct",
    Measure.EXPIRY: "expiry_loss_pct",
    Measure.EXPIRY_SHARE: "expiry_share_pct",
    Measure.STRIKE_SHARE: "strike_share_pct",
    Measure.COVERAGE_LOW: "coverage_pct",
    Measure.COVERAGE_HIGH: "coverage_pct",
    Measure.DRAWDOWN: "drawdown_pct",
    Measure.AGE: "mark_age_days",
}
#: Broken when the figure is below the limit; all others when it is above.
FLOORS = frozenset({Measure.COVERAGE_LOW})
#: Measures that stand for themselves whether or not somebody set them: what an account states of itself.
_OWN = {
    Measure.MARGIN: "max_margin_pct",
    Measure.FALL: "max_stress_loss_pct",
    Measure.RALLY: "max_stress_loss_pct",
}
#: Without positions there is no share, no trade and nothing to cover: nothing can break.
_OF_POSITIONS = frozenset(
    {Measure.EXPIRY_SHARE, Measure.STRIKE_SHARE, Measure.COVERAGE_LOW, Measure.COVERAGE_HIGH}
)
#: Marks older than this many sessions are looked at whatever the limits say.
STALE_SESSIONS = 3.0


@dataclass(frozen=True, slots=True)
class LimitBook:
    """Every limit in force, read once for any number of accounts."""

    of_account: Mapping[UUID, Mapping[Measure, Limit]]
    of_group: Mapping[UUID, Mapping[Measure, Limit]]
    firm: Mapping[Measure, Limit]
    groups: Mapping[UUID, Sequence[UUID]]

    def limits(self, account: Account) -> dict[Measure, Limit]:
        """The limits that count for the account: its own, else its groups' strictest, else the firm's."""
        found = {
            measure: Limit(None, float(getattr(account, field)), Scope.ACCOUNT_PAGE)
            for measure, field in _OWN.items()
        }
        found[Measure.AGE] = Limit(None, STALE_SESSIONS, Scope.FIRM)
        found |= self.firm
        of_groups: dict[Measure, Limit] = {}
        for group in self.groups.get(account.pk, ()):
            for measure, limit in self.of_group.get(group, {}).items():
                known = of_groups.get(measure)
                if known is None or stricter(measure, limit.hard, known.hard):
                    of_groups[measure] = limit
        return found | of_groups | dict(self.of_account.get(account.pk, {}))


def stricter(measure: Measure, one: float, other: float) -> bool:
    """Whether ``one`` forbids what ``other`` allows."""
    return one > other if measure in FLOORS else one < other


def limits_in_force() -> QuerySet[RiskLimit]:
    """The limits that count now."""
    return RiskLimit.objects.filter(state=RiskLimit.State.IN_FORCE)


def limit_book() -> LimitBook:
    """Read all limits in force and who is in which group: two queries."""
    accounts: dict[UUID, dict[Measure, Limit]] = defaultdict(dict)
    of_group: dict[UUID, dict[Measure, Limit]] = defaultdict(dict)
    firm: dict[Measure, Limit] = {}
    for row in limits_in_force():
        scope = Scope.ACCOUNT if row.account_id else Scope.GROUP if row.group_id else Scope.FIRM
        limit = Limit(row.soft, row.hard, scope)
        if row.account_id:
            accounts[row.account_id][Measure(row.measure)] = limit
        elif row.group_id:
            of_group[row.group_id][Measure(row.measure)] = limit
        else:
            firm[Measure(row.measure)] = limit
    groups: dict[UUID, list[UUID]] = defaultdict(list)
    for group, account in RiskGroup.accounts.through.objects.values_list("riskgroup_id", "account_id"):
        groups[account].append(group)
    return LimitBook(accounts, of_group, firm, groups)


def breaches(row: RiskRow, limits: Mapping[Measure, Limit]) -> list[Breach]:
    """What of the row breaks its limits; a figure that is unknown never keeps one."""
    found = []
    for measure, limit in limits.items():
        severity = judge(measure, limit, getattr(row, FIGURES[measure]), row)
        if severity is not None:
            found.append(Breach(measure, severity, getattr(row, FIGURES[measure]), limit))
    return found


def judge(measure: Measure, limit: Limit, value: float | None, row: RiskRow) -> BreachCase.Severity | None:
    """How badly a figure breaks a limit; at the limit it is kept."""
    if row.open_trades == 0 and (value is None or measure in {*_OF_POSITIONS, Measure.AGE}):
        return None
    if measure in {Measure.COVERAGE_LOW, Measure.COVERAGE_HIGH} and row.nothing_to_cover:
        return None
    if value is None:
        return None if _says_nothing(measure, row) else Severity.UNKNOWN
    if stricter(measure, limit.hard, value):
        return Severity.HARD
    if limit.soft is not None and stricter(measure, limit.soft, value):
        return Severity.SOFT
    if measure is Measure.MARGIN and row.unmargined:  # what is known keeps it, the rest may not
        return Severity.UNKNOWN
    return None


def _says_nothing(measure: Measure, row: RiskRow) -> bool:
    """Whether a figure is missing because there is nothing of it, not because it is unknown."""
    if measure is Measure.STRIKE_SHARE:  # counted, never valued: nothing was sold
        return True
    if measure is Measure.EXPIRY_SHARE:  # no expiry loses
        return row.fall_pct is not None and row.rally_pct is not None
    return False


def use_of_limit(measure: Measure, value: float | None, limit: Limit | None) -> float | None:
    """Percent of the hard limit in use; None while either is unknown."""
    if value is None or limit is None or limit.hard == 0:
        return None
    return limit.hard / value * 100 if measure in FLOORS and value else value / limit.hard * 100


def limit_history() -> QuerySet[RiskLimit]:
    """Versions that ended or were refused, the newest first, at most a hundred."""
    over = RiskLimit.objects.filter(state__in=(RiskLimit.State.ENDED, RiskLimit.State.REFUSED))
    return over.select_related("account", "group", "made_by", "approved_by")[:100]
