"""The words of an order string, with their places in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\S+")
#: Before an order: its number, NEW, the tool or the platform that sent it.
_WRAPPER = re.compile(
    r"^\s*(?:#\d+\s+)?(?:NEW\s+)?(?:t[A-Z][A-Za-z]+\s+)?(?:(?:TOSWEB|WEB|MSO)\s+)?(?:#\d+\s+)?",
    re.IGNORECASE,
)
#: After the price: what the market stood at, which is no part of the order.
_QUOTES = re.compile(r"\s*(?:LAST|BID|ASK|MARK)=.*$")
_ACCOUNT = re.compile(r",\s*ACCOUNT\s+\*+[0-9A-Za-z]+\s*$")
#: Dashes and spaces that copying from a page leaves behind; one character becomes one character.
_TYPOGRAPHY = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{NO-BREAK SPACE}": " ",
        "\n": " ",
        "\r": " ",
        "\t": " ",
    }
)


class OrderTextError(ValueError):
    """The string was not understood at ``token`` (characters ``start`` to ``end``)."""

    def __init__(self, message: str, start: int, end: int, token: str) -> None:
        self.message, self.start, self.end, self.token = message, start, end, token
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text and what it was understood as."""

    start: int
    end: int
    role: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a part of one between slashes (``joined``: a slash follows it)."""

    text: str
    start: int
    joined: bool = False

    @property
    def end(self) -> int:
        """Give the place after the last character."""
        return self.start + len(self.text)

    @property
    def upper(self) -> str:
        """Give the word in upper case."""
        return self.text.upper()

    def refuse(self, message: str) -> OrderTextError:
        """Make the error that marks this word."""
        return OrderTextError(message, self.start, self.end, self.text)


class Reader:
    """The words of an order, taken one after the other; wrappers of alerts are left out."""

    def __init__(self, text: str) -> None:
        plain = text.translate(_TYPOGRAPHY)
        body = _QUOTES.sub("", _ACCOUNT.sub("", plain))
        wrapper = _WRAPPER.match(body)
        offset = wrapper.end() if wrapper else 0
        self._end = len(text)
        self._words = [
            Word(match.group(), match.start()) for match in _TOKEN.finditer(body) if match.start() >= offset
        ]
        self.spans: list[Span] = []

    def peek(self) -> str:
        """Look at the next word in upper case; empty at the end."""
        return self._words[0].upper if self._words else ""

    def take(self, what: str, role: str) -> Word:
        """Take the next word, or raise an error that says what is missing."""
        if not self._words:
            raise OrderTextError(f"The order ends where {what} should follow.", self._end, self._end, "")
        word = self._words.pop(0)
        self.spans.append(Span(word.start, word.end, role))
        return word

    def accept(self, role: str, *texts: str) -> bool:
        """Take the next word if it is one of the texts."""
        if self.peek() in texts:
            self.take("", role)
            return True
        return False

    def split_next(self) -> None:
        """Cut the next word at its slashes, so that its parts are taken one by one."""
        if not self._words:
            return
        word = self._words.pop(0)
        parts, start = [], word.start
        pieces = word.text.split("/")
        for number, piece in enumerate(pieces, start=1):
            parts.append(Word(piece, start, joined=number < len(pieces)))
            start += len(piece) + 1
        self._words[:0] = parts
