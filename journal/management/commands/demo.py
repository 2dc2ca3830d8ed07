"""``manage.py demo load|remove``: the demo logins and the populated demo account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from journal.models import User
from journal.services.demo import demo_login, demo_remove, demo_start
from journal.services.demo_firm import firm_load


class Command(BaseCommand):
    help = "Load or remove the demo: simulated market, demo account, local demo logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["load", "remove"])
        parser.add_argument("--firm", type=int, default=0, metavar="N", help="N accounts for the risk desk")

    def handle(self, *, what: str, firm: int = 0, **options: Any) -> None:
        logins = settings.DEMO_LOGINS
        if what == "load":
            users = [
                demo_login(username=name, password=password, groups=groups)
                for name, password, groups in logins
            ]
            account = demo_start(user=users[0], tell=self._tell)
            names = ", ".join(name for name, *_ in logins)
            self.stdout.write(f"Demo: account with {account.trades.count()} trades, logins: {names}")
            if firm:
                made = firm_load(accounts=firm, tell=self._tell)
                wrong = sum(bool(one.faults) for one in made)
                self.stdout.write(f"Firm: {len(made)} accounts, {wrong} with a known fault")
            return
        for user in User.objects.filter(is_demo=True):
            user.groups.clear()
            demo_remove(user=user)
        self.stdout.write("demo removed")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
