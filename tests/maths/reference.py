"""Reading the published reference cases."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

SIGN = {"call": 1.0, "put": -1.0}


def rows(data_dir: Path, name: str) -> list[dict[str, str]]:
    path = data_dir / "reference" / name
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def column(table: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in table])


def rights(table: list[dict[str, str]]) -> np.ndarray:
    return np.array([SIGN[row["type"]] for row in table])
