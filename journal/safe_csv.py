"""CSV cells that no spreadsheet takes for a formula."""

from __future__ import annotations

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Text with a leading apostrophe where a spreadsheet would compute it; numbers are not text."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text
