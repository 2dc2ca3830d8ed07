"""Sections, tables and cells of a printed report, without any figure of their own."""

from __future__ import annotations

from dataclasses import dataclass

from journal.reports.chart import Chart

Row = tuple[str, ...]
#: Tables of more rows are printed as plain lines, and refer to positions by number.
LONG = 1000
DISCLAIMER = "Educational record, no advice and no recommendation."


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, its unit below it, and its kind.

    ``text`` is flush left; ``num`` and ``gain`` are flush right, ``gain`` is a profit or loss.
    """

    text: str
    unit: str = ""
    kind: str = "num"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of printed cells; ``foot`` rows are totals.

    ``layout`` tells print how to share the width: ``even`` columns, a ``wide`` first or last column
    beside narrow ones, the fixed columns of ``legs``, which line up from table to table, or ``months``.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    foot: tuple[Row, ...] = ()
    layout: str = "even"


@dataclass(frozen=True, slots=True)
class Block:
    """One position in detail."""

    title: str
    facts: tuple[tuple[str, str], ...]
    table: Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with an introduction and one kind of content; ``empty`` is said instead of a table."""

    title: str
    intro: str = ""
    table: Table | None = None
    chart: Chart | None = None
    blocks: tuple[Block, ...] = ()
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a printed format sets."""

    title: str
    account: str
    period: str
    meta: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]
    headline: tuple[tuple[str, str, str], ...]
    sections: tuple[Section, ...]
    disclaimer: str = DISCLAIMER


def text(heading: str) -> Column:
    """Make a column of words."""
    return Column(heading, kind="text")


def gain(heading: str, unit: str = "") -> Column:
    """Make a column of signed money."""
    return Column(heading, unit, "gain")
