"""What an import does to the ledger whatever the order of files, and what it leaves alone."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from hedging.jobs import engine as jobs
from hedging.models import DailyBar, Job
from journal.errors import RuleError
from journal.models import AuditEvent, CashEntry, Fill, ImportBatch, ImportRow, Trade
from journal.services.book.settlement import settlement_book, settlements_book_loaded
from journal.services.book.trades import fill_reverse
from journal.services.imports import commit as committing
from journal.services.imports import stage as staging
from journal.services.imports.commit import import_commit, import_undo
from journal.services.imports.stage import import_upload
from tests.examples import examples
from tests.importers.cases import FILES, HEADER, settled, tasty
from tests.journal.people import People, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def bring(people: People, *lines: str, name: str = "a.csv") -> ImportBatch:
    text = "\n".join([HEADER, *lines]) + "\n"
    batch = import_upload(user=people.owner, account=people.account, filename=name, data=text.encode())
    return import_commit(user=people.owner, batch=batch)


def book() -> list[tuple[object, ...]]:
    """The ledger without its ids, trades and cash."""
    entries = [(e.kind, e.amount, e.day, e.note) for e in CashEntry.objects.all()]
    trades = sorted(
        (t.label, t.kind, t.layer, t.status, t.opened_at, t.closed_at, round(t.net_cash, 2),
         round(t.fees_total, 2), t.fills.count())
        for t in Trade.objects.all()
    )  # fmt: skip
    return [*trades, *sorted(entries)]


def story() -> list[list[str]]:
    """Four days: opened, scaled, a wing rolled, one lot closed, the rest settled; money in and out."""
    one, two, three, four = "2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"
    e = {"expiry": "251006"}
    return [
        [
            tasty(one, "10:00:00", "SELL_TO_OPEN", "P", 6600, "9.00", "1", quantity=2, **e),
            tasty(one, "10:00:00", "BUY_TO_OPEN", "P", 6590, "7.00", "1", quantity=2, **e),
            f"{one}T09:00:00-0400,Money Movement,Deposit,,,,ACH,500.00,0,,--,0.00,,,,,,,,500.00,USD",
            f"{one}T09:00:00-0400,Money Movement,Deposit,,,,ACH,500.00,0,,--,0.00,,,,,,,,500.00,USD",
        ],
        [
            tasty(two, "11:00:00", "SELL_TO_OPEN", "P", 6600, "8.00", "2", **e),
            tasty(two, "11:00:00", "BUY_TO_OPEN", "P", 6590, "6.00", "2", **e),
            tasty(two, "11:00:01", "SELL_TO_OPEN", "P", 6600, "8.00", "3", **e),
            tasty(two, "11:00:01", "BUY_TO_OPEN", "P", 6580, "5.00", "3", **e),
        ],
        [
            tasty(three, "12:00:00", "BUY_TO_CLOSE", "P", 6600, "4.00", "4", **e),
            tasty(three, "12:00:00", "SELL_TO_CLOSE", "P", 6590, "3.00", "4", **e),
            tasty(three, "12:00:00", "SELL_TO_OPEN", "P", 6580, "2.00", "4", **e),
            tasty(three, "12:00:00", "BUY_TO_OPEN", "P", 6570, "1.00", "4", **e),
        ],
        [
            *settled(four, "P", 6600, "-900.00", quantity=3),
            *settled(four, "P", 6590, "400.00", quantity=2),
            f"{four}T18:00:00-0400,Money Movement,Withdrawal,,,,ACH,-50.00,0,,--,0.00,,,,,,,,-50.00,USD",
        ],
    ]


@examples(12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(4)), cuts=st.sets(st.integers(1, 3)))
def test_the_order_of_files_and_where_they_are_split_do_not_matter(
    people: People, order: list[int], cuts: set[int]
) -> None:
    from django.db import transaction

    days = story()
    with transaction.atomic():
        bring(people, *[row for day in reversed(days) for row in reversed(day)])
        wanted = book()
        assert len(wanted) == 6
        transaction.set_rollback(True)
    files, current = [], []
    for position, number in enumerate(order):
        current += days[number]
        if position + 1 in cuts or position == 3:
            files.append(current)
            current = []
    with transaction.atomic():
        for file in files:
            bring(people, *file)
        assert book() == wanted
        transaction.set_rollback(True)


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_rows_never_lose_a_record_or_break_the_ledger(people: People, data: st.DataObject) -> None:
    from django.db import transaction

    name = data.draw(st.sampled_from(sorted(FILES)))
    lines = FILES[name].splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    cells = lines[at].split(",")
    cell = data.draw(st.integers(0, len(cells) - 1))
    cells[cell] = data.draw(
        st.one_of(st.text(max_size=30), st.sampled_from(["", "--", "-1", "0", "1e5", "$9"]))
    )
    lines[at] = ",".join(cells)
    with transaction.atomic():
        batch = import_upload(
            user=people.owner, account=people.account, filename=name,
            data="\n".join(lines).encode("utf-8", "surrogatepass"), inline=True,
        )  # fmt: skip
        if batch.state == ImportBatch.State.STAGED:
            assert sum(batch.counts.values()) == batch.rows.count()
            batch = import_commit(user=people.owner, batch=batch, inline=True)
            assert batch.counts["new"] == 0
            assert {fill.external_id.partition("/")[0] for fill in Fill.objects.all()} <= set(
                ImportRow.objects.filter(status__in=("recorded", "waiting")).values_list("key", flat=True)
            )
        transaction.set_rollback(True)


def test_two_identical_fills_in_one_file_are_both_kept(people: People) -> None:
    row = tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1")
    batch = bring(people, row, row)
    assert batch.counts["recorded"] == 2
    trade = Trade.objects.get()
    assert sum(fill.quantity for fill in trade.fills.all()) == -2
    assert bring(people, row, row).counts["recorded"] == 0


def test_the_same_export_in_another_time_zone_is_a_duplicate(people: People) -> None:
    bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1"))
    shifted = tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1")
    shifted = shifted.replace("2025-10-03T10:00:00-0400", "2025-10-04T03:00:00+1300")
    assert bring(people, shifted).counts["duplicate"] == 1


def test_only_the_leg_of_the_file_replaces_its_computed_settlement(people: People) -> None:
    opened = [
        tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6720, "9.00", "1"),
        tasty("2025-10-03", "10:00:00", "BUY_TO_OPEN", "P", 6710, "7.00", "1"),
    ]
    bring(people, *opened)
    DailyBar.objects.create(source="t", symbol="SPX", date=date(2025, 10, 3), close=Decimal("6715.79"))
    assert settlements_book_loaded() == 1
    trade = Trade.objects.get()
    computed = trade.realized
    assert computed == Decimal(200) - Decimal(421) - Decimal("3.54")
    batch = bring(people, *settled("2025-10-03", "P", 6720, "-421.00"), name="b.csv")
    trade.refresh_from_db()
    # The short put settles by the file with its fee, the bought one, not in the file, as computed: at 0.
    assert (trade.status, trade.realized) == ("closed", Decimal(200) - Decimal(421) - Decimal("8.54"))
    assert batch.plan["settlements"][0]["difference"] == "0.00"


def test_a_leg_settles_once_by_the_file_and_undo_brings_the_computed_one_back(people: People) -> None:
    bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6720, "9.00", "1"))
    trade = Trade.objects.get()
    settlement_book(
        user=people.owner, trade=trade, symbol="SPX", expiry=date(2025, 10, 3), level=Decimal("6715.00")
    )
    trade.refresh_from_db()
    assert trade.realized == Decimal(900) - Decimal(500) - Decimal("1.77")
    batch = bring(people, *settled("2025-10-03", "P", 6720, "-421.00"), name="b.csv")
    trade.refresh_from_db()
    assert (trade.status, trade.realized) == ("closed", Decimal(900) - Decimal(421) - Decimal("6.77"))
    assert batch.plan["replaced"] == ["SPXW  251003P06720000 computed at 5"]
    import_undo(user=people.owner, batch=batch)
    trade.refresh_from_db()
    assert (trade.status, trade.realized) == ("closed", Decimal(900) - Decimal(500) - Decimal("1.77"))


def test_undo_takes_the_computed_settlement_along_with_its_trade(people: People) -> None:
    batch = bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6720, "9.00", "1"))
    DailyBar.objects.create(source="t", symbol="SPX", date=date(2025, 10, 3), close=Decimal("6715.79"))
    assert settlements_book_loaded() == 1
    import_undo(user=people.owner, batch=batch)
    assert not Trade.objects.exists()
    assert not Fill.objects.exists()


def test_undo_leaves_no_trade_of_a_reversed_settlement(people: People) -> None:
    batch = bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6720, "9.00", "1"))
    DailyBar.objects.create(source="t", symbol="SPX", date=date(2025, 10, 3), close=Decimal("6715.79"))
    assert settlements_book_loaded() == 1
    fill_reverse(user=people.owner, fill=Fill.objects.get(source="settlement"), reason="not official")
    import_undo(user=people.owner, batch=batch)
    assert not Trade.objects.exists()
    assert not Fill.objects.exists()


def test_undo_of_one_of_two_lots_settles_the_other_anew(people: People) -> None:
    bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6720, "9.00", "1"))
    second = bring(people, tasty("2025-10-03", "11:00:00", "SELL_TO_OPEN", "P", 6720, "8.00", "2"))
    DailyBar.objects.create(source="t", symbol="SPX", date=date(2025, 10, 3), close=Decimal("6715.79"))
    assert settlements_book_loaded() == 1
    import_undo(user=people.owner, batch=second)
    trade = Trade.objects.get()
    assert trade.status == "open"
    assert settlements_book_loaded() == 1
    trade.refresh_from_db()
    assert (trade.status, trade.realized) == ("closed", Decimal(900) - Decimal(421) - Decimal("1.77"))


def test_an_early_close_that_arrives_late_takes_back_its_part_of_a_computed_settlement(
    people: People,
) -> None:
    expiry = {"expiry": "251003"}
    bring(
        people, tasty("2025-10-01", "10:00:00", "SELL_TO_OPEN", "P", 6720, "9.00", "1", quantity=3, **expiry)
    )
    DailyBar.objects.create(source="t", symbol="SPX", date=date(2025, 10, 3), close=Decimal("6715.79"))
    assert settlements_book_loaded() == 1
    before = book()
    # Two contracts bought back in two fills of one order: 4.21 points are left of one contract.
    rows = [
        tasty("2025-10-02", f"10:00:0{n}", "BUY_TO_CLOSE", "P", 6720, "5.00", "2", **expiry) for n in range(2)
    ]
    batch = bring(people, *rows, name="b.csv")
    trade = Trade.objects.get()
    wanted = 3 * Decimal(900) - 2 * Decimal(500) - Decimal(421) - 3 * Decimal("1.77") - 2 * Decimal("0.77")
    assert (trade.status, trade.realized) == ("closed", wanted)
    assert settlements_book_loaded() == 0
    import_undo(user=people.owner, batch=batch)
    assert [row[:-1] for row in book()] == [row[:-1] for row in before]  # the settlement is two fills now
    assert settlements_book_loaded() == 0


def test_more_of_a_settled_leg_that_arrives_late_settles_too(people: People) -> None:
    rows = [
        tasty("2025-10-01", f"1{n}:00:00", "SELL_TO_OPEN", "P", 6720, "9.00", str(n), expiry="251003")
        for n in range(2)
    ]
    bring(people, rows[1])
    DailyBar.objects.create(source="t", symbol="SPX", date=date(2025, 10, 3), close=Decimal("6715.79"))
    assert settlements_book_loaded() == 1
    bring(people, rows[0], name="b.csv")
    assert settlements_book_loaded() == 1
    trade = Trade.objects.get()
    assert (trade.status, trade.realized) == ("closed", 2 * (Decimal(900) - Decimal(421) - Decimal("1.77")))


def test_undo_is_refused_when_a_fill_was_corrected_by_hand(people: People) -> None:
    batch = bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1"))
    fill_reverse(user=people.owner, fill=Fill.objects.get(), reason="typed twice")
    with pytest.raises(RuleError, match="corrected by hand"):
        import_undo(user=people.owner, batch=batch)


def test_undo_leaves_what_another_file_says_as_well(people: People) -> None:
    rows = [
        tasty("2025-10-03", f"10:0{n}:00", "SELL_TO_OPEN", "P", 6600 + n, "3.00", str(n)) for n in range(3)
    ]
    first = bring(people, *rows[:2])
    bring(people, *rows[1:], name="b.csv")
    import_undo(user=people.owner, batch=first)
    assert sorted(Fill.objects.values_list("contract__strike", flat=True)) == [6601, 6602]


def test_large_files_are_read_and_recorded_by_the_worker(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "INLINE_BYTES", 10)
    monkeypatch.setattr(committing, "INLINE_ROWS", 1)
    batch = import_upload(
        user=people.owner, account=people.account, filename="a.csv", data=FILES["tastytrade.csv"].encode()
    )
    assert batch.state == "reading"
    assert jobs.job_run(batch.job_id) == Job.State.DONE
    batch.refresh_from_db()
    assert (batch.state, batch.counts["new"]) == ("staged", 12)
    batch = import_commit(user=people.owner, batch=batch)
    assert batch.state == "committing"
    assert import_commit(user=people.owner, batch=batch).job_id == batch.job_id
    assert jobs.job_run(batch.job_id) == Job.State.DONE
    batch.refresh_from_db()
    assert (batch.state, batch.counts["recorded"], Fill.objects.count()) == ("committed", 12, 11)
    assert [str(entry) for entry in CashEntry.objects.all()] == ["Deposit 5000.00 on 2025-10-01"]
    assert AuditEvent.objects.filter(action="import.commit").count() == 1


def test_every_import_and_undo_leaves_an_audit_row_and_one_revision(people: People) -> None:
    before = people.account.book_revision
    batch = bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1"))
    import_undo(user=people.owner, batch=batch)
    people.account.refresh_from_db()
    assert people.account.book_revision == before + 2
    actions = AuditEvent.objects.filter(action__startswith="import.").values_list("action", flat=True)
    assert set(actions) == {"import.commit", "import.undo"}


def test_morning_settled_legs_are_compared_with_set_and_vro(people: People) -> None:
    day = date(2025, 10, 17)  # SPX AM of the third Friday; the VIX of that month settled on the 22nd
    DailyBar.objects.create(source="t", symbol="SET", date=day, close=Decimal("6650.00"))
    DailyBar.objects.create(source="t", symbol="VRO", date=date(2025, 10, 22), close=Decimal("18.60"))
    spx, vix = {"expiry": "251017", "root": "SPX"}, {"expiry": "251022", "root": "VIX"}
    batch = bring(
        people,
        tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6660, "9.00", "1", **spx),
        tasty("2025-10-03", "10:01:00", "BUY_TO_OPEN", "C", 18, "1.50", "2", **vix),
        *[row.replace("SPXW  ", "SPX   ") for row in settled("2025-10-17", "P", 6660, "-1000.00")],
        *[row.replace("SPXW  251022", "VIX   251022") for row in settled("2025-10-22", "C", 18, "60.00")],
    )
    checks = {check["symbol"]: check for check in batch.plan["settlements"]}
    put, call = checks["SPX   251017P06660000"], checks["VIX   251022C00018000"]
    assert (put["settles"], put["level"], put["computed"], put["difference"]) == (
        "AM",
        "6650",
        "-1000.00",
        "0.00",
    )
    assert (call["settles"], call["computed"], call["difference"]) == ("AM", "60.00", "0.00")
    layer = Trade.objects.get(underlying="VIX")
    assert (layer.kind, layer.layer, layer.status) == ("hedge_layer", 1, "closed")


def test_expirations_without_a_side_close_both_sides_of_a_condor(people: People) -> None:
    rows = [
        tasty("2025-10-03", "10:00:00", action, right, strike, price, "1")
        for action, right, strike, price in (
            ("BUY_TO_OPEN", "P", 6590, "2.00"), ("SELL_TO_OPEN", "P", 6600, "3.00"),
            ("SELL_TO_OPEN", "C", 6800, "3.00"), ("BUY_TO_OPEN", "C", 6810, "2.00"),
        )
    ]  # fmt: skip
    gone = [
        f"2025-10-03T17:00:00-0400,Receive Deliver,Expiration,,SPXW  251003{leg}000,Equity Option,x,0.00,1,"
        "0.00,--,0.00,100,SPXW,SPX,10/4/25,1,PUT,,0.00,USD"
        for leg in ("P06590", "P06600", "C06800", "C06810")
    ]
    bring(people, *gone, *rows)
    trade = Trade.objects.get()
    assert (trade.status, trade.realized) == ("closed", Decimal(200) - 4 * Decimal("1.77"))


def test_a_trade_entered_by_hand_with_the_same_legs_is_pointed_at(people: People) -> None:
    from hedging.engine.instruments import parse_symbol
    from journal.selectors.times import local_time
    from journal.services.book.trades import LegInput, OrderInput, trade_create

    when = local_time(datetime(2025, 10, 3, 10, 0))  # noqa: DTZ001 - New York's clock
    legs = [LegInput(parse_symbol("SPXW  251003P06600000"), -1, Decimal(3))]
    trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER, order=OrderInput(legs, when),
        accept_size=True, reason="a test",
    )  # fmt: skip
    row = tasty("2025-10-03", "11:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1")
    text = f"{HEADER}\n{row}"
    batch = import_upload(user=people.owner, account=people.account, filename="a", data=text.encode())
    assert "entered by hand" in batch.plan["shown"][0]["review"]


def test_a_fill_corrected_by_hand_stays_corrected_through_later_imports(people: People) -> None:
    first = [
        tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1"),
        tasty("2025-10-03", "10:00:00", "BUY_TO_OPEN", "P", 6590, "2.00", "1"),
    ]
    bring(people, *first)
    sold = Fill.objects.get(contract__strike=6600)
    fill_reverse(user=people.owner, fill=sold, reason="a wrong row")
    before = book()
    trade = Trade.objects.get()
    batch = bring(
        people, tasty("2025-10-06", "10:00:00", "SELL_TO_OPEN", "P", 6700, "3.00", "2"), name="b.csv"
    )
    assert Trade.objects.filter(pk=trade.pk).exists()
    assert trade.fills.count() == 3
    assert before[0] in book()
    import_undo(user=people.owner, batch=batch)
    assert book() == before


def test_a_trade_closed_by_hand_stays_closed_through_later_imports(people: People) -> None:
    from journal.selectors.book.trades import trade_position
    from journal.selectors.times import local_time
    from journal.services.book.trades import LegInput, OrderInput, trade_close

    bring(people, tasty("2025-10-03", "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1"))
    trade = Trade.objects.get()
    legs = [LegInput(leg.spec, -leg.quantity, Decimal(1)) for leg in trade_position(trade).legs]
    when = local_time(datetime(2025, 10, 3, 12, 0))  # noqa: DTZ001 - New York's clock
    trade_close(user=people.owner, trade=trade, order=OrderInput(legs, when))
    before = book()
    batch = bring(
        people, tasty("2025-10-06", "10:00:00", "SELL_TO_OPEN", "P", 6700, "3.00", "2"), name="b.csv"
    )
    assert before[0] in book()
    import_undo(user=people.owner, batch=batch)
    assert book() == before
