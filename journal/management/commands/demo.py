"""``manage.py demo load|remove``: the demo logins and the populated demo account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from journal.models import User
from journal.services.demo import demo_login, demo_remove, demo_start


class Command(BaseCommand):
    help = "Load or remove the demo: simulated market, demo account, local demo logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["load", "remove"])

    def handle(self, *, what: str, **options: Any) -> None:
        logins = dict(settings.DEMO_LOGINS)
        if what == "load":
            users = [
                demo_login(username=name, password=password, is_risk=name == "risk")
                for name, password in logins.items()
            ]
            account = demo_start(user=users[0], tell=self._tell)
            self.stdout.write(
                f"Demo: account with {account.trades.count()} trades, logins: {', '.join(logins)}"
            )
            return
        for user in User.objects.filter(is_demo=True):
            user.groups.clear()
            demo_remove(user=user)
        self.stdout.write("demo removed")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
