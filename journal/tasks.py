"""Scheduled tasks of the journal: interfaces that call a service."""

from __future__ import annotations

from celery import shared_task

from hedging.services.signals import signals_request
from journal.services.valuation import accounts_revalue


@shared_task(name="journal.revalue", ignore_result=True)
def revalue() -> None:
    """Ask for valuations and signals on data that arrived since; the data's hash in the key makes it once."""
    accounts_revalue()
    accounts_revalue(simulated=True)
    signals_request()
    signals_request(simulated=True)
