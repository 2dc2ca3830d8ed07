"""A corpus of hostile files, the same on every run, made from five good ones."""

# ruff: noqa: E501 - the lines are data
from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Iterator

from tests.importers.cases import FILES

_CELLS = (
    "=1+1", "+SUM(A1)", "-2+3", "@cmd", "=HYPERLINK(\"http://x\")", "\x00", "1_000", "１２３", "1e309", "NaN",
    "-Infinity", "9" * 400, "0x10", "((1))", "--", "$", "1,2,3", "<script>alert(1)</script>", "'; DROP TABLE x",
    "\u202e123", "SPXW  999999P99999999", "SPXW  250230P05800000", "SPXW  251003P00000000", "\ud83d\ude00" * 3,
    "2025-10-03T25:61:00-0400", "2025-13-45T00:00:00+9999", "31/02/2026", "as of", "EXP: 1.0 .SPXW",
    "A" * 5_000, '"', "\t", "\r", "TOTAL", "Expiration",
)  # fmt: skip


def corpus() -> Iterator[tuple[str, bytes]]:
    """Names and bytes."""
    for name, text in FILES.items():
        data = text.encode()
        dice = random.Random(f"corpus {name}")
        for number in range(25):
            yield f"{name} cut {number}", data[: dice.randrange(1, len(data))]
        for number in range(25):
            broken = bytearray(data)
            for _ in range(dice.randrange(1, 12)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            yield f"{name} flipped {number}", bytes(broken)
        for number, cell in enumerate(_CELLS):
            yield f"{name} cell {number}", _with_cell(text, cell, dice).encode("utf-8", "surrogatepass")
        lines = text.splitlines(keepends=True)
        for number in range(10):
            mixed = list(lines)
            dice.shuffle(mixed)
            yield f"{name} shuffled {number}", "".join(mixed).encode()
        for number in range(5):
            cut = dice.randrange(len(lines))
            yield f"{name} doubled {number}", "".join([*lines[:cut], *lines]).encode()
        for encoding in ("utf-16", "utf-16-le", "utf-32", "cp500", "utf-7"):
            yield f"{name} {encoding}", data.decode().encode(encoding)
        yield f"{name} bom twice", b"\xef\xbb\xbf\xef\xbb\xbf" + data
        yield f"{name} cr only", data.replace(b"\n", b"\r")
        yield f"{name} nul", data[:50] + b"\x00" + data[50:]
        yield f"{name} latin", data + "caf\u00e9".encode("latin-1")
        yield f"{name} gz cut", gzip.compress(data, mtime=0)[:-9]
        yield f"{name} open quote", data + b'"never closed,1,2\n' + data
        yield f"{name} wide", data + b"," * 5_000 + b"\n"
        yield f"{name} long line", data + b"x" * 300_000
        yield f"{name} other header", data.replace(b"Date", b"Datum").replace(b"Trade", b"Handel")
    yield from _special()


def _with_cell(text: str, cell: str, dice: random.Random) -> str:
    """Put the cell in place of one of the file's values."""
    if text.lstrip().startswith("<"):
        parts = text.split('"')
        at = dice.randrange(3, len(parts) - 1) | 1
        parts[at] = cell
        return '"'.join(parts)
    lines = text.splitlines()
    at = dice.randrange(1, len(lines))
    cells = lines[at].split(",")
    cells[dice.randrange(len(cells))] = cell
    lines[at] = ",".join(cells)
    return "\n".join(lines)


def _special() -> Iterator[tuple[str, bytes]]:
    yield "empty", b" "
    yield "newlines", b"\n" * 10_000
    yield "quotes", b'"' * 9_999
    yield "commas", b"," * 200_000
    yield "zeros", bytes(5_000)
    yield "gzip bomb", gzip.compress(bytes(40 * 2**20), mtime=0)
    engine = zlib.compressobj(9, wbits=31)
    yield "gzip garbage", engine.compress(b"x" * 100) + b"tail"
    for name, members in (
        ("zip bomb", {"a.csv": bytes(40 * 2**20)}), ("zip of two", {"a": b"1", "b": b"2"}), ("zip empty", {}),
        ("zip path", {"../../etc/passwd": b"root"}),
    ):  # fmt: skip
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in members.items():
                archive.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)
        yield name, out.getvalue()
    head = '<?xml version="1.0"?>'
    body = "<FlexQueryResponse><FlexStatements><FlexStatement accountId='U1'>%s</FlexStatement></FlexStatements></FlexQueryResponse>"
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    yield "billion laughs", f'{head}<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>{body % "&l9;"}'.encode()
    yield (
        "external entity",
        f'{head}<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{body % "&e;"}'.encode(),
    )
    yield "external dtd", f'{head}<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">{body % ""}'.encode()
    yield "deep xml", (body % ("<a>" * 50_000 + "</a>" * 50_000)).encode()
    yield "wide xml", (body % f"<Trade symbol='{'S' * 300_000}'/>").encode()
    yield (
        "many attributes",
        (body % ("<Trade " + " ".join(f"a{n}='1'" for n in range(5_000)) + "/>")).encode(),
    )
    yield "empty trades", (body % "<Trade /><OptionEAE /><CashTransaction />" * 50).encode()
