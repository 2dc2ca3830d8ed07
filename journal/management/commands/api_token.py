"""``manage.py api_token USERNAME [--revoke]``: print a token for ``Authorization: Token …``, or end it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.authtoken.models import Token

from journal.models import User
from journal.services.sign_in import tokens_revoke


class Command(BaseCommand):
    help = "Print the API token of a user, made if there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--revoke", action="store_true", help="end the user's token instead")

    def handle(self, *, username: str, revoke: bool, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"there is no user named {username!r}")
        if revoke:
            self.stdout.write(f"{tokens_revoke(user=user, why='revoked by command')} revoked")
            return
        if not user.is_active:
            raise CommandError(f"{username!r} is deactivated")
        token, _ = Token.objects.get_or_create(user=user)
        self.stdout.write(token.key)
