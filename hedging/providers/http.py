"""One polite, bounded HTTP request: conditional, within time and size, from the host that was asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import httpx

from hedging.providers.base import WantedFile

ATTEMPTS = 3
MAX_REDIRECTS = 3
#: Longer waits are not slept through: the next scheduled round comes after them.
LONGEST_WAIT = 30.0
#: A trickling answer ends after this many timeouts.
WHOLE_ANSWER = 6
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class FetchError(Exception):
    """A fetch failed; the message is for people. ``wait`` is how long the source asked to be left alone."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(message)


class NotThereError(FetchError):
    """The source has no such file: 404, or 403 for one that may not be there yet."""


class _PassingError(FetchError):
    """Worth another attempt."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back; ``content`` None: unchanged since the last time (304)."""

    content: bytes | None
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True)
class Manners:
    """How we ask: name, seconds before a silent source is given up, pause unit, and how to wait and count."""

    user_agent: str
    timeout: float = 20.0
    backoff: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    check: Callable[[], None] = lambda: None


def fetch(wanted: WantedFile, manners: Manners, *, etag: str = "", last_modified: str = "") -> HttpAnswer:
    """The file, or that it did not change; raises FetchError after the attempts worth making."""
    headers = {"User-Agent": manners.user_agent, "Accept": ", ".join(wanted.types)}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    with httpx.Client(
        headers=headers, timeout=manners.timeout, follow_redirects=False, trust_env=True
    ) as client:
        for attempt in range(1, ATTEMPTS + 1):
            manners.check()
            try:
                return _ask(client, wanted, manners)
            except _PassingError as error:
                wait = error.wait if error.wait is not None else manners.backoff * 2 ** (attempt - 1)
                if attempt == ATTEMPTS or wait > LONGEST_WAIT:
                    raise FetchError(str(error), error.wait) from None
                manners.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def _ask(client: httpx.Client, wanted: WantedFile, manners: Manners) -> HttpAnswer:
    url = wanted.url
    for _ in range(MAX_REDIRECTS + 1):
        try:
            with client.stream("GET", url) as response:
                if response.has_redirect_location:
                    url = _same_publisher(url, response.headers.get("Location", ""))
                    continue
                return _read(response, wanted, manners)
        except httpx.TimeoutException:
            raise _PassingError(f"no answer within {manners.timeout:g} s") from None
        except httpx.RemoteProtocolError as error:
            raise _PassingError(f"the answer broke off ({error})") from None
        except httpx.TransportError as error:
            raise _PassingError(f"cannot be reached ({type(error).__name__})") from None
        except httpx.DecodingError:
            raise FetchError("the answer's compression is damaged") from None
        except httpx.InvalidURL:
            raise FetchError("the address is not valid") from None
    raise FetchError("too many redirects")


#: Hosts of one publisher: its files may move among them, over https alone.
_PUBLISHERS = (
    frozenset({"cdn.cboe.com", "cdn-api.cboe.com", "www.cboe.com", "www-api.cboe.com"}),
    frozenset({"fred.stlouisfed.org", "alfred.stlouisfed.org"}),
)


def _same_publisher(url: str, location: str) -> str:
    """Where a redirect leads; FetchError when that is neither the host that was asked nor its publisher's."""
    target = urljoin(url, location)
    asked, wanted = urlsplit(url), urlsplit(target)
    both = {asked.hostname or "", wanted.hostname or ""}
    moved = wanted.scheme == "https" and wanted.port is None and any(both <= one for one in _PUBLISHERS)
    if wanted[:2] != asked[:2] and not moved:
        raise FetchError(f"redirects to another host ({urlsplit(target).netloc[:80] or 'none'})")
    return target


def _read(response: httpx.Response, wanted: WantedFile, manners: Manners) -> HttpAnswer:
    status = response.status_code
    if status == 304:
        return HttpAnswer(None, "", "")
    if status == 404 or (status == 403 and wanted.optional):
        raise NotThereError(f"the source has no such file ({status})")
    if status in _PASSING:
        raise _PassingError(f"answered {status}", _retry_after(response.headers.get("Retry-After", "")))
    if status != 200:
        raise FetchError(f"answered {status}")
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind and kind not in wanted.types:
        raise FetchError(f"sent {kind[:60]}, not {wanted.types[0]}")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > wanted.max_bytes:
        raise FetchError(f"the file is larger than {wanted.max_bytes:,} bytes")
    began, content = manners.clock(), bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > wanted.max_bytes:
            raise FetchError(f"the file is larger than {wanted.max_bytes:,} bytes")
        if manners.clock() - began > manners.timeout * WHOLE_ANSWER:
            raise FetchError("the answer comes too slowly")
        manners.check()
    if not content.strip():
        raise FetchError("sent an empty file")
    return HttpAnswer(
        bytes(content), response.headers.get("ETag", "")[:200], response.headers.get("Last-Modified", "")[:60]
    )


def _retry_after(text: str) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None when not said or not understood."""
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
