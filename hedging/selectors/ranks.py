"""The order of stored rows by their source: of two rows of one value, the later counts."""

from __future__ import annotations

from django.db.models import Case, Q, When

from hedging.engine.history.sources import BY_HAND, DERIVED, PUBLISHERS

#: For ``order_by``: as ``source_rank``, the source that counts comes last.
BY_RANK = (
    Case(
        When(source__in=sorted(PUBLISHERS), then=3),
        When(source__in=sorted(DERIVED), then=0),
        When(Q(source=BY_HAND) | Q(source__startswith=f"{BY_HAND}:"), then=1),
        default=2,
    ),
    "source",
)
