"""How many examples property tests try: the number written beside each, ten times it in ``make test-deep``.

``make test`` draws the same examples every time: it says whether a change broke something that held before,
and does not turn red on an unlucky day. ``make test-deep`` draws new ones, and looks for what nobody saw.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

DEEP = os.environ.get("ALVH_TEST_DEPTH") == "deep"
FACTOR = 10 if DEEP else 1

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("deep", max_examples=100 * FACTOR, deadline=None, print_blob=True)
settings.load_profile("deep" if DEEP else "ci")


def examples(count: int, **rules: Any) -> settings:
    """Settings of one property test: so many examples, without a deadline for each."""
    return settings(max_examples=count * FACTOR, **rules)
