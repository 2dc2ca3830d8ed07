"""Webhooks reach the public address that was checked, once, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.test import override_settings

from journal.errors import RuleError
from journal.services.alerts import webhooks
from journal.services.alerts.webhooks import webhook_check, webhook_post


class Receiver(BaseHTTPRequestHandler):
    """Answers with what it was told to; remembers the host it was called by."""

    seen: ClassVar[list[tuple[str, str]]] = []
    location = ""
    trickle = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers["Host"]))
        if self.trickle:
            try:
                while True:
                    self.wfile.write(b"H")
                    threading.Event().wait(0.05)
            except OSError:
                return
        self.send_response(302 if self.location else 204)
        if self.location:
            self.send_header("Location", self.location)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing on the console."""


@pytest.fixture
def receiver() -> Iterator[int]:
    Receiver.seen, Receiver.location, Receiver.trickle = [], "", False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with override_settings(ENV=replace(settings.ENV, alert_webhook_private=True)):
        yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def names(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """A name server that gives each answer once, in turn."""
    asked: list[str] = []
    left = list(answers)

    def lookup(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_a_name_is_looked_up_once_and_connected_to_that_address(
    receiver: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names(monkeypatch, "127.0.0.1", "127.0.0.9")
    url = f"http://hooks.example.org:{receiver}/in?x=1"
    assert webhook_post(url, b"{}", {}) == 204
    assert asked == ["hooks.example.org"]
    assert Receiver.seen == [("/in?x=1", f"hooks.example.org:{receiver}")]


def test_a_redirect_is_not_followed(receiver: int) -> None:
    Receiver.location = f"http://127.0.0.1:{receiver}/inside"
    assert webhook_post(f"http://127.0.0.1:{receiver}/", b"{}", {}) == 302
    assert [path for path, _ in Receiver.seen] == ["/"]


def test_an_answer_that_never_ends_is_given_up(receiver: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Receiver.trickle = True
    monkeypatch.setattr(webhooks, "_WHOLE", 0.5)
    with pytest.raises(OSError, match="no answer"):
        webhook_post(f"http://127.0.0.1:{receiver}/", b"{}", {})


def test_a_proxy_of_the_environment_is_not_asked(receiver: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert webhook_post(f"http://127.0.0.1:{receiver}/", b"{}", {}) == 204


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "192.168.0.1",
        "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0",
        "fd00::1", "ff0e::1", "::",
    ],
)  # fmt: skip
def test_a_public_name_with_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    names(monkeypatch, address)
    with pytest.raises(RuleError, match="private network"):
        webhook_check("https://hooks.example.org/in")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_is_allowed(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    names(monkeypatch, address)
    assert webhook_check("https://hooks.example.org/in") == [address]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org:99999/", "https://[::1/", "https://a b/", "https://a\r\nX: y/",
        "https://user@example.org/", "https://@example.org/", "gopher://example.org/", "https:///x",
        "//example.org/", "https://\u0663/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises((RuleError, OSError)):
        webhook_check(url)
