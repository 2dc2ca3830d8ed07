"""From bytes to cells: sizes and encodings are checked before anything is parsed.

A file is text in UTF-8 (with or without a mark) or UTF-16 with a mark; anything else is asked about, never
guessed. Numbers must match a strict pattern before they become Decimal: other scripts' digits, underscores
and exponents are refused.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 200_000
MAX_CELL = 4_000
MAX_COLUMNS = 120
MAX_RAW = 2_000
#: What reading compressed files raises: RuntimeError where a password is needed, NotImplementedError where
#: zipfile does not know the method.
DAMAGED = (zlib.error, zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError)
ENCODINGS = ("utf-8", "cp1252", "utf-16")

_NUMBER = re.compile(r"([+-]?)\$?([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})?(\.[0-9]{1,20})?")
_EMPTY = frozenset({"", "--", "-", "N/A"})
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"


class FileError(ValueError):
    """The file as a whole cannot be read; ``ask`` names a choice that may help (``encoding``, ``broker``)."""

    def __init__(self, message: str, *, line: int = 0, ask: str = "") -> None:
        self.message, self.line, self.ask = message, line, ask
        super().__init__(f"Line {line}: {message}" if line else message)


class CellError(ValueError):
    """One value of a row was not understood; ``field`` names it."""

    def __init__(self, message: str, field: str = "") -> None:
        self.message, self.field = message, field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Cells:
    """One record of a CSV file: the line it begins on, its cells, and its text (shortened)."""

    line: int
    cells: tuple[str, ...]

    @property
    def raw(self) -> str:
        """The record as text, for people; at most MAX_RAW characters."""
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow([cell[: MAX_RAW + 1] for cell in self.cells])
        text = out.getvalue()
        return text if len(text) <= MAX_RAW else f"{text[: MAX_RAW - 1]}…"


#: Other kinds of file people send, by how they begin, and what to send in their place.
_FOREIGN = (
    (
        b"%PDF",
        "This is a PDF, a picture of a statement: export the transaction history as CSV.",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "This is an old Excel workbook: save it as CSV, or export CSV at the broker.",
    ),
    (b"{\\rtf", "This is a text document. Export the transaction history as CSV."),
)
_PAGE = re.compile(r"\s*(?:<!doctype html|<html|<head|<body|<table)", re.IGNORECASE)
_WORKBOOK = "[Content_Types].xml"
_SEPARATORS = ",;\t"


def is_page(text: str) -> bool:
    """Whether the text is a web page."""
    return _PAGE.match(text) is not None


def is_packed(data: bytes) -> bool:
    """Whether the bytes are a gzip or zip file."""
    return data.startswith((_GZIP, _ZIP))


def unpack(data: bytes) -> bytes:
    """Open a gzip or a zip with one file in it; more than MAX_BYTES is refused before it is written out."""
    if len(data) > MAX_BYTES:
        raise FileError(f"The file is larger than {MAX_BYTES // 2**20} MiB.")
    for beginning, message in _FOREIGN:
        if data.startswith(beginning):
            raise FileError(message)
    try:
        if data.startswith(_GZIP):
            engine = zlib.decompressobj(wbits=31)
            plain = engine.decompress(data, MAX_BYTES + 1)
            if not engine.eof and len(plain) <= MAX_BYTES:
                raise FileError("The compressed file is cut off.")
        elif data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = [info for info in archive.infolist() if not info.is_dir()]
                if any(info.filename == _WORKBOOK for info in names):
                    raise FileError(
                        "This is an Excel workbook. Open it and save it as CSV (UTF-8), or export the "
                        "history as CSV at the broker."
                    )
                if len(names) != 1:
                    raise FileError("The archive must hold exactly one file.")
                with archive.open(names[0]) as member:
                    plain = member.read(MAX_BYTES + 1)
        else:
            return data
    except DAMAGED as error:
        raise FileError("The compressed file is damaged or protected.") from error
    if len(plain) > MAX_BYTES:
        raise FileError(f"Unpacked, the file is larger than {MAX_BYTES // 2**20} MiB.")
    return plain


def decode(data: bytes, encoding: str = "") -> str:
    """Text of the bytes. Raises FileError with ``ask="encoding"`` where the encoding is not certain."""
    if encoding and encoding not in ENCODINGS:
        raise FileError("This encoding is not offered.", ask="encoding")
    if not encoding and data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    try:
        text = data.decode({"": "utf-8-sig", "utf-8": "utf-8-sig"}.get(encoding, encoding))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(
            "The file is not in UTF-8. Say which encoding it has.", line=line, ask="encoding"
        ) from None
    if "\x00" in text:
        raise FileError("The file holds NUL characters; it is not a text file.", ask="encoding")
    if not text.strip():
        raise FileError("The file is empty.")
    return text.removeprefix("\ufeff")


def separator(text: str) -> str:
    """What stands between the cells: the mark that the widest of the first lines has most, else a comma."""
    lines = text[:20_000].splitlines()[:40]
    return max(
        _SEPARATORS, key=lambda mark: (max((line.count(mark) for line in lines), default=0), mark == ",")
    )


def records(text: str) -> Iterator[Cells]:
    """The records of CSV text, blank ones left out. Raises FileError for an open quote or too many rows.

    Cells may be separated by commas, semicolons or tabs.
    """
    if is_page(text):
        raise FileError("This is a web page, not an export. Download the transaction history as CSV.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text), strict=True)
    count, begins = 0, 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problem = "a quotation mark opens and never closes" if "end of data" in str(error) else str(error)
            raise FileError(f"Not a readable CSV record: {problem}.", line=begins) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            count += 1
            if count > MAX_ROWS:
                raise FileError(f"The file has more than {MAX_ROWS:,} rows.", line=begins)
            yield Cells(begins, tuple(cells))
        begins = reader.line_num + 1


def check_cells(record: Cells) -> None:
    """Refuse records no broker writes: very long cells, very many of them."""
    if len(record.cells) > MAX_COLUMNS:
        raise CellError(f"The row has {len(record.cells)} columns.")
    longest = max(map(len, record.cells))
    if longest > MAX_CELL:
        raise CellError(f"A cell has {longest:,} characters.")


def number(text: str, field: str) -> Decimal | None:
    """A figure such as ``-1,875.00``, ``$0.62`` or ``($4.57)``; None for an empty cell or ``--``."""
    body = text.strip()
    if body in _EMPTY:
        return None
    value = _figure(body)
    if value is None:
        raise CellError(f"{field}: {body[:40]!r} is not a number.", field)
    return value


@lru_cache(maxsize=32_768)  # fees, counts and premiums come back row after row
def _figure(body: str) -> Decimal | None:
    """The figure of a cell; None where it is not one."""
    negative = body.startswith("(") and body.endswith(")")
    match = _NUMBER.fullmatch(body[1:-1] if negative else body)
    if match is None or not (match.group(2) or match.group(3)) or (negative and match.group(1)):
        return None
    value = Decimal(f"{(match.group(2) or '0').replace(',', '')}{match.group(3) or ''}")
    return -value if negative or match.group(1) == "-" else value


def needed(text: str, field: str) -> Decimal:
    """A figure that must be there."""
    value = number(text, field)
    if value is None:
        raise CellError(f"{field} is missing.", field)
    return value


def whole(text: str, field: str) -> int:
    """A signed count of contracts; ``1.0`` counts as one."""
    value = needed(text, field)
    if value != value.to_integral_value() or abs(value) > 100_000:
        raise CellError(f"{field}: {text.strip()[:40]!r} is not a number of contracts.", field)
    return int(value)
