"""``manage.py invite``: an address at which one person may make a login."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from journal.services.invitations import invitation_make


class Command(BaseCommand):
    help = "Print an address at which one person may sign up within fourteen days."

    def handle(self, **options: Any) -> None:
        if settings.SIGNUP == "closed":
            raise CommandError("SIGNUP is closed: nobody can make a login. Set it to invite first.")
        self.stdout.write(invitation_make())
