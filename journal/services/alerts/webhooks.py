"""Telling somebody else's server: https, a public address, and exactly the address that was checked.

The name is looked up once and the connection made to an address of that answer, so that a name that leads
elsewhere a moment later (DNS rebinding) leads nowhere. Redirects are not followed, proxies of the environment
not asked, the answer's body not read, and the whole call ends after a fixed time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from journal.errors import RuleError

#: Seconds for one step, and for everything together.
_STEP, _WHOLE = 10.0, 20.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def webhook_check(url: str) -> list[str]:
    """The addresses a webhook may be sent to. Raises RuleError where none may, OSError for an unknown name.

    With ``ALERT_WEBHOOK_PRIVATE`` set, plain http and private networks are allowed as well.
    """
    private = settings.ENV.alert_webhook_private
    parts = _parts(url)
    allowed = {"https", "http"} if private else {"https"}
    if parts is None or parts.scheme not in allowed or not parts.hostname or parts.username is not None:
        raise RuleError("A webhook is an https address without a password in it.", "target")
    try:
        answer = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OSError(f"{parts.hostname[:80]} is not known") from None
    found = list(dict.fromkeys(str(info[4][0]) for info in answer))
    if not private and not all(map(_public, found)):
        raise RuleError("The webhook leads into a private network.", "target")
    return found


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None for what is none."""
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it raises for a port out of range
    except ValueError:
        return None
    return parts


def _public(address: str) -> bool:
    """Whether an address is on the open internet, also when it wraps an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return _public(str(inner))
    return ip.is_global and not ip.is_multicast


def webhook_post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post to a webhook; returns the status. Raises as ``webhook_check``, and OSError without an answer."""
    import httpx

    addresses = webhook_check(url)
    try:
        # A thread of its own: the caller's may run an event loop already.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(_post(url, addresses, body, headers))).result()
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise OSError(f"no answer: {type(error).__name__}") from None


async def _post(url: str, addresses: list[str], body: bytes, headers: Mapping[str, str]) -> int:
    import httpx

    target = httpx.URL(url)
    sent = {**headers, "Host": target.netloc.decode("ascii")}
    async with (
        asyncio.timeout(_WHOLE),
        httpx.AsyncClient(timeout=_STEP, follow_redirects=False, trust_env=False) as client,
    ):
        for address in addresses:
            try:
                async with client.stream(
                    "POST", target.copy_with(host=address), content=body, headers=sent,
                    extensions={"sni_hostname": target.host},
                ) as answer:  # fmt: skip
                    return answer.status_code
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address == addresses[-1]:
                    raise
    raise OSError("no answer: no address")
