"""The one signal that belongs to an account and not to the market: its quick ratio."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.types import Signal, SignalDay, SignalKey, SignalState
from journal.models import Account
from journal.selectors.cash.capital import capital

_KEPT_SECONDS: Final = 60  # filters of one page ask again and again
_SOURCE: Final = "the account's attributed sessions"


def with_quick_ratio(seen: SignalDay, account: Account | None, params: SignalParams) -> SignalDay:
    """The day's signals with the account's quick ratio, as of its last attributed session by then."""
    if account is None:
        return seen
    key = SignalKey.QUICK_RATIO
    found = _ratio(account, seen.day)
    one = replace(seen.signals[key], source=_SOURCE)
    return replace(seen, signals={**seen.signals, key: _judged(one, found, seen.day, params)})


def _judged(one: Signal, found: tuple[float | None, date] | None, day: date, params: SignalParams) -> Signal:
    if found is None:
        return replace(one, reason="No session of the account is attributed by then.")
    value, as_of = found
    age = (day - as_of).days
    dated = replace(one, as_of=as_of, age_days=age)
    if age > params.max_age_days:
        return replace(
            dated, stale=True,
            reason=f"The newest value is {age} days old; beyond {params.max_age_days} it does not count.",
        )  # fmt: skip
    if value is None:
        return replace(dated, state=SignalState.OFF, reason="Nothing is owed: neither margin nor a loan.")
    distance = round(value - params.quick_ratio_below, 9)
    return replace(
        dated, value=value, distance=distance, state=SignalState.ON if distance < 0 else SignalState.OFF,
        reason="",
    )  # fmt: skip


def _ratio(account: Account, day: date) -> tuple[float | None, date] | None:
    """(quick ratio, session), kept for a minute; None while nothing is attributed."""
    name = f"quick-ratio:{account.pk}:{account.book_revision}:{day}"
    with suppress(RedisError, OSError):
        kept: tuple[tuple[float | None, date] | None] | None = cache.get(name)
        if kept is not None:
            return kept[0]
    page = capital(account, day)
    found = None if page is None else (page.quick_ratio, page.last)
    with suppress(RedisError, OSError):
        cache.set(name, (found,), _KEPT_SECONDS)
    return found
