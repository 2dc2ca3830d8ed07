"""The hedge page: the newest advice with its ladder, triggers and cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hedging.engine.policy.types import Advice
from hedging.engine.signals.types import SignalState
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.selectors.calendar import session_date
from hedging.selectors.signals import stored_signals
from journal.job_kinds import ADVISE
from journal.models import Account, AdviceRun, User
from journal.selectors.governance.recommendations import Card, cards, newest_run, run_stale_reasons
from journal.selectors.governance.signal_rules import SignalRules, signal_rules
from journal.selectors.governance.signing import ApprovalRule, approval_rule
from journal.selectors.market.signals_page import SignalLine, signal_line

#: What the method acts on; the Market page lists every signal.
TRIGGERS = (
    "rsi_vix", "rsi_spx", "iv30", "backwardation", "rv_collapse", "regime_shift", "days_to_major_expiry",
    "days_to_fomc", "ad_divergence", "macro_stable", "reer_z", "cap_breadth", "pe_divergence",
    "pcf_divergence", "reit_stress",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Triggers:
    """The method's own triggers at the close of ``day``, judged by ``rules``, fired ones first.

    ``current`` is False while the signals wait to be computed, by these rules or on newer data; ``behind``
    is how many calendar days the close lies before today.
    """

    rules: SignalRules
    current: bool
    day: date | None = None
    behind: int = 0
    lines: tuple[SignalLine, ...] = ()

    @property
    def known(self) -> tuple[SignalLine, ...]:
        """Those whose inputs are there."""
        return tuple(line for line in self.lines if line.signal.state is not SignalState.UNKNOWN)

    @property
    def unknown(self) -> tuple[SignalLine, ...]:
        """Those that cannot be judged."""
        return tuple(line for line in self.lines if line.signal.state is SignalState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class HedgePage:
    """Everything the page shows of the newest advice; None where there is none yet."""

    run: AdviceRun | None
    advice: Advice | None
    stale: tuple[str, ...]
    cards: tuple[Card, ...]
    triggers: Triggers
    rule: ApprovalRule
    may_sign: bool
    job: Job | None


def hedge_past(user: User, account: Account, moment: datetime) -> HedgePage:
    """The advice that was the newest by a past moment and the triggers of its day; nothing to decide."""
    runs = AdviceRun.objects.for_user(user).filter(account=account, as_of__lte=moment)
    run = runs.select_related("ruleset", "snapshot").order_by("-as_of", "-created_at").first()
    advice = Advice.from_json(run.advice) if run else None
    triggers = _triggers(account, session_date(moment), past=True)
    return HedgePage(run, advice, (), (), triggers, approval_rule(account), False, None)


def hedge_page(user: User, account: Account, now: datetime) -> HedgePage:
    """Read the newest run; its job if one is under way or failed."""
    run = newest_run(user, account)
    rule = approval_rule(account)
    job = Job.objects.filter(kind=ADVISE, scope=account_scope(account.pk)).order_by("-created_at").first()
    return HedgePage(
        run,
        Advice.from_json(run.advice) if run else None,
        tuple(run_stale_reasons(run, account, now)) if run else (),
        tuple(cards(user, account, now)),
        _triggers(account, session_date(now)),
        rule,
        user.pk in rule.signers,
        job,
    )


def _triggers(account: Account, today: date, *, past: bool = False) -> Triggers:
    """At the newest close; of a past day at that day, where what is too old is unknown."""
    rules = signal_rules(account)
    stored = stored_signals(simulated=account.is_demo, params=rules.params)
    if stored is None or stored.last_day is None:
        return Triggers(rules, stored is not None and stored.current)
    day = today if past else stored.last_day
    signals = stored.frame.day(day).signals
    order = {SignalState.ON: 0, SignalState.OFF: 1, SignalState.UNKNOWN: 2}
    found = [signals[key] for key in signals if key.value in TRIGGERS]
    found.sort(key=lambda signal: (order[signal.state], TRIGGERS.index(signal.key.value)))
    return Triggers(rules, stored.current, day, (today - day).days, tuple(map(signal_line, found)))
