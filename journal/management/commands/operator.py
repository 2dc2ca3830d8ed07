"""``manage.py operator NAME``: let a login load market data for everybody, or no longer."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from journal.models import User
from journal.services.guests import operator_set


class Command(BaseCommand):
    help = "Let a login load market data that every account's figures stand on; --remove takes it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--remove", action="store_true")

    def handle(self, *, username: str, remove: bool = False, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no login {username}.")
        if user.is_guest:
            raise CommandError("A guest of the demo cannot be an operator: sign up first.")
        operator_set(user=user, operates=not remove)
        self.stdout.write(
            f"{username} {'no longer loads' if remove else 'may load'} market data for everybody."
        )
