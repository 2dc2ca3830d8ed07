"""The archive of an export, read row by row: neither it nor any table of it is ever held whole."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Substr

from journal.importers.text import DAMAGED
from journal.models import DataTransfer, Trade
from journal.services.own_data.tables import VERSION, KeptTable, Row, plain_default, plain_fields

MIB = 1024 * 1024
#: Most bytes that are read, unpacked, by the start of their names.
MAX_UNPACKED = {"manifest.json": MIB, "data/": 96 * MIB, "files/": 200 * MIB}
#: Most bytes of one row and of one file, and most values of one row: these are held whole.
MAX_ROW, MAX_FILE, MAX_VALUES = 16 * MIB, 34 * MIB, 1_500_000
_PIECE = 256 * 1024
#: Bytes of the list of names at the end of a zip: zipfile makes an object of each.
_MAX_DIRECTORY = 8 * MIB
_SPACE = re.compile(r"[ \t\n\r]*")


class TransferError(ValueError):
    """The file cannot be read; the message names the place."""


def spooled(row: DataTransfer) -> IO[bytes]:
    """The content of a transfer in a file that ends with its handle, copied piece by piece."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked closes it
    for piece in _pieces(row):
        file.write(piece)
    file.seek(0)
    return file


def _pieces(row: DataTransfer) -> Iterator[bytes]:
    if connection.vendor == "sqlite":  # which would read the whole content for every part asked of it
        table = DataTransfer._meta.db_table  # noqa: SLF001 - the documented model API
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT rowid FROM {table} WHERE id = %s", [row.pk.hex])  # noqa: S608
            number = cursor.fetchone()[0]
        with connection.connection.blobopen(table, "content", number, readonly=True) as blob:
            while piece := blob.read(4 * MIB):
                yield piece
        return
    rows, start = DataTransfer.objects.filter(pk=row.pk), 1
    while piece := bytes(
        rows.values_list(Substr(F("content"), Value(start), Value(4 * MIB)), flat=True).get()
    ):
        yield piece
        start += len(piece)


class Archive:
    """An export. Raises TransferError for what is no archive, too large, or of another version."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            _check_directory(file)
            self._zip = zipfile.ZipFile(file)
        except TransferError:
            raise
        except (zipfile.BadZipFile, OSError, ValueError, struct.error):
            raise TransferError("The file is not a zip archive.") from None
        for start, most in MAX_UNPACKED.items():
            sizes = [entry.file_size for entry in self._zip.infolist() if entry.filename.startswith(start)]
            if sum(sizes) > most:
                raise TransferError(f"{start} of the archive unpacks to more than {most // MIB} MiB.")
            if start == "files/" and max(sizes, default=0) > MAX_FILE:
                raise TransferError(f"A file of the archive is larger than {MAX_FILE // MIB} MiB.")
        self._names = frozenset(self._zip.namelist())
        self.digests = self._digests()

    def _digests(self) -> dict[str, Any]:
        name = "manifest.json"
        try:
            manifest = json.loads(b"".join(self._parts(name)))
        except TransferError:
            raise
        except (ValueError, RecursionError):
            raise TransferError(f"{name} is not JSON.") from None
        if not isinstance(manifest, dict) or manifest.get("product") != "ALVH Journal":
            raise TransferError("The archive is no export of ALVH Journal.")
        if manifest.get("version") != VERSION:
            raise TransferError(
                f"The export has version {manifest.get('version')}; this journal reads {VERSION}."
            )
        digests = manifest.get("digests", {})
        if not isinstance(digests, dict):
            raise TransferError(f"{name} names no digests.")
        return digests

    def has(self, table: KeptTable) -> bool:
        """Whether the export knows the table; one that came later is missing in older exports."""
        return table.name in self.digests or f"data/{table.name}.json" in self._names

    def rows(self, table: KeptTable) -> Iterator[tuple[Row, int]]:
        """Rows of a table as they are in the file, each with the characters it took."""
        if not self.has(table):
            return
        name = f"data/{table.name}.json"
        text = _Text(self._parts(name), name)
        if text.peek() != "[":
            text.value()
            raise TransferError(f"{name} is no list of rows.")
        text.skip()
        mark = text.peek()
        if mark == "]":
            text.skip()
        while mark != "]":
            text.number += 1
            if text.peek() not in ("{", ""):
                raise TransferError(f"{name} is no list of rows.")
            yield text.value()
            mark = text.peek()
            text.skip()
            if mark not in (",", "]"):
                raise TransferError(f"{name} is not JSON after row {text.number}.")
        if text.peek():
            raise TransferError(f"{name} is not JSON after row {text.number}.")

    def content(self, digest: str) -> bytes:
        """A file by its SHA-256; raises KeyError when there is none."""
        if f"files/{digest}" not in self._names:
            raise KeyError(digest)
        return b"".join(self._parts(f"files/{digest}"))

    def check_files(self) -> None:
        """Compare every file with the SHA-256 that is its name."""
        for name in sorted(self._names):
            digest = name.removeprefix("files/")
            if not name.startswith("files/") or not digest:
                continue
            found = hashlib.sha256()
            for part in self._parts(name):
                found.update(part)
            if found.hexdigest() != digest:
                raise TransferError(f"{name} does not have the content its name says.")

    def _parts(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(name) as stream:
                while part := stream.read(_PIECE):
                    yield part
        except KeyError:
            raise TransferError(f"{name} is missing.") from None
        except DAMAGED:
            raise TransferError(f"{name} is damaged.") from None


def _check_directory(file: IO[bytes]) -> None:
    """Refuse more names than a journal writes before zipfile makes an object of each of them.

    The end record of a zip (PKWARE APPNOTE 4.3.16) holds the directory's size at offset 12; larger archives
    put a locator of their own (4.3.15) in the 20 bytes before it.
    """
    size = file.seek(0, 2)
    start = max(size - 65_557, 0)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise zipfile.BadZipFile
    directory = struct.unpack_from("<L", tail, at + 12)[0]
    if directory > _MAX_DIRECTORY or tail[max(at - 20, 0) : at].startswith(b"PK\x06\x07"):
        raise TransferError("The archive has more names than an export of this journal.")


class _Text:
    """Text that arrives in parts, as far as it was not yet taken; ``number`` is the row being read."""

    def __init__(self, parts: Iterator[bytes], name: str) -> None:
        self._parts, self._name = parts, name
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._scan = json.JSONDecoder().raw_decode
        self._text, self._at, self._ended = "", 0, False
        self.number = 0

    def peek(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Pass over the character that was peeked at."""
        self._at += 1

    def value(self) -> tuple[Any, int]:
        """The next value and its length; raises TransferError."""
        while True:
            waiting = len(self._text) - self._at
            if waiting > MAX_ROW or self._text.count(",", self._at) > MAX_VALUES:
                raise TransferError(f"{self._place()} is not JSON, or larger than {MAX_ROW // MIB} MiB.")
            try:
                found, end = self._scan(self._text, self._at)
            except RecursionError:
                raise TransferError(f"{self._place()} is not JSON that can be read.") from None
            except ValueError:
                if not self._more():
                    raise TransferError(f"{self._place()} is not JSON.") from None
                continue
            length = end - self._at
            self._at = end
            return found, length

    def _place(self) -> str:
        return f"{self._name}, row {self.number}," if self.number else self._name

    def _more(self) -> bool:
        """Read on, as much again as is waiting: what is scanned twice stays in proportion."""
        waiting, parts = max(len(self._text) - self._at, 1), []
        while waiting > 0 and not self._ended:
            part = next(self._parts, b"")
            self._ended = not part
            try:
                parts.append(self._decode.decode(part, final=self._ended))
            except UnicodeDecodeError:
                raise TransferError(f"{self._place()} is not JSON: it is no UTF-8.") from None
            waiting -= len(part)
        before, self._text = len(self._text) - self._at, "".join((self._text[self._at :], *parts))
        self._at = 0
        return len(self._text) > before


def completed(table: KeptTable, rows: Iterable[tuple[Row, int]]) -> Iterator[tuple[int, Row, int]]:
    """Rows with their numbers from 1; later columns get their defaults.

    Raises TransferError for a column that has no default or is unknown. The same value in every row leaves
    their order, and with it the names of rows, as they were.
    """
    fields = {f.name: f for f in plain_fields(table)}
    known = fields.keys() | ({"protects"} if table.model is Trade else set())
    for number, (row, length) in enumerate(rows, start=1):
        place = f"data/{table.name}.json, row {number}"
        for name in sorted(row.keys() - known):
            raise TransferError(f"{place}: this journal has no column {name}; a newer one wrote the export.")
        for name in sorted(known - row.keys()):
            f = fields.get(name)
            if f is None or not (f.has_default() or f.null):
                raise TransferError(f"{place}: the column {name} is missing.")
            row[name] = plain_default(f)
        yield number, row, length
