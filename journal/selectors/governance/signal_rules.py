"""Whose thresholds decide which signals fire: an account's rules in force, else the default preset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import RulesetError
from hedging.engine.signals.from_ruleset import signal_params
from hedging.engine.signals.params import SignalParams
from journal.models import Account, RulesetVersion
from journal.selectors.governance.rules import ruleset_active, ruleset_of

_HASH_SHOWN = 8


@dataclass(frozen=True, slots=True)
class SignalRules:
    """The rules signals are judged by. ``version`` is the account's own, None where a preset decides.

    ``problem`` says why the account's own rules could not be read, so that the default stands in.
    """

    params: SignalParams
    name: str
    title: str
    content_hash: str
    version: RulesetVersion | None = None
    problem: str = ""

    @property
    def short_hash(self) -> str:
        """The first digits of the hash, to tell versions apart."""
        return self.content_hash[:_HASH_SHOWN]


def preset_rules(name: str = DEFAULT) -> SignalRules:
    """A preset's thresholds. Raises KeyError for another name."""
    found = preset(name)
    return SignalRules(signal_params(found), found.name, found.title, found.hash)


def signal_rules(account: Account | None) -> SignalRules:
    """The account's rules in force; the default preset without an account or before its first version.

    Rules older than the product cannot be read: the default stands in, and says so.
    """
    version = None if account is None else ruleset_active(account)
    if version is None:
        return preset_rules()
    try:
        params = _params(version.content_hash)
    except RulesetError as error:
        default = preset_rules()
        return replace(default, problem="; ".join(error.problems[:3]))
    return SignalRules(params, version.name, version.title, version.content_hash, version)


def params_in_force(*, simulated: bool) -> list[SignalParams]:
    """Every set of thresholds that an open account of the market is judged by, the default first."""
    rows = RulesetVersion.objects.filter(
        status=RulesetVersion.Status.ACTIVE, account__archived_at__isnull=True, account__is_demo=simulated
    )
    found = [preset_rules().params]
    for content_hash in rows.order_by("content_hash").values_list("content_hash", flat=True).distinct():
        try:
            params = _params(content_hash)
        except RulesetError:
            continue
        if params not in found:
            found.append(params)
    return found


@lru_cache(maxsize=256)
def _params(content_hash: str) -> SignalParams:
    """Thresholds of the stored versions with this content, which never changes. Raises RulesetError."""
    return signal_params(ruleset_of(RulesetVersion.objects.filter(content_hash=content_hash)[:1].get()))
