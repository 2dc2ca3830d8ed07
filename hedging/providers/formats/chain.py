"""An option chain as columns, and its compact stored form."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedging.maths.arrays import Floats


class ChainError(ValueError):
    """Columns that do not make a chain."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainColumns:
    """One row an option; arrays of one length.

    ``root`` OCC root, ``expiry`` datetime64[D], ``right`` ±1, prices and strikes in points. NaN where
    the vendor gave nothing; vendor figures are kept only to be compared with ours.
    """

    root: NDArray[np.str_]
    expiry: NDArray[np.datetime64]
    right: NDArray[np.int8]
    strike: Floats
    bid: Floats
    ask: Floats
    last: Floats
    volume: Floats
    open_interest: Floats
    vendor_iv: Floats
    vendor_delta: Floats
    vendor_gamma: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ChainTable:
    """A chain of one underlying at one quote time (``as_of`` aware; ``spot`` in points or None)."""

    underlying: str
    as_of: datetime
    spot: float | None
    columns: ChainColumns

    def __len__(self) -> int:
        return len(self.columns.strike)

    def content_hash(self) -> str:
        """SHA-256 over the canonical columns, independent of the file they came in."""
        digest = hashlib.sha256(f"{self.underlying}|{self.as_of.isoformat()}|{self.spot}".encode())
        for column in fields(ChainColumns):
            digest.update(np.ascontiguousarray(getattr(self.columns, column.name)).tobytes())
        return digest.hexdigest()

    def pack(self) -> bytes:
        """Compressed NPZ without pickles."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{c.name: getattr(self.columns, c.name) for c in fields(ChainColumns)})
        return buffer.getvalue()


def unpack(underlying: str, as_of: datetime, spot: float | None, payload: bytes) -> ChainTable:
    """Restore what ``pack`` stored."""
    with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
        return ChainTable(
            underlying, as_of, spot, ChainColumns(**{c.name: stored[c.name] for c in fields(ChainColumns)})
        )


def build_chain(
    underlying: str, as_of: datetime, spot: float | None, rows: list[dict[str, Any]]
) -> ChainTable:
    """Columns from row dicts (keys as in ChainColumns, numbers as float), sorted canonically.

    Raises ChainError for an empty chain or for two rows of one contract that differ.
    """
    if not rows:
        raise ChainError("the chain has no options")
    rows = sorted(rows, key=lambda r: (r["root"], r["expiry"], r["strike"], r["right"]))
    kept: list[dict[str, Any]] = []
    for row in rows:
        if kept and all(kept[-1][n] == row[n] for n in ("root", "expiry", "strike", "right")):
            if (kept[-1]["bid"], kept[-1]["ask"]) != (row["bid"], row["ask"]):
                raise ChainError(
                    f"{row['root']} {row['expiry']} {row['strike']:g} is quoted twice, differently"
                )
            continue
        kept.append(row)

    def floats(name: str) -> Floats:
        return np.array([r.get(name, np.nan) for r in kept], dtype=np.float64)

    return ChainTable(
        underlying,
        as_of,
        spot,
        ChainColumns(
            root=np.array([r["root"] for r in kept], dtype="U6"),
            expiry=np.array([r["expiry"] for r in kept], dtype="datetime64[D]"),
            right=np.array([r["right"] for r in kept], dtype=np.int8),
            **{
                name: floats(name)
                for name in (
                    "strike",
                    "bid",
                    "ask",
                    "last",
                    "volume",
                    "open_interest",
                    "vendor_iv",
                    "vendor_delta",
                    "vendor_gamma",
                )
            },
        ),
    )


def expiry_dates(columns: ChainColumns) -> list[tuple[str, date]]:
    """The (root, expiry) pairs of a chain, sorted."""
    pairs = [
        (str(root), expiry.item())
        for root in np.unique(columns.root)
        for expiry in np.unique(columns.expiry[columns.root == root])
    ]
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))
