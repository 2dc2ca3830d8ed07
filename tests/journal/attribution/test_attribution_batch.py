"""One session of many accounts at once says, to the byte, what each account's own history says."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from django.db import connection

from hedging.engine.results.effects import EFFECTS
from hedging.jobs.engine import job_run
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from journal.bulk_rows import CopyColumn, read_rows, write_rows
from journal.job_kinds import ATTRIBUTE
from journal.models import Account, AttributionDay, CapitalDay, DailyMark, Trade
from journal.services.attribution.batch import batch_day, day_request
from journal.services.attribution.jobs import attribution_run, last_closed_session
from journal.services.book.trades import trade_create
from journal.services.demo import demo_guest, demo_start
from tests.journal.people import make_account, order, vix_call

pytestmark = pytest.mark.django_db
_COLUMNS = (
    "account_id", "trade_id", "contract_id", "mark_id", "base_id", "day", "since", "quantity", "held",
    "known", "value", "pnl", *EFFECTS,
)  # fmt: skip


def stored(account: Account, days: list[date]) -> list[object]:
    marks = DailyMark.objects.filter(account=account, day__in=days).order_by("day", "trade_id", "contract_id")
    sums = AttributionDay.objects.filter(account=account, day__in=days).order_by("day")
    capital = CapitalDay.objects.filter(account=account, day__in=days).order_by("day")
    fields = [f.attname for f in AttributionDay._meta.fields if f.attname not in {"id", "created_at"}]
    return [
        list(marks.values_list(*_COLUMNS)),
        list(sums.values_list(*fields)),
        list(capital.values_list("day", "margin", "margin_ibkr", "content_hash", "result")),
    ]


def test_a_session_in_bulk_is_the_session_of_the_history() -> None:
    account = demo_start(user=demo_guest())
    account.refresh_from_db()
    last = last_closed_session()
    attribution_run(account=account, date_from=None, date_to=last)
    days = sorted(AttributionDay.objects.filter(account=account).values_list("day", flat=True))[-14:]
    before = stored(account, days)
    DailyMark.objects.filter(day__in=days).delete()
    AttributionDay.objects.filter(day__in=days).delete()
    CapitalDay.objects.filter(day__in=days).delete()
    for day in days:
        found = batch_day(day=day, accounts=[account])
        assert (found.accounts, found.left) == (1, ())
    assert stored(account, days) == before
    # Again: nothing to write.
    assert batch_day(day=days[-1], accounts=[account]).accounts == 0

    # Jobs do it in parts; the same data and books ask once.
    AttributionDay.objects.filter(day=last).delete()
    DailyMark.objects.filter(day=last).delete()
    (job,) = day_request(day=last, simulated=True)
    assert day_request(day=last, simulated=True) == [job]
    assert job_run(job.pk) == Job.State.DONE
    job.refresh_from_db()
    assert job.result["accounts"] == 1
    assert stored(account, days) == before


def test_a_leg_without_an_earlier_mark_is_left_to_its_history() -> None:
    user = demo_guest()
    account = make_account(user, is_demo=True)
    trade_create(user=user, account=account, kind=Trade.Kind.HEDGE, layer=1, order=order([vix_call(30, 10)]))
    account.refresh_from_db()
    day = date(2026, 11, 4)
    found = batch_day(day=day, accounts=[account])
    assert found.left == (account.pk,)
    assert not DailyMark.objects.exists()
    (job,) = day_request(day=day, simulated=True)
    assert job_run(job.pk) == Job.State.DONE
    assert Job.objects.filter(kind=ATTRIBUTE, scope=account_scope(account.pk)).exists()


def test_rows_go_out_and_come_back_with_nulls_and_extremes() -> None:
    with connection.cursor() as cursor:
        kind = "uuid" if connection.vendor == "postgresql" else "char(32)"
        cursor.execute(f"CREATE TEMP TABLE odd (u {kind}, a bigint, b integer, c date)")
    count = 5
    ids = np.array([bytes([i, *([0] * 14), 0]) for i in range(count)], "V16")
    big = np.array([-(2**62), -1, 0, 1, 2**62], np.int64)
    null = np.array([True, False, True, False, False])
    days = np.array([date(1999, 12, 31).toordinal() + i for i in range(count)])
    wrote = write_rows(
        "odd",
        [
            CopyColumn("u", "uuid", ids), CopyColumn("a", "int8", big),
            CopyColumn("b", "int4", np.arange(count), null), CopyColumn("c", "date", days),
        ],
    )  # fmt: skip
    assert wrote == count
    back = read_rows(
        "SELECT u, a, CAST(COALESCE(b, -9) AS BIGINT) AS b FROM odd", (), ("uuid", "int8", "int8")
    )
    rows = sorted(zip([bytes(v) for v in back[0]], back[1].tolist(), back[2].tolist(), strict=True))
    assert rows == [(bytes(ids[i]), int(big[i]), -9 if null[i] else i) for i in range(count)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT MIN(c), MAX(c) FROM odd")
        assert [str(v) for v in cursor.fetchone()] == ["1999-12-31", "2000-01-04"]
    assert write_rows("odd", [CopyColumn("a", "int8", np.zeros(0, np.int64))]) == 0
