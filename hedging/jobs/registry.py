"""Job kinds, each declared once: its name, what people read, where its result is shown, its lease.

A catalogue (hedging.jobs.kinds, journal.job_kinds) declares the kinds with ``job_kind``; the function
that does the work takes one with ``@job_handler(KIND)``. Whatever else asks about a kind asks ``declared``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from hedging.jobs.context import JobContext

Payload = Mapping[str, Any]
Effect = Callable[[], Any]
Handler = Callable[["JobContext"], "Effect | None"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known of a kind of job, whoever does the work."""

    name: str
    title: str | Callable[[Payload], str]
    page: str
    page_key: str
    lease_seconds: int | None
    refreshes_page: bool

    def title_of(self, payload: Payload) -> str:
        """What people read above its progress."""
        return self.title if isinstance(self.title, str) else self.title(payload)

    @property
    def lease(self) -> timedelta:
        """How long a worker that went silent keeps the job."""
        seconds = settings.JOB_LEASE_SECONDS if self.lease_seconds is None else self.lease_seconds
        return timedelta(seconds=seconds)


_DECLARED: dict[str, Declaration] = {}
_HANDLERS: dict[str, Handler] = {}


def job_kind(
    name: str,
    *,
    title: str | Callable[[Payload], str],
    page: str = "",
    page_key: str = "",
    lease_seconds: int | None = None,
    refreshes_page: bool = False,
) -> str:
    """Declare a kind and return its name. Raises ValueError when the name is taken.

    ``page`` is the name of the URL that shows the result, ``page_key`` the entry of the payload that URL
    takes as its argument; ``refreshes_page`` reloads the page that follows the job when it is done.
    """
    if name in _DECLARED:
        raise ValueError(f"Job kind {name} is declared twice.")
    _DECLARED[name] = Declaration(name, title, page, page_key, lease_seconds, refreshes_page)
    return name


def job_handler(kind: str) -> Callable[[Handler], Handler]:
    """Make a function the handler of a declared kind.

    The handler computes and returns a closure (or None); the closure runs in the transaction that
    marks the job done, and what it returns becomes ``job.result``. Raises ValueError for a kind that was
    not declared, or has a handler.
    """
    if kind not in _DECLARED or kind in _HANDLERS:
        raise ValueError(f"Job kind {kind} is not declared, or has a handler already.")

    def register(handler: Handler) -> Handler:
        _HANDLERS[kind] = handler
        return handler

    return register


def declared(kind: str) -> Declaration | None:
    """The declaration of a kind; None for one of another version of the product."""
    return _DECLARED.get(kind)


def kinds() -> tuple[str, ...]:
    """Every declared kind, in order of declaration."""
    return tuple(_DECLARED)


def handler_of(kind: str) -> Handler | None:
    """The function that does the work; None where no module that does was loaded."""
    return _HANDLERS.get(kind)
