"""Tags and mistakes of an account, and the date ranges they mark."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from journal.errors import RuleError
from journal.forms.review import RangeTagForm, TagForm
from journal.models import WRITE_ROLES, Account, Tag, Tagging
from journal.selectors.review.reviews import SUGGESTED, mistakes_table, ranges_of, tags_with_counts
from journal.services.review.reviews import range_tag, range_untag, tag_rename
from journal.views.common import get_owned, person, say_removed
from journal.views.review.days import chosen_account
from journal.views.review.notes import may_write


def _back(account: Account) -> HttpResponse:
    return redirect(f"{reverse('journal:tags')}?account={account.pk}")


@login_required
def tag_list(request: HttpRequest) -> HttpResponse:
    """Tags with counts, mistakes with what they cost, and tagged date ranges; a form for a range."""
    account = chosen_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user, status = person(request), 200
    form = RangeTagForm(request.POST or None)
    if request.method == "POST":
        get_owned(Account, user, account.pk, WRITE_ROLES)
        if form.is_valid():
            try:
                range_tag(user=user, account=account, **form.cleaned_data)
            except RuleError as refusal:
                form.show(refusal)
            else:
                messages.success(request, "Days tagged.")
                return _back(account)
        status = 400
    context = {
        "account": account, "form": form, "tags": tags_with_counts(user, account),
        "mistakes": mistakes_table(user, account), "ranges": ranges_of(user, account),
        "may_review": may_write(user, account), "suggested": SUGGESTED,
    }  # fmt: skip
    return render(request, "journal/review/tags/page.html", context, status=status)


@login_required
def tag_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Rename a tag, or make it a mistake; everything that carries it follows."""
    user = person(request)
    tag = get_owned(Tag, user, pk, WRITE_ROLES)
    form = TagForm(request.POST or None, initial={"name": tag.name, "kind": tag.kind})
    if request.method == "POST" and form.is_valid():
        try:
            tag_rename(user=user, tag=tag, **form.cleaned_data)
        except RuleError as refusal:
            form.show(refusal)
        else:
            messages.success(request, "Saved.")
            return _back(tag.account)
    return render(request, "journal/review/tags/form.html", {"form": form, "tag": tag})


@login_required
@require_POST
def range_remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a tag off a date range."""
    tagging = get_owned(Tagging, person(request), pk, WRITE_ROLES)
    change = range_untag(user=person(request), tagging=tagging)
    say_removed(request, change, f"{tagging.tag.name} no longer marks those days.")
    return _back(tagging.account)
