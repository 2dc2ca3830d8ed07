"""``manage.py api_token USERNAME``: print a token for ``Authorization: Token …``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.authtoken.models import Token

from journal.models import User


class Command(BaseCommand):
    help = "Print the API token of a user, made if there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"there is no user named {username!r}")
        if not user.is_active:
            raise CommandError(f"{username!r} is deactivated")
        token, _ = Token.objects.get_or_create(user=user)
        self.stdout.write(token.key)
