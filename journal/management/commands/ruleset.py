"""``manage.py ruleset list | show NAME | diff A B | validate NAME... | schema``, with ``--account``.

A name is a preset's name or hash, a file's path, or a stored version's hash or id; with ``--account`` also
the name of one of the account's versions.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.diff import ruleset_diff, shown
from hedging.engine.rulesets.document import ruleset_document
from hedging.engine.rulesets.presets import presets
from hedging.engine.rulesets.schema import ruleset_schema
from hedging.engine.rulesets.types import Ruleset, RulesetError
from journal.management.accounts import account_named
from journal.models import Account
from journal.selectors.governance.rules import ruleset_named


class Command(BaseCommand):
    help = "List, show, compare and validate rulesets: presets, files by path, stored versions by hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="id or name of an account whose stored versions are meant")
        does = parser.add_subparsers(dest="does", required=True)
        listing = does.add_parser("list", help="the presets, or an account's versions with their status")
        listing.add_argument("--json", action="store_true", dest="as_json")
        show = does.add_parser("show", help="every parameter of a ruleset with unit and provenance")
        show.add_argument("ruleset")
        show.add_argument("--json", action="store_true", dest="as_json", help="the full document")
        show.add_argument("--explain", action="store_true", help="with explanations and contradictions")
        diff = does.add_parser("diff", help="what differs between two rulesets")
        diff.add_argument("before")
        diff.add_argument("after")
        validate = does.add_parser(
            "validate", help="check files or stored versions; every problem is named with its place"
        )
        validate.add_argument("names", nargs="+")
        does.add_parser("schema", help="the JSON schema of a ruleset document")

    def handle(self, *, does: str, account: str | None, **options: Any) -> None:
        try:
            self.account = None if account is None else account_named(account)
            getattr(self, f"_{does}")(**options)
        except RulesetError as error:
            raise CommandError("\n".join(error.problems)) from None

    def _list(self, *, as_json: bool, **_: Any) -> None:
        if self.account is not None:
            self._list_stored(self.account, as_json=as_json)
            return
        if as_json:
            rows = [{"name": r.name, "hash": r.hash, "parent": r.parent, "title": r.title} for r in presets()]
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for ruleset in presets():
            self.stdout.write(f"{ruleset.name:<24} {ruleset.hash[:12]}  {ruleset.title}: {ruleset.summary}")

    def _list_stored(self, account: Account, *, as_json: bool) -> None:
        versions = account.rulesets.order_by("-created_at")
        rows: list[dict[str, Any]] = [
            {
                "id": str(one.pk), "name": one.name, "hash": one.content_hash, "title": one.title,
                "status": one.status, "created_at": one.created_at.isoformat(),
                "active_from": one.active_from.isoformat() if one.active_from else None,
                "parent": one.parent.content_hash if one.parent else None,
            }
            for one in versions.select_related("parent")
        ]  # fmt: skip
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            since = f" from {row['active_from'][:16]}" if row["active_from"] else ""
            self.stdout.write(
                f"{row['name']:<24} {row['hash'][:12]}  {row['status']}{since}, "
                f"made {row['created_at'][:16]}: {row['title']}"
            )
        if not rows:
            self.stdout.write("no version is stored; the default preset is in force")

    def _show(self, *, ruleset: str, as_json: bool, explain: bool, **_: Any) -> None:
        found = ruleset_named(ruleset, self.account)
        if as_json:
            self.stdout.write(json.dumps(ruleset_document(found), indent=2, ensure_ascii=False))
            return
        self.stdout.write(f"{found.name}  {found.hash}\n{found.title}: {found.summary}")
        self._parameters(found, explain=explain)

    def _parameters(self, ruleset: Ruleset, *, explain: bool) -> None:
        group = ""
        for key, definition in catalogue().items():
            if definition.group != group:
                group = definition.group
                self.stdout.write(f"\n{group}")
            one = ruleset.parameters[key]
            value = f"{shown(one)} {definition.unit}".rstrip()
            self.stdout.write(f"  {key:<30} {value}  [{one.source} {one.requirement}]")
            if explain:
                self.stdout.write(f"      {definition.label}. {definition.explanation}")
                if one.contradiction:
                    self.stdout.write(f"      Contradiction: {one.contradiction}")

    def _diff(self, *, before: str, after: str, **_: Any) -> None:
        changes = ruleset_diff(ruleset_named(before, self.account), ruleset_named(after, self.account))
        for change in changes:
            self.stdout.write(f"{change.key}\n  - {change.before}\n  + {change.after}")
        if not changes:
            self.stdout.write("no parameter differs")

    def _validate(self, *, names: list[str], **_: Any) -> None:
        problems: list[str] = []
        for file in names:
            try:
                found = ruleset_named(file, self.account)
            except RulesetError as error:
                problems += error.problems
            else:
                self.stdout.write(f"{file}: valid, {found.name} {found.hash}")
        if problems:
            raise RulesetError(tuple(problems))

    def _schema(self, **_: Any) -> None:
        self.stdout.write(json.dumps(ruleset_schema(), indent=2, ensure_ascii=False))
