"""Scheduled tasks of the journal: interfaces that call a service."""

from __future__ import annotations

from celery import shared_task

from journal.services.valuation import accounts_revalue


@shared_task(name="journal.revalue", ignore_result=True)
def revalue() -> None:
    """Ask for valuations on data that arrived since; the snapshot's hash in the key makes it once."""
    accounts_revalue()
    accounts_revalue(simulated=True)
