"""What commands share: finding the account a person named, and a progress bar on stderr."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, OutputWrapper
from django.utils.text import slugify

from journal.models import WRITE_ROLES, Account, User

_WIDTH = 30


def account_named(text: str) -> Account:
    """The account with this id, else the only one with this name; raises CommandError.

    A name may be written as the files of its reports are: ``demo-account`` for "Demo account".
    """
    try:
        found = list(Account.objects.filter(pk=text))
    except ValidationError:
        found = list(Account.objects.filter(name=text)[:2])
        names = () if found else Account.objects.values_list("pk", "name").iterator()
        found += Account.objects.filter(pk__in=[pk for pk, name in names if slugify(name) == text])
    if len(found) != 1:
        problem = "several accounts are" if found else "no account is"
        raise CommandError(f"{problem} named {text!r}; give the id")
    return found[0]


def writer_of(account: Account, name: str = "") -> User:
    """Who records on the account's behalf: the named member, else the first who may; raises CommandError."""
    members = User.objects.filter(memberships__account=account, memberships__role__in=WRITE_ROLES)
    user = members.filter(username=name).first() if name else members.order_by("pk").first()
    if user is None:
        raise CommandError(f"{name or 'Nobody'} may record in this account")
    return user


def progress_bar(stderr: OutputWrapper) -> Callable[[int, int, str], None]:
    """One line redrawn on a terminal, one line a phase elsewhere; not in the colour of errors."""
    redrawn = stderr.isatty()
    last = ""

    def show(done: int, total: int, phase: str) -> None:
        nonlocal last
        filled = _WIDTH * done // total
        line = f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {done * 100 // total:3d}% {phase}"
        if redrawn:
            end = "\n" if done == total else ""
            stderr.write(f"\r{line:<70}", str, ending=end)
        elif phase != last:
            stderr.write(line, str)
        last = phase

    return show
