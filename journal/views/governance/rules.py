"""Rules: versions, editing, difference, proposal and signatures."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.engine.rulesets.presets import preset
from hedging.engine.rulesets.types import Ruleset
from hedging.models import Job
from journal.errors import ConflictError, RuleError
from journal.forms.governance.rules import RulesetForm
from journal.job_kinds import EVIDENCE
from journal.models import WRITE_ROLES, Account, RulesetVersion, User
from journal.selectors.governance.rules import (
    grouped,
    ruleset_active,
    ruleset_shown,
    shipped,
    version_page,
    versions_for,
)
from journal.selectors.governance.signing import SIGN_ROLES, approval_rule, signer_names, signing_progress
from journal.selectors.shell import current_account
from journal.services.governance.evidence import evidence_request
from journal.services.governance.rulesets import (
    ruleset_draft,
    ruleset_ensure,
    ruleset_propose,
    ruleset_sign,
    ruleset_withdraw,
)
from journal.templatetags.figures import et_time
from journal.views.common import follow_account, get_owned, person
from journal.views.jobs import ShownJob, shown_job

_AUTHORS = (*WRITE_ROLES, *SIGN_ROLES)
_WITHDRAWN_FROM = frozenset(
    {RulesetVersion.Status.DRAFT, RulesetVersion.Status.PROPOSED, RulesetVersion.Status.APPROVED}
)


@login_required
def rule_list(request: HttpRequest) -> HttpResponse:
    """Show the account's versions and the presets a new one can start from."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user = person(request)
    context = {
        "account": account,
        "versions": versions_for(user, account),
        "presets": shipped(),
        "rule": approval_rule(account),
        "may_write": Account.objects.for_user(user, _AUTHORS).filter(pk=account.pk).exists(),
    }
    return render(request, "journal/governance/rules/list.html", context)


@login_required
def preset_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show a preset with every parameter and where it comes from."""
    try:
        ruleset = preset(name)
    except KeyError:
        raise Http404 from None
    return render(
        request, "journal/governance/rules/preset.html", {"ruleset": ruleset, "groups": grouped(ruleset)}
    )


@login_required
def new(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Write a new version for the account ``pk``, from a preset, a version, or what is active."""
    user = person(request)
    account = get_owned(Account, user, pk, _AUTHORS)
    start = request.POST.get("start", request.GET.get("start", ""))
    base, origin = _start(request, account, start)
    form = RulesetForm(request.POST or None, ruleset=base)
    if request.method == "POST" and form.is_valid():
        try:
            version = ruleset_draft(
                user=user, account=account, document=form.document(), parent=ruleset_active(account),
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
        except RuleError as error:
            form.show(error)
        else:
            if version.status == RulesetVersion.Status.DRAFT:
                messages.success(request, "Draft stored.")
            else:
                messages.warning(request, "Identical rules exist already; no draft was created.")
            return redirect("journal:rules_version", pk=version.pk)
    context = {
        "form": form, "account": account, "start": start, "origin": origin, "rule": approval_rule(account),
    }  # fmt: skip
    return render(request, "journal/governance/rules/edit.html", context, status=200)


def _start(request: HttpRequest, account: Account, start: str) -> tuple[Ruleset, str]:
    kind, _, name = start.partition(":")
    if kind == "preset":
        try:
            found = preset(name)
        except KeyError:
            raise Http404 from None
        return found, f"the preset {found.title}"
    if kind == "version":
        try:
            version = get_owned(RulesetVersion, person(request), UUID(name))
        except ValueError:
            raise Http404 from None
        return ruleset_shown(version), str(version)
    active = ruleset_ensure(account=account)
    return ruleset_shown(active), f"the active rules, {active}"


@login_required
def version(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one version: parameters, difference, evidence, signatures."""
    user = person(request)
    found = get_owned(RulesetVersion, user, pk)
    follow_account(request, found.account)
    against = None
    if text := request.GET.get("against"):
        try:
            against = get_owned(RulesetVersion, user, UUID(text))
        except ValueError:
            raise Http404 from None
    others = [v for v in versions_for(user, found.account) if v.pk != found.pk]
    shown, job = version_page(user, found, against), _evidence_job(user, found)
    may_write = Account.objects.for_user(user, _AUTHORS).filter(pk=found.account_id).exists()
    may_edit = may_write and found.status == RulesetVersion.Status.DRAFT
    context = {
        "page": shown,
        "others": others,
        "evidence": found.evidence,
        "evidence_text": json.dumps(found.evidence, indent=2) if found.evidence else "",
        "shown_job": job,
        "evidence_runs": shown.needs_evidence and job is not None and job.job.is_open,
        "token": timezone.now().strftime("%H%M%S%f"),
        "may_write": may_write,
        "may_edit": may_edit,
        "may_repeat": may_edit and not shown.needs_evidence,
        "may_withdraw": may_write and found.status in _WITHDRAWN_FROM,
    }
    return render(request, "journal/governance/rules/version.html", context)


def _evidence_job(user: User, version: RulesetVersion) -> ShownJob | None:
    """The newest backtest of this version while it runs or after it failed."""
    job = Job.objects.filter(kind=EVIDENCE, ruleset_version=version.content_hash[:40]).first()
    return shown_job(user, job) if job is not None and job.state != Job.State.DONE else None


@login_required
def document(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send the version's document as a file."""
    found = get_owned(RulesetVersion, person(request), pk)
    response = JsonResponse(found.document, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{found.name}-{found.content_hash[:8]}.json"'
    return response


@login_required
@require_POST
def act(request: HttpRequest, pk: UUID, action: str) -> HttpResponse:
    """Ask for a backtest, propose, sign or withdraw a version."""
    user = person(request)
    found = get_owned(RulesetVersion, user, pk, _AUTHORS)
    try:
        if action == "sign":
            done = ruleset_sign(user=user, version=found, content_hash=request.POST.get("content_hash", ""))
        elif action == "evidence":
            evidence_request(user=user, version=found, again=request.POST.get("token", ""))
            return redirect("journal:rules_version", pk=pk)
        elif action == "propose":
            done = ruleset_propose(user=user, version=found)
        else:
            done = ruleset_withdraw(user=user, version=found)
    except (RuleError, ConflictError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _told(done, action))
    return redirect("journal:rules_version", pk=pk)


def _told(version: RulesetVersion, action: str) -> str:
    """What was done and what happens next, in one sentence."""
    if action == "withdraw":
        return "Withdrawn; it will not come into force."
    if action == "propose":
        return f"Proposed; it is to be signed by {approval_rule(version.account).text}."
    if version.status == RulesetVersion.Status.PROPOSED:
        rule = approval_rule(version.account)
        left = signing_progress(rule, signer_names(rule), version.signatures.all()).missing
        return f"You signed; {left} more signature{'' if left == 1 else 's'} needed."
    when = "now" if version.status == RulesetVersion.Status.ACTIVE else f"from {et_time(version.active_from)}"
    return f"You signed; it is approved and in force {when}."
