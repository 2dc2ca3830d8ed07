"""The limits an account is held to: its ruleset in force, and what the account states itself.

The one home of each limit. Pages, gates, API, guards and policy read the same figures here, so that none
shows another than is in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hedging.engine.policy.types import SizeLimits
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import Ruleset
from journal.models import Account, RulesetVersion
from journal.selectors.governance.rules import ruleset_active, ruleset_shown

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in force. ``version`` is the account's active version, None where the default preset decides.

    ``trade_size`` are shares of equity with the account's own limits applied; the rates of the cost of
    capital are fractions a year.
    """

    rules: Ruleset
    version: RulesetVersion | None
    trade_size: SizeLimits

    @property
    def wacc_target(self) -> float:
        """The financing target before any cut (WAC-1)."""
        return self.rules.number("wacc.target")

    @property
    def wacc_cut(self) -> float:
        """How far the target falls after a realized-vol collapse (WAC-2)."""
        return self.rules.number("wacc.cut")

    @property
    def equity_premium(self) -> float:
        """The equity risk premium of the CAPM (WAC-3)."""
        return self.rules.number("wacc.equity_premium")


def limits_in_force(account: Account) -> Limits:
    """The account's limits now. A limit the account states itself counts where it is the tighter one."""
    version = ruleset_active(account)
    rules = preset(DEFAULT) if version is None else ruleset_shown(version)
    return Limits(rules, version, _trade_size(account, rules))


def rules_in_force(account: Account) -> Ruleset:
    """The account's active rules; an account without any starts with the default preset."""
    return limits_in_force(account).rules


def trade_size_stated(account: Account) -> SizeLimits | None:
    """The limits of one trade where the account states a tighter one itself; None leaves it to the rules."""
    found = limits_in_force(account).trade_size
    return found if found.own_warn or found.own_block else None


def _trade_size(account: Account, rules: Ruleset) -> SizeLimits:
    warn, block = rules.number("guard.warn_of_equity"), rules.number("guard.block_of_equity")
    own_block, own_warn = _share(account.max_trade_loss_pct), _share(account.warn_trade_loss_pct)
    is_own_block = own_block is not None and own_block < block
    is_own_warn = own_warn is not None and own_warn < warn
    if own_block is not None and is_own_block:
        block = own_block
    if own_warn is not None and is_own_warn:
        warn = own_warn
    return SizeLimits(min(warn, block), block, is_own_warn, is_own_block)


def _share(percent: Decimal | None) -> float | None:
    return None if percent is None else float(percent) / _PERCENT
