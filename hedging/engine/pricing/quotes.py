"""The volatilities an expiry's quotes imply."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hedging.engine.market import ExpirySlice
from hedging.maths.arrays import Floats
from hedging.maths.implied_vol import implied_vol


class QuotedVols(NamedTuple):
    """Out-of-the-money quotes: strikes in points, vols as fractions (NaN where a side has none)."""

    strike: Floats
    bid: Floats
    ask: Floats


def quoted_vols(expiry: ExpirySlice) -> QuotedVols:
    """Bid and ask vols of the out-of-the-money side of every strike that is bid."""
    right = np.where(expiry.strikes >= expiry.forward, 1, -1)
    bid = np.where(right > 0, expiry.call_bid, expiry.put_bid)
    ask = np.where(right > 0, expiry.call_ask, expiry.put_ask)
    use = (bid > 0) & np.isfinite(ask)
    k, r = expiry.strikes[use], right[use]
    vols = implied_vol(np.stack([bid[use], ask[use]]), expiry.forward, k, expiry.t, expiry.discount, r)
    return QuotedVols(k, vols[0], vols[1])
