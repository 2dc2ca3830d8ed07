"""Refusals of services, in words for the person who asked."""

from __future__ import annotations


class RuleError(ValueError):
    """The request breaks a rule; ``field`` names the input it belongs to, if one."""

    def __init__(self, message: str, field: str = "") -> None:
        self.message, self.field = message, field
        super().__init__(message)


class ConflictError(RuntimeError):
    """Somebody changed the object since it was read; nothing was written."""
