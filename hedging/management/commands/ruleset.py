"""``manage.py ruleset list | show NAME | diff A B | validate FILE... | schema``."""

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
from hedging.services.rulesets import ruleset_find


class Command(BaseCommand):
    help = "List, show, compare and validate rulesets: presets by name or hash, files by path."

    def add_arguments(self, parser: ArgumentParser) -> None:
        does = parser.add_subparsers(dest="does", required=True)
        listing = does.add_parser("list", help="the presets, their hashes and what they are for")
        listing.add_argument("--json", action="store_true", dest="as_json")
        show = does.add_parser("show", help="every parameter of a ruleset with unit and provenance")
        show.add_argument("ruleset")
        show.add_argument("--json", action="store_true", dest="as_json", help="the full document")
        show.add_argument("--explain", action="store_true", help="with explanations and contradictions")
        diff = does.add_parser("diff", help="what differs between two rulesets")
        diff.add_argument("before")
        diff.add_argument("after")
        validate = does.add_parser("validate", help="check files; every problem is named with its place")
        validate.add_argument("files", nargs="+")
        does.add_parser("schema", help="the JSON schema of a ruleset document")

    def handle(self, *, does: str, **options: Any) -> None:
        try:
            getattr(self, f"_{does}")(**options)
        except RulesetError as error:
            raise CommandError("\n".join(error.problems)) from None

    def _list(self, *, as_json: bool, **_: Any) -> None:
        if as_json:
            rows = [{"name": r.name, "hash": r.hash, "parent": r.parent, "title": r.title} for r in presets()]
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for ruleset in presets():
            self.stdout.write(f"{ruleset.name:<24} {ruleset.hash[:12]}  {ruleset.title}: {ruleset.summary}")

    def _show(self, *, ruleset: str, as_json: bool, explain: bool, **_: Any) -> None:
        found = ruleset_find(ruleset)
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
        changes = ruleset_diff(ruleset_find(before), ruleset_find(after))
        for change in changes:
            self.stdout.write(f"{change.key}\n  - {change.before}\n  + {change.after}")
        if not changes:
            self.stdout.write("no parameter differs")

    def _validate(self, *, files: list[str], **_: Any) -> None:
        problems: list[str] = []
        for file in files:
            try:
                found = ruleset_find(file)
            except RulesetError as error:
                problems += error.problems
            else:
                self.stdout.write(f"{file}: valid, {found.name} {found.hash}")
        if problems:
            raise RulesetError(tuple(problems))

    def _schema(self, **_: Any) -> None:
        self.stdout.write(json.dumps(ruleset_schema(), indent=2, ensure_ascii=False))
