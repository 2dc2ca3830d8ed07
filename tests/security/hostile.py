"""Input no form sends: values by kind, bodies from the API's schema, forms as pages render them."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

LONG = "x" * 70_000
#: What a text may be, in addresses, forms and JSON.
TEXTS = (
    "", " ", "\x00", "a\x00b", "1_000", "٣", "१२", "½", "1e30", "-1e30", "1e-400", "9" * 400, "9" * 5000,
    "-1", "0", "1", "NaN", "Infinity", "-Infinity", "None", "null", "true", "[]", "{}", "%", "%00", "\\", "'",
    '"', "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "${7*7}", "../../etc/passwd", "\u202e",
    "\ufeff", "\ud7ff\U0010ffff", "é" * 300, "\U0001f600" * 90, "\r\nX-Injected: 1", "2026-02-30",
    "0000-00-00", "9999-12-31", "0001-01-01", "2026-11-20T25:00:00", "2026-11-01T01:30",
    "9999-12-31T23:59:59+14:00", "-05:00", "24:00", "00000000-0000-0000-0000-000000000000",
    "not-a-uuid", "urn:uuid:x", "=1+1", "1;2",
    "SPXW  240216C04890000", "SPX:y", ":", "1:1", LONG,
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 10**30, -(10**30), 2**31, 2**63, 2**64, 1e308, 1e-320, 0.1, True, False, None,
)  # fmt: skip


def deep(levels: int) -> str:
    """JSON nested further than anybody means, as text."""
    return "[" * levels + "]" * levels


def value(rng: random.Random) -> Any:
    """Any JSON value."""
    kind = rng.randrange(9)
    if kind < 5:
        return rng.choice(TEXTS)
    if kind < 7:
        return rng.choice(NUMBERS)
    if kind == 7:
        return [value(rng) for _ in range(rng.randrange(4))]
    return {rng.choice(TEXTS)[:200]: value(rng) for _ in range(rng.randrange(3))}


@dataclass(frozen=True, slots=True)
class Case:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        query = str(dict(self.query))[:300]
        return f"{self.method} {self.path} ?{query} {self.content_type} {self.body[:600]!r}"


class SchemaCases:
    """Cases for every operation of an OpenAPI document; ``ids`` are known ids by the path's first part."""

    def __init__(self, document: Mapping[str, Any], ids: Mapping[str, Any], seed: int) -> None:
        self.document, self.ids, self.rng = document, ids, random.Random(seed)
        self.operations = [
            (path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def cases(self, each: int) -> Iterator[Case]:
        """``each`` cases of every operation, and one of every other method on its path."""
        for path, method, operation in self.operations:
            for _ in range(each):
                yield self._case(path, method.upper(), operation)
        for path in self.document["paths"]:
            for method in ("PUT", "PATCH", "DELETE", "POST", "GET", "OPTIONS", "HEAD", "TRACE"):
                yield Case(method, self._path(path), {}, b'{"a": 1}', "application/json")

    def _path(self, path: str) -> str:
        kind = path.removeprefix("/api/v1/").split("/", 1)[0]
        own = self.ids.get(kind, uuid.uuid4())
        if self.rng.random() < 0.15:
            own = self.rng.choice(["0", "x", uuid.uuid4(), "%00", "٣", "9" * 300])
        year = self.rng.choice(["2026", "0", "9999", "9" * 30, "-1", "x"])
        return path.replace("{id}", str(own)).replace("{year}", year)

    def _case(self, path: str, method: str, operation: Mapping[str, Any]) -> Case:
        query = {
            p["name"]: self._parameter(p)
            for p in operation.get("parameters", [])
            if p["in"] == "query" and self.rng.random() < 0.6
        }
        headers = {}
        if self.rng.random() < 0.1:
            headers = {self.rng.choice(["Idempotency-Key", "If-Match"]): self.rng.choice(TEXTS)[:300]}
        content = operation.get("requestBody", {}).get("content", {})
        body, kind = b"", "application/json"
        if content:
            body, kind = self._body(content)
        return Case(method, self._path(path), query, body, kind, headers)

    def _parameter(self, parameter: Mapping[str, Any]) -> str:
        if self.rng.random() < 0.35:
            good = self._good(parameter.get("schema", {}))
            return good if isinstance(good, str) else json.dumps(good)
        if self.rng.random() < 0.2 and parameter["name"] == "account":
            return str(self.ids["accounts"])
        return self.rng.choice(TEXTS)

    def _body(self, content: Mapping[str, Any]) -> tuple[bytes, str]:
        kind = self.rng.choice(list(content))
        schema = content[kind]["schema"]
        good = self._good(schema)
        hostile = self._spoiled(good) if self.rng.random() < 0.9 else good
        if self.rng.random() < 0.06:
            raw = self.rng.choice(
                [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'"x"', b"[]", b"null", b"1e999", b'{"a":"\\ud800"}',
                 deep(500).encode(), deep(60_000).encode(), b"\x00", b"a=%00&b=%ff"]
            )  # fmt: skip
            return raw, self.rng.choice([kind, "application/json", "text/plain", "x", "multipart/form-data"])
        if kind == "application/json":
            return json.dumps(hostile).encode(), kind
        from urllib.parse import urlencode

        from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

        flat = hostile if isinstance(hostile, dict) else {"x": hostile}
        texts = {str(k)[:500]: v if isinstance(v, str) else json.dumps(v) for k, v in flat.items()}
        if kind == "multipart/form-data":
            from django.core.files.uploadedfile import SimpleUploadedFile

            parts: dict[str, Any] = dict(texts)
            if "file" in texts:
                name = self.rng.choice(["a.csv", "a" * 300 + ".csv", "../x", "\x00", "٣.xml", "a.zip"])
                junk = self.rng.choice(
                    [texts["file"].encode(), b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"<a/>", b"a,b\n"]
                )
                parts["file"] = SimpleUploadedFile(name, junk)
            return encode_multipart(BOUNDARY, parts), MULTIPART_CONTENT
        return urlencode(texts).encode(), kind

    def _spoiled(self, good: Any) -> Any:
        """The good body with one to three places replaced, left out or added."""
        if not isinstance(good, dict) or self.rng.random() < 0.05:
            return value(self.rng)
        bad = dict(good)
        for _ in range(self.rng.randrange(1, 4)):
            key = self.rng.choice([*bad, "version", "extra"])
            if self.rng.random() < 0.1:
                bad.pop(key, None)
            elif isinstance(bad.get(key), list) and bad[key] and self.rng.random() < 0.7:
                bad[key] = [self._spoiled(one) for one in bad[key]]
            elif isinstance(bad.get(key), dict) and bad[key] and self.rng.random() < 0.7:
                bad[key] = self._spoiled(bad[key])
            else:
                bad[key] = value(self.rng)
        return bad

    def _good(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """A value the schema allows, with known ids where it wants one."""
        if "$ref" in schema:
            return self._good(self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], depth)
        for joined in ("allOf", "oneOf", "anyOf"):
            if joined in schema:
                return self._good(self.rng.choice(schema[joined]), depth)
        if "enum" in schema:
            return self.rng.choice(schema["enum"])
        kind = schema.get("type", "object")
        if isinstance(kind, list):
            kind = kind[0]
        if kind == "object":
            properties = schema.get("properties", {})
            required = set(schema.get("required", ()))
            return {
                name: self._named(name, inner, depth + 1)
                for name, inner in properties.items()
                if not inner.get("readOnly") and (name in required or self.rng.random() < 0.7)
            }
        if kind == "array":
            return [self._good(schema["items"], depth + 1) for _ in range(self.rng.randrange(1, 4))]
        if kind == "integer":
            return self.rng.randrange(int(schema.get("minimum", 0)), int(schema.get("minimum", 0)) + 5)
        if kind == "number":
            return self.rng.choice([0.5, 12.25, 100])
        if kind == "boolean":
            return self.rng.random() < 0.5
        formats = {
            "uuid": str(uuid.uuid4()), "date": "2026-11-20", "date-time": "2026-11-20T10:30:00-05:00",
            "decimal": "12.25", "binary": "a,b\n1,2\n", "email": "a@example.org", "time": "10:00",
        }  # fmt: skip
        return formats.get(schema.get("format", ""), "some words of a reason")

    def _named(self, name: str, schema: Mapping[str, Any], depth: int) -> Any:
        known = {
            "account": self.ids.get("accounts"), "trade": self.ids.get("trades"),
            "occ_symbol": "SPXW  261218C06900000", "content_hash": "0" * 64,
        }  # fmt: skip
        if known.get(name) is not None and self.rng.random() < 0.9:
            return str(known[name])
        return self._good(schema, depth)


@dataclass
class Form:
    """A form as a page renders it: where it goes, how, and what it would send."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


class Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address, self.found = address, list[Form]()
        self._form: Form | None = None
        self._select = ""
        self._by_id: dict[str, Form] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: text or "" for name, text in attrs}
        if tag == "form":
            self._form = Form(a.get("action") or self.address, a.get("method", "get").lower())
            self.found.append(self._form)
            if "id" in a:
                self._by_id[a["id"]] = self._form
            return
        form = self._by_id.get(a.get("form", "")) or self._form
        if tag == "option" and form and self._select and ("selected" in a or not form.fields[self._select]):
            form.fields[self._select] = a.get("value", "")
        name = a.get("name", "")
        if form is None or not name or tag not in {"input", "select", "textarea", "button"}:
            return
        if a.get("type") == "file":
            form.files.add(name)
            return
        form.fields.setdefault(name, a.get("value", ""))
        self._select = name if tag == "select" else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""


def forms_of(html: str, address: str) -> list[Form]:
    """Forms of a page, with the values they would send."""
    parser = Forms(address)
    parser.feed(html)
    return parser.found
