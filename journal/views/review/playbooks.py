"""Playbooks: list, create, change, archive."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.forms.review import PlaybookForm
from journal.models import WRITE_ROLES, Account, Playbook
from journal.selectors.review.markdown import markdown_html
from journal.selectors.review.reviews import playbook_rows
from journal.services.review.playbooks import checklist_items, playbook_archive, playbook_save
from journal.views.common import get_owned, person
from journal.views.review.days import chosen_account
from journal.views.review.notes import may_write


@login_required
def playbook_list(request: HttpRequest) -> HttpResponse:
    """The playbooks of the account in view, with how often each was used and how it went."""
    account = chosen_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user = person(request)
    rows = [(row, markdown_html(row.playbook.text)) for row in playbook_rows(user, account)]
    context = {"account": account, "rows": rows, "may_review": may_write(user, account)}
    return render(request, "journal/review/playbooks/list.html", context)


@login_required
def playbook_new(request: HttpRequest) -> HttpResponse:
    """Write a playbook for the account in view."""
    account = chosen_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    get_owned(Account, person(request), account.pk, WRITE_ROLES)
    return _form(request, account, None)


@login_required
def playbook_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change a playbook; checklists that were answered keep their wording."""
    playbook = get_owned(Playbook, person(request), pk, WRITE_ROLES)
    return _form(request, playbook.account, playbook)


def _form(request: HttpRequest, account: Account, playbook: Playbook | None) -> HttpResponse:
    initial = {}
    if playbook is not None:
        initial = {
            "name": playbook.name, "text": playbook.text, "items": "\n".join(playbook.items),
            "version": playbook.version,
        }  # fmt: skip
    form, status = PlaybookForm(request.POST or None, initial=initial), 200
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            playbook_save(
                user=person(request), account=account, name=data["name"], text=data["text"],
                items=checklist_items(data["items"]), playbook=playbook, version=data["version"],
            )  # fmt: skip
        except RuleError as refusal:
            form.show(refusal)
        except ConflictError as conflict:
            form.add_error(None, str(conflict))
            status = 409
        else:
            messages.success(request, "Playbook saved.")
            return redirect(f"{reverse('journal:playbooks')}?account={account.pk}")
    context = {"form": form, "account": account, "playbook": playbook}
    return render(request, "journal/review/playbooks/form.html", context, status=status)


@login_required
@require_POST
def archive(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Archive a playbook, or bring it back with ``restore``."""
    playbook = get_owned(Playbook, person(request), pk, WRITE_ROLES)
    playbook_archive(user=person(request), playbook=playbook, archived="restore" not in request.POST)
    return redirect(f"{reverse('journal:playbooks')}?account={playbook.account_id}")
