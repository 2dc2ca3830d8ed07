"""Asking for the signals of every set of rules that is in force."""

from __future__ import annotations

from hedging.services.signals import signals_request
from journal.selectors.governance.signal_rules import params_in_force


def account_signals_request(*, simulated: bool = False) -> int:
    """Ask workers for signals under each set of thresholds in force; returns how many were asked for."""
    return sum(
        signals_request(simulated=simulated, params=params) is not None
        for params in params_in_force(simulated=simulated)
    )
