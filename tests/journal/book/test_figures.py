"""Figures as pages write them: contracts in words, cash without the colour of a gain, tables of charts."""

from __future__ import annotations

import pytest

from journal.templatetags.figures import contract, days_text, series_table, signed_cash


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("SPXW 261218C06900000", "SPXW 6900 C · Dec 18 '26 (PM)"),
        ("SPXW  261218P06450000", "SPXW 6450 P · Dec 18 '26 (PM)"),
        ("VIX 270120C00022500", "VIX 22.5 C · Jan 20 '27"),
        ("VX/2027-01-20", "VXF27 · Jan 20 '27"),
        ("VXX", "VXX"),
        ("no contract", "no contract"),
    ],
)
def test_a_contract_is_written_as_traders_read_it(symbol: str, words: str) -> None:
    assert contract(symbol) == words


def test_cash_has_a_sign_and_neither_arrow_nor_colour() -> None:
    assert signed_cash("255") == '<span class="money">+$255.00</span>'
    assert signed_cash("-4745.5") == '<span class="money">\N{MINUS SIGN}$4,745.50</span>'
    assert "unknown" in signed_cash(None)


def test_days_are_counted_in_words() -> None:
    assert [days_text(n) for n in (0, 1, 2, 1200)] == ["0 days", "1 day", "2 days", "1,200 days"]


def test_a_payoff_and_lines_give_the_same_table() -> None:
    payoff = {"prices": [1.0, 2.0], "expiry": [3.0, 4.0], "today": None, "underlying": "SPX"}
    assert series_table(payoff) == {"head": ["SPX", "At expiry, $"], "rows": [(1.0, (3.0,)), (2.0, (4.0,))]}
    lines = {
        "x_label": "SPX",
        "series": [{"name": "Before", "data": [[1, 5], [2, 6]]}, {"name": "After", "data": [[1, 7], [2, 8]]}],
    }
    assert series_table(lines) == {
        "head": ["SPX", "Before, $", "After, $"],
        "rows": [(1, (5, 7)), (2, (6, 8))],
    }
