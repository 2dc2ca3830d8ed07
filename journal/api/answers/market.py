"""Signals, regimes and the term structure as the API words them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from hedging.engine.codec import to_json
from hedging.engine.rulesets.presets import NAMES
from hedging.engine.signals.types import Regime
from hedging.selectors.calendar import session_date
from hedging.selectors.signals import StoredSignals, stored_signals
from hedging.services.signals import signals_request
from journal.api.answers.attribution import parse_day
from journal.api.answers.valuation import parse_as_of
from journal.errors import RuleError
from journal.models import Account
from journal.selectors.governance.account_signals import with_quick_ratio
from journal.selectors.governance.signal_rules import SignalRules, preset_rules, signal_rules
from journal.selectors.market.signals_page import regime_name
from journal.selectors.market.term_structure import (
    MONTH_BEFORE,
    THIS_DAY,
    WEEK_BEFORE,
    TermCurve,
    term_curves,
)

MARKETS = ("real", "simulated")
_CURVES = {"day": THIS_DAY, "week_before": WEEK_BEFORE, "month_before": MONTH_BEFORE}


class SignalsNotReadyError(Exception):
    """No signals are stored yet; a worker was asked to compute them."""


@dataclass(frozen=True, slots=True)
class MarketQuestion:
    """Whose market and thresholds a question is about: an account's, or the named ones."""

    simulated: bool
    rules: SignalRules
    account: Account | None = None


def asked_of(*, market: str, account: Account | None = None, ruleset: str = "") -> MarketQuestion:
    """From the words of a request. An account brings its market and its rules in force.

    Raises RuleError for words that are none or that contradict each other.
    """
    if account is None:
        return MarketQuestion(parse_market(market), _named(ruleset))
    if ruleset:
        raise RuleError("Name an account or a ruleset, not both.", "ruleset")
    if market and parse_market(market) is not account.is_demo:
        raise RuleError(f"The account lives on the {MARKETS[account.is_demo]} market.", "market")
    return MarketQuestion(account.is_demo, signal_rules(account), account)


def _named(ruleset: str) -> SignalRules:
    try:
        return preset_rules(ruleset) if ruleset else preset_rules()
    except KeyError:
        raise RuleError(f"ruleset is one of {', '.join(NAMES)}.", "ruleset") from None


def parse_market(text: str) -> bool:
    """Whether the simulated market is meant. Raises RuleError."""
    if text not in ("", *MARKETS):
        raise RuleError("market is real or simulated.", "market")
    return text == "simulated"


def _stored(asked: MarketQuestion) -> StoredSignals:
    stored = stored_signals(simulated=asked.simulated, params=asked.rules.params)
    if stored is None or not stored.current:
        signals_request(simulated=asked.simulated, params=asked.rules.params)
    if stored is None:
        raise SignalsNotReadyError
    return stored


def _day(text: str, stored: StoredSignals) -> date:
    moment = parse_as_of(text)
    if moment is not None:
        return moment.date()
    return stored.last_day or stored.computed_at.date()


def _state(stored: StoredSignals, asked: MarketQuestion) -> dict[str, Any]:
    rules = asked.rules
    return {
        "market": MARKETS[asked.simulated],
        "ruleset": {
            "id": rules.version.pk if rules.version else None,
            "name": rules.name,
            "title": rules.title,
            "content_hash": rules.content_hash,
            "problem": rules.problem,
        },
        "current": stored.current,
        "first_day": stored.first_day,
        "last_day": stored.last_day,
        "computed_at": stored.computed_at,
    }


def signals_answer(asked: MarketQuestion, *, as_of: str) -> dict[str, Any]:
    """Every signal and the regime of a day; unknown figures are null with a reason."""
    stored = _stored(asked)
    day = _day(as_of, stored)
    seen = with_quick_ratio(stored.frame.day(day), asked.account, asked.rules.params)
    return {
        "as_of": day,
        **_state(stored, asked),
        "levels": to_json(list(stored.frame.levels_on(day).values())),
        "signals": to_json(list(seen.signals.values())),
        "regime": {**to_json(seen.regime), "name": regime_name(seen.regime.regime)},
        "alerts": list(seen.alerts),
    }


def regimes_answer(asked: MarketQuestion, *, first: str, last: str) -> dict[str, Any]:
    """Runs of regimes that touch the days from ``first`` to ``last``, oldest first."""
    stored = _stored(asked)
    begin, end = parse_day(first, "from"), parse_day(last, "to")
    if begin and end and begin > end:
        raise RuleError("from must not be after to.", "from")
    runs = [
        {
            "regime": run.regime.value,
            "name": regime_name(run.regime),
            "first_day": run.first,
            "last_day": run.last,
            "sessions": run.sessions,
        }
        for run in stored.frame.regimes.runs()
        if (begin is None or run.last >= begin) and (end is None or run.first <= end)
    ]
    names = {regime.value: regime_name(regime) for regime in Regime}
    return {**_state(stored, asked), "regimes": names, "runs": runs}


def term_structure_answer(*, as_of: str, market: str) -> dict[str, Any]:
    """Monthly VX settlements of a day, a week and a month before it."""
    simulated = parse_market(market)
    moment = parse_as_of(as_of)
    day = moment.date() if moment else session_date(timezone.now())
    curves = term_curves(day, simulated=simulated)
    found = {curve.name: _curve(curve) for curve in curves}
    return {
        "as_of": day,
        "market": MARKETS[simulated],
        "unit": "points",
        "curves": {key: found.get(name) for key, name in _CURVES.items()},
    }


def _curve(curve: TermCurve) -> dict[str, Any]:
    settles = [point.settle for point in curve.points]
    both = len(settles) > 1
    return {
        "day": curve.day,
        "contracts": [
            {
                "month": f"M{number}",
                "expiry": point.expiry,
                "settle": str(point.settle.normalize()),
                "volume": point.volume,
                "open_interest": point.open_interest,
                "source": point.source,
                "quality": point.quality,
            }
            for number, point in enumerate(curve.points, 1)
        ],
        "backwardation_percent": round(float(100 * (settles[0] / settles[1] - 1)), 6) if both else None,
    }
