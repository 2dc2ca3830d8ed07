"""``manage.py approvals list [ACCOUNT]``, ``approvals release CHANGE --lost L --operator L --reason TEXT``.

Lists changes of who signs that are under way, and frees one that a lost login keeps from being signed.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from journal.errors import RuleError
from journal.models import ApprovalChange, User
from journal.selectors.governance.signing import approval_rule
from journal.services.governance.recovery import change_release, last_seen


class Command(BaseCommand):
    help = "List changes of who signs that wait, or release one although a signer can no longer sign."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        shown = steps.add_parser("list", help="changes under way, with who signed and when signers were seen")
        shown.add_argument("account", nargs="?", help="id of an account; all when left out")
        freed = steps.add_parser("release", help="waive the signature of a signer who can no longer sign")
        freed.add_argument("change", help="id of the change, as listed")
        freed.add_argument(
            "--lost", action="append", required=True, metavar="LOGIN", help="repeat for several"
        )
        freed.add_argument("--operator", required=True, metavar="LOGIN", help="your own staff login")
        freed.add_argument("--reason", required=True, help="how you know; every signer is told")

    def handle(self, *, step: str, **options: Any) -> None:
        if step == "list":
            self._list(options["account"])
        else:
            self._release(options)

    def _list(self, account: str | None) -> None:
        rows = ApprovalChange.objects.filter(status__in=ApprovalChange.OPEN).select_related("account")
        if account is not None:
            rows = rows.filter(account=_uuid(account))
        for row in rows:
            rule = approval_rule(row.account)
            signed = set(row.signatures.values_list("signer_id", flat=True))
            self.stdout.write(f"{row.pk}  {row.account.name}: {row.summary}. {row.get_status_display()}")
            self.stdout.write(f"    {rule.text}, asked for {row.created_at:%Y-%m-%d %H:%M} UTC")
            for user in User.objects.filter(pk__in=rule.signers).order_by("username"):
                seen = last_seen(user)
                when = f"seen {seen:%Y-%m-%d %H:%M} UTC" if seen else "never seen"
                self.stdout.write(
                    f"    {user.get_username()}: {'signed' if user.pk in signed else 'not signed'}, {when}"
                )
            if row.effective_at is not None:
                self.stdout.write(f"    in force {row.effective_at:%Y-%m-%d %H:%M} UTC unless withdrawn")
        if not rows:
            self.stdout.write("No change of who signs is under way.")

    def _release(self, options: dict[str, Any]) -> None:
        change = ApprovalChange.objects.filter(pk=_uuid(options["change"])).first()
        if change is None:
            raise CommandError("there is no such change")
        operator, *lost = [_user(name) for name in (options["operator"], *options["lost"])]
        try:
            done = change_release(operator=operator, change=change, lost=lost, reason=options["reason"])
        except RuleError as error:
            raise CommandError(error.message) from None
        self.stdout.write(
            f"{done.summary}: in force {done.effective_at:%Y-%m-%d %H:%M} UTC unless a signer withdraws it"
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"{text!r} is no id") from None


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"there is no user named {name!r}")
    return user
