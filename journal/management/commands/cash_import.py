"""``manage.py cash_import ACCOUNT FILE [--dry-run] [--json]`` and ``cash_import ACCOUNT --undo ID``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from journal.errors import RuleError
from journal.management.accounts import account_named, writer_of
from journal.models import Account, CashImport, User
from journal.services.cash.file import (
    CashFileError,
    cash_file_check,
    cash_import_commit,
    cash_import_undo,
    cash_import_upload,
    import_answer,
    plan_answer,
    problems_answer,
)


class Command(BaseCommand):
    help = "Record cash movements from a CSV file (date, kind, amount; perhaps purpose, note, external_id)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="id or name of the account")
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--undo", type=UUID, metavar="ID", help="take a recorded import back")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, record nothing")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
        parser.add_argument("--user", default="", help="who records it; default: the account's owner")

    def handle(
        self, *, account: str, file: Path | None, undo: UUID | None, dry_run: bool, as_json: bool, user: str,
        **_: Any,
    ) -> None:  # fmt: skip
        if (file is None) == (undo is None):
            raise CommandError("give a file, or --undo with the id of an import")
        found = account_named(account)
        who = writer_of(found, user)
        try:
            answer = self._undo(found, who, undo) if undo else self._record(found, who, file, dry_run=dry_run)
        except CashFileError as error:
            if as_json:
                self.stdout.write(json.dumps({"problems": problems_answer(error.problems)}, indent=2))
            else:
                for one in error.problems:
                    self.stderr.write(f"line {one.line}, {one.column or 'the row'}: {one.message}")
            more = f" and {error.more} more" if error.more else ""
            raise CommandError(f"{len(error.problems)} problems{more}; nothing is recorded") from None
        except RuleError as error:
            raise CommandError(error.message) from None
        if as_json:
            self.stdout.write(json.dumps(answer, indent=2))
            return
        plan = answer["plan"] or {}
        for total in plan.get("totals", ()):
            self.stdout.write(f"{total['rows']:>6} {total['kind']:<16} {total['amount']:>16}")
        known = f", {plan['duplicates']} known already, {plan['left_out']} not in force" if plan else ""
        done = "would be recorded" if dry_run else answer["state"]
        count = plan.get("new", answer["recorded"])
        self.stdout.write(f"{count} movements {done}{known}; import {answer.get('id') or 'not kept'}")

    def _record(self, account: Account, user: User, file: Path | None, *, dry_run: bool) -> dict[str, Any]:
        assert file is not None
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from None
        plan, left_out = cash_file_check(account, data)
        answer = {"plan": plan_answer(plan, left_out), "recorded": 0, "state": "staged"}
        if dry_run or not plan.new:
            return answer
        with transaction.atomic():
            batch = cash_import_upload(user=user, account=account, filename=file.name, data=data)
            batch = cash_import_commit(user=user, batch=batch)
        return {**import_answer(batch), "plan": answer["plan"]}

    def _undo(self, account: Account, user: User, pk: UUID) -> dict[str, Any]:
        batch = CashImport.objects.filter(account=account, pk=pk).first()
        if batch is None:
            raise CommandError("this account has no such import")
        return import_answer(cash_import_undo(user=user, batch=batch))
