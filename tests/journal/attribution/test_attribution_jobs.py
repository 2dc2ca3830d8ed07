"""Jobs of the attribution: cut into ranges, cancelled without a trace, taken up where they were left."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.utils import timezone

from hedging.jobs.engine import job_retry, job_run
from hedging.models import ContractMark, DailyBar, Job, Quality
from journal.errors import RuleError
from journal.models import AttributionDay, CapitalDay, DailyMark, Trade
from journal.selectors.attribution import account_attribution
from journal.services.attribution.jobs import RANGE_DAYS, attribution_request
from journal.services.book.trades import trade_create
from tests.journal.people import FILLED, People, make_people, order, vx

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 13)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> People:
    """A VX future held for two weeks on settlements typed in here."""
    from hedging.models import VXSettlement

    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 14, 12, tzinfo=UTC))
    found = make_people()
    trade_create(
        user=found.owner, account=found.account, kind=Trade.Kind.HEDGE, layer=3, order=order([vx(2)], FILLED)
    )
    found.account.refresh_from_db()
    for number, day in enumerate(
        [d for d in (FIRST + timedelta(days=i) for i in range(12)) if d.weekday() < 5]
    ):
        VXSettlement.objects.create(
            source="test",
            date=day,
            expiry=date(2026, 12, 16),
            settle=Decimal("20.50") + Decimal("0.05") * number,
        )
        DailyBar.objects.create(source="test", symbol="VIX", date=day, close=Decimal(18), quality=Quality.EOD)
    return found


def test_every_cent_of_two_weeks_of_a_future(people: People) -> None:
    (job,) = attribution_request(account=people.account)
    assert job_run(job.pk) == Job.State.DONE
    found = account_attribution(people.account)
    # Bought 2 at 20.50, day one settles at 20.50: fees of 4.80 only; then +0.05 × 2 × 1,000 a session.
    assert [day.total.pnl for day in found.days] == [Decimal("-4.80"), *[Decimal("100.00")] * 9]
    assert found.total.effects["delta"] == Decimal("900.00")
    assert found.total.pnl == Decimal("895.20")
    # No condor is held: nothing of it is an interaction.
    assert (found.hedge_own, found.interaction) == (Decimal("895.20"), Decimal("0.00"))
    assert CapitalDay.objects.filter(account=people.account, margin_partial=True).count() == 10


def test_a_cancelled_job_leaves_no_day_and_a_retry_writes_all(people: People) -> None:
    (job,) = attribution_request(account=people.account)
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    assert job_run(job.pk) == Job.State.CANCELLED
    assert not AttributionDay.objects.exists()
    assert not DailyMark.objects.exists()
    job.refresh_from_db()
    job_retry(job=job)
    assert job_run(job.pk) == Job.State.DONE
    assert AttributionDay.objects.count() == 10


def test_marks_a_killed_worker_had_made_are_not_made_again(people: People) -> None:
    (job,) = attribution_request(account=people.account)
    job_run(job.pk)
    kept = set(ContractMark.objects.values_list("pk", flat=True))
    AttributionDay.objects.all().delete()
    DailyMark.objects.all().delete()
    (again,) = attribution_request(account=people.account, nonce="after the kill")
    assert job_run(again.pk) == Job.State.DONE
    assert set(ContractMark.objects.values_list("pk", flat=True)) == kept
    assert AttributionDay.objects.count() == 10


def test_a_revised_settlement_changes_its_days_only(people: People) -> None:
    (job,) = attribution_request(account=people.account)
    job_run(job.pk)
    before = dict(AttributionDay.objects.values_list("day", "content_hash"))
    from hedging.models import VXSettlement

    row = VXSettlement.objects.get(date=date(2026, 11, 9))
    row.settle += Decimal("0.05")
    row.save()
    (again,) = attribution_request(account=people.account, nonce="revised")
    job_run(again.pk)
    after = dict(AttributionDay.objects.values_list("day", "content_hash"))
    assert {day for day in after if after[day] != before[day]} == {date(2026, 11, 9), date(2026, 11, 10)}
    assert account_attribution(people.account).total.pnl == Decimal("895.20")


def test_a_long_history_is_cut_into_ranges_without_gap_or_overlap(people: People) -> None:
    Trade.objects.get().fills.update(
        trade_date=date(2024, 1, 5), executed_at=datetime(2024, 1, 5, 15, tzinfo=UTC)
    )
    jobs = attribution_request(account=people.account)
    ranges = [(date.fromisoformat(j.payload["from"]), date.fromisoformat(j.payload["to"])) for j in jobs]
    assert ranges[0][0] == date(2024, 1, 5)
    assert ranges[-1][1] == LAST
    assert all(b[0] == a[1] + timedelta(days=1) for a, b in pairwise(ranges))
    assert all((b - a).days < RANGE_DAYS for a, b in ranges)
    assert attribution_request(account=people.account) == jobs


def test_a_period_that_ends_before_it_starts_is_refused(people: People) -> None:
    with pytest.raises(RuleError, match="ends before"):
        attribution_request(account=people.account, date_from=LAST, date_to=FIRST)
