"""``manage.py import_broker ACCOUNT FILE [--dry-run] [--json]``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from journal.errors import RuleError
from journal.management.accounts import account_named
from journal.models import WRITE_ROLES, Account, ImportBatch, User
from journal.selectors.imports.answer import batch_answer
from journal.services.imports.commit import import_commit
from journal.services.imports.stage import import_upload


class Command(BaseCommand):
    help = "Import a broker's file into an account: broker, counts, trades, cash, rows not understood."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="id or name of the account")
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, record nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--zone", default="", help="time zone of times without an offset")
        parser.add_argument("--encoding", default="", help="utf-8, cp1252 or utf-16; asked for if unclear")
        parser.add_argument("--user", default="", help="who records it; default: the account's owner")

    def handle(self, *, account: str, file: Path, dry_run: bool, **options: Any) -> None:
        found = account_named(account)
        user = self._user(found, options["user"])
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from None
        try:
            with transaction.atomic():
                batch = import_upload(
                    user=user, account=found, filename=file.name, data=data, zone=options["zone"],
                    encoding=options["encoding"], inline=True,
                )  # fmt: skip
                if batch.state == ImportBatch.State.STAGED and not dry_run:
                    batch = import_commit(user=user, batch=batch, inline=True)
                answer = {"dry_run": dry_run, **batch_answer(batch)}
                if dry_run or batch.state == ImportBatch.State.REFUSED:
                    transaction.set_rollback(True)
        except RuleError as error:
            raise CommandError(error.message) from None
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            self._show(answer)
        if batch.state == ImportBatch.State.REFUSED:
            raise CommandError(batch.problem["message"] if batch.problem else "The file cannot be read.")

    def _show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['broker'] or 'unknown broker'} {answer['layout']}")
        self.stdout.write(", ".join(f"{count} {name}" for name, count in answer["counts"].items() if count))
        self.stdout.write(
            f"{answer['trades']} trades, cash {answer['cash']}, {answer['rolls']} possible rolls"
        )
        moved = answer["cash_movements"]
        for kind in moved.get("kinds", ()):
            self.stdout.write(f"{kind['count']} × {kind['name']}: {kind['total']}")
        check = answer["reconciliation"]
        for line in check.get("lines", ()):
            unknown = f", {line['unknown']} without an amount in dollars" if line["unknown"] else ""
            self.stdout.write(f"{line['name']}: {line['rows']} rows, {line['amount']}{unknown}")
        if check:
            stated = "states nothing" if check["stated"] is None else f"states {check['stated']}"
            self.stdout.write(f"All rows: {check['total']}; the statement {stated}")
        for total in answer["totals"]:
            self.stdout.write(f"{total['name']}: stated {total['stated']}, from the rows {total['computed']}")
        for remark in answer["remarks"]:
            self.stdout.write(remark)
        for row in answer["not_understood"]:
            self.stdout.write(f"line {row['line']}: {row['message']}\n    {row['raw']}")

    def _user(self, account: Account, name: str) -> User:
        members = User.objects.filter(memberships__account=account, memberships__role__in=WRITE_ROLES)
        user = members.filter(username=name).first() if name else members.order_by("pk").first()
        if user is None:
            raise CommandError(f"{name or 'Nobody'} may record trades in this account")
        return user
