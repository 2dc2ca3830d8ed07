"""Which of several sources counts for one value: by rank, never by the order of loading."""

from __future__ import annotations

#: What was fetched from whoever publishes it.
PUBLISHERS = frozenset({"cboe", "cfe", "fred"})
#: A file of unknown making, and what a person loaded by hand: ``file`` and ``file:<who>``.
BY_HAND = "file"
#: Told from other data: any statement of the value itself comes first.
DERIVED = frozenset({"vx-last-print", "vx-expiry-day"})


def source_rank(source: str) -> tuple[int, str]:
    """The higher counts: publishers, then other lists, then files by hand, then what is derived.

    Sources of one rank are told apart by their names, so that the answer is the same on every machine.
    """
    if source in PUBLISHERS:
        return 3, source
    if source in DERIVED:
        return 0, source
    return (1, source) if source == BY_HAND or source.startswith(f"{BY_HAND}:") else (2, source)
