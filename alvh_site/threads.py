"""One thread for the linear algebra of every process of the site.

The fits solve many systems of about a hundred unknowns: threads of BLAS cost more there than they bring, and
web workers and job workers already use every core.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def limit_blas_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """Ask BLAS for one thread, unless the environment says otherwise; before NumPy is loaded."""
    for name, value in ONE_THREAD.items():
        environment.setdefault(name, value)
