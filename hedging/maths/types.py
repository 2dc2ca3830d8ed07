"""Shared enumerations of the kernel."""

from __future__ import annotations

from enum import IntEnum


class Right(IntEnum):
    """Option right; the value is the sign of its payoff in the underlying."""

    CALL = 1
    PUT = -1
