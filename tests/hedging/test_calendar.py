"""The exchange calendar against Cboe's published expiries."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from hedging.engine.instruments import parse_symbol
from hedging.selectors import calendar


@pytest.mark.parametrize(
    ("month", "day"),
    [
        (1, 21),
        (2, 18),
        (3, 18),
        (4, 15),
        (5, 19),
        (6, 17),
        (7, 22),
        (8, 19),
        (9, 16),
        (10, 21),
        (11, 18),
        (12, 16),
    ],
)
def test_vix_expiries_of_2026(month: int, day: int) -> None:
    assert calendar.vix_expiry(2026, month) == date(2026, month, day)


def test_november_2018_pairs_with_the_third_friday_of_december() -> None:
    assert calendar.vix_expiry(2018, 11) == date(2018, 11, 21)
    assert calendar.third_friday(2018, 12) == date(2018, 12, 21)


def test_good_friday_moves_the_expiry_a_day_forward() -> None:
    assert calendar.vix_expiry(2014, 3) == date(2014, 3, 18)  # third Friday of April: 18 April 2014


def test_vix_expiries_after_a_day_exclude_that_day() -> None:
    assert calendar.vix_expiries_after(date(2026, 11, 18), 2) == (date(2026, 12, 16), date(2027, 1, 20))


def test_every_stored_vx_expiry_follows_the_rule(data_dir) -> None:
    import gzip

    with gzip.open(data_dir / "market" / "vx_contracts_daily.csv.gz", "rt") as lines:
        next(lines)
        expiries = {date.fromisoformat(line.split(",")[1]) for line in lines}
    # The first two listed quarters of 2004 expired a week early, before the rule was settled.
    wrong = {e for e in expiries if e.year > 2004 and calendar.vix_expiry(e.year, e.month) != e}
    assert len(expiries) > 200
    assert wrong == set()


@pytest.mark.parametrize(
    ("symbol", "moment"),
    [
        ("SPXW  251219P05800000", "2025-12-19T21:00:00+00:00"),
        ("SPX   251219P05800000", "2025-12-19T14:30:00+00:00"),
        ("VIX   260318C00020000", "2026-03-18T13:30:00+00:00"),  # daylight-saving time
        ("VX/2026-05-19", "2026-05-19T13:30:00+00:00"),
        ("SPXW  251128P05800000", "2025-11-28T18:00:00+00:00"),  # day after Thanksgiving: 13:00
    ],
)
def test_settlement_moments(symbol: str, moment: str) -> None:
    assert calendar.settles_at(parse_symbol(symbol)) == datetime.fromisoformat(moment)


def test_shares_never_settle() -> None:
    assert calendar.settles_at(parse_symbol("VXX")) is None


def test_holidays_and_half_days() -> None:
    assert not calendar.is_session(date(2025, 1, 9))  # national day of mourning
    assert calendar.is_early_close(date(2025, 12, 24))
    assert calendar.previous_session(date(2026, 11, 23)) == date(2026, 11, 20)


def test_a_date_beyond_the_calendar_is_an_error_not_a_guess() -> None:
    with pytest.raises(calendar.CalendarRangeError):
        calendar.session_on_or_before(date(2050, 1, 3))
