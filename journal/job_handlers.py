"""Imports every module that registers a job handler, so that workers know all kinds."""

from journal.services import reports, valuation

__all__ = ["reports", "valuation"]
