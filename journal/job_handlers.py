"""Imports every module that registers a job handler, so that workers know all kinds."""
from journal.services import valuation  # noqa: F401
