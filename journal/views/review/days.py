"""The P&L calendar, and the page of one day."""

from __future__ import annotations

from datetime import MAXYEAR, date, timedelta
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from hedging.engine.money import to_cents
from hedging.selectors.calendar import CalendarRangeError, is_session, next_session, previous_session
from hedging.selectors.day_figures import day_figures
from journal.models import Account
from journal.selectors.as_of import as_of_for
from journal.selectors.review import daily
from journal.selectors.review.reviews import ranges_between, subjects
from journal.selectors.shell import current_account
from journal.templatetags.figures import money_text
from journal.views.common import person, small_number, today_in_new_york
from journal.views.review.notes import may_write

_FIRST_YEAR = 1990


def chosen_account(request: HttpRequest) -> Account | None:
    """The account of the address, 404 for a foreign one; else the one in view."""
    wanted = request.GET.get("account", "")
    if not wanted:
        return current_account(request)
    try:
        account = Account.objects.for_user(person(request)).filter(pk=UUID(wanted)).first()
    except ValueError:
        account = None
    if account is None:
        raise Http404
    return account


def _number(text: str, low: int, high: int, default: int) -> int:
    number = small_number(text)
    return number if number is not None and low <= number <= high else default


@login_required
def calendar(request: HttpRequest) -> HttpResponse:
    """A year of realized P&L by day, with one month large; on a past day nothing after it. Days link on."""
    account = chosen_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    past = as_of_for(request).day
    today = past or today_in_new_york()
    year = _number(request.GET.get("year", ""), _FIRST_YEAR, MAXYEAR - 1, today.year)
    results = daily.realized_by_day(
        person(request), [account], date(year, 1, 1), min(date(year, 12, 31), past or date.max)
    )
    newest = max(results, default=today if today.year == year else date(year, 12, 1))
    month = _number(request.GET.get("month", ""), 1, 12, newest.month)
    shown = date(year, month, 1)
    sums = daily.month_sums(results)
    total = sum((m.pnl for m in sums), daily.ZERO)
    before, after = shown - timedelta(days=1), (shown + timedelta(days=32)).replace(day=1)
    context = {
        "account": account, "as_of_shown": True, "year": year, "shown": shown, "today": today,
        "results": list(results.values()), "past": past,
        "weeks": daily.month_weeks(year, month, results), "sums": sums, "total": total, "before": before,
        "after": after, "months": [date(year, number, 1) for number in range(1, 13)],
        "summary": _summary(account, year, results),
        "month_total": next((m for m in sums if m.month == month), None),
        "chart": {
            "days": [[day.isoformat(), float(to_cents(r.pnl))] for day, r in results.items()], "unit": "pnl",
        },
    }  # fmt: skip
    return render(request, "journal/review/calendar/page.html", context)


def _summary(account: Account, year: int, results: dict[date, daily.DayResult]) -> str:
    """Put the year's chart into words."""
    closed = [result for result in results.values() if result.closed_any]
    if not closed:
        return f"Realized P&L after fees by day of {account.name} in {year}: nothing closed."
    best, worst = max(closed, key=lambda r: r.pnl), min(closed, key=lambda r: r.pnl)
    return (
        f"Realized P&L after fees by day of {account.name} in {year}: closing fills on {len(closed)} days, "
        f"best {best.day} {money_text(best.pnl, signed=True)}, "
        f"worst {worst.day} {money_text(worst.pnl, signed=True)}."
    )


@login_required
def day(request: HttpRequest, day: date) -> HttpResponse:
    """One day of an account: trades, realized P&L, market figures, notes and files."""
    account = chosen_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user = person(request)
    result = daily.realized_by_day(user, [account], day, day).get(day)
    try:
        session, before, after = is_session(day), previous_session(day), next_session(day)
    except CalendarRangeError:
        session, before, after = None, None, None
    context = {
        "account": account, "day": day, "result": result, "trades": daily.day_trades(user, result),
        "figures": day_figures(day, simulated=account.is_demo), "session": session, "before": before,
        "after": after, "ranges": ranges_between(user, account, day, day),
        "about": subjects(user, account=account, day=day), "may_review": may_write(user, account),
    }  # fmt: skip
    return render(request, "journal/review/calendar/day.html", context)
