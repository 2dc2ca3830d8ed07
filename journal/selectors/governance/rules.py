"""Reads of an account's rules: versions, their parameters by group, differences, signatures."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.diff import Change, ruleset_diff, shown
from hedging.engine.rulesets.document import ruleset_from
from hedging.engine.rulesets.presets import DEFAULT, preset, presets
from hedging.engine.rulesets.types import Definition, Parameter, Ruleset, RulesetError
from hedging.services.rulesets import MIN_HASH, ruleset_find
from journal.models import Account, RulesetVersion, Signature, User
from journal.selectors.governance.signing import (
    ApprovalRule,
    SigningProgress,
    approval_rule,
    signer_names,
    signing_progress,
)

Status = RulesetVersion.Status
GROUPS = {
    "signals": "Signals",
    "regime": "Regime",
    "macro": "Releases",
    "interpolate": "Stress weight",
    "condor": "Condor",
    "layers": "All layers",
    "layer1": "Layer 1",
    "layer2": "Layer 2",
    "layer3": "Layer 3",
    "collapse": "Realized-vol collapse",
    "expansion": "Volatility expansion",
    "wacc": "Cost of capital",
    "caps": "Caps",
    "guard": "Guardrails",
    "liquidity": "Liquidity",
    "alerts": "Alerts",
    "second_engine": "Second Engine",
    "vxth": "VXTH benchmark",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A parameter as a version sets it, in words."""

    definition: Definition
    parameter: Parameter
    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A version with everything its page shows; ``against`` is what it is compared with.

    ``needs_evidence`` is a draft that changes the active thresholds and has no backtest attached yet.
    """

    version: RulesetVersion
    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    against: RulesetVersion | None
    changes: tuple[Change, ...]
    signatures: tuple[Signature, ...]
    rule: ApprovalRule
    may_sign: bool
    signed_by_me: bool
    progress: SigningProgress
    needs_evidence: bool

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """The life of a version: each step and whether it is ``done``, ``here`` or to come (empty)."""
        order = [Status.DRAFT, Status.PROPOSED, Status.APPROVED, Status.ACTIVE]
        at = Status(self.version.status)
        if at not in order:
            return ()
        here = order.index(at)
        marks = ("done" if i < here else "here" if i == here else "" for i in range(len(order)))
        return tuple(zip((step.value for step in order), marks, strict=True))


def ruleset_of(version: RulesetVersion) -> Ruleset:
    """The stored version as the engine reads it; raises RulesetError when it no longer fits the product."""
    return ruleset_from(version.document, find=preset)


def ruleset_shown(version: RulesetVersion) -> Ruleset:
    """The stored version with the default's value where it is older than a parameter: to show and to edit."""
    return ruleset_from({**version.document, "extends": DEFAULT}, find=preset)


def ruleset_active(account: Account) -> RulesetVersion | None:
    """The version in force."""
    return RulesetVersion.objects.filter(account=account, status=RulesetVersion.Status.ACTIVE).first()


def versions_for(user: User, account: Account) -> list[RulesetVersion]:
    """The account's versions, active first, then the newest."""
    rows = RulesetVersion.objects.for_user(user).filter(account=account)
    found = list(rows.select_related("created_by", "parent").prefetch_related("signatures"))
    return sorted(found, key=lambda version: version.status != RulesetVersion.Status.ACTIVE)


def version_page(user: User, version: RulesetVersion, against: RulesetVersion | None = None) -> VersionPage:
    """Parameters by group and the difference to ``against``: the parent, else the active version."""
    ruleset = ruleset_shown(version)
    active = ruleset_active(version.account)
    other = against or version.parent or active
    if other is not None and other.pk == version.pk:
        other = None
    changes = ruleset_diff(ruleset_shown(other), ruleset) if other else ()
    rule = approval_rule(version.account)
    signatures = tuple(version.signatures.select_related("signer"))
    may_sign = user.pk in rule.signers and version.status == RulesetVersion.Status.PROPOSED
    return VersionPage(
        version,
        grouped(ruleset, frozenset(change.key for change in changes)),
        other,
        changes,
        signatures,
        rule,
        may_sign,
        any(signature.signer_id == user.pk for signature in signatures),
        signing_progress(rule, signer_names(rule), signatures),
        version.status == Status.DRAFT
        and not version.evidence
        and active is not None
        and bool(ruleset_diff(ruleset_shown(active), ruleset)),
    )


def grouped(
    ruleset: Ruleset, changed: frozenset[str] = frozenset()
) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """Parameters in words, by group."""
    groups: dict[str, list[Line]] = {}
    for key, definition in catalogue().items():
        parameter = ruleset.parameters[key]
        line = Line(definition, parameter, shown(parameter), key in changed)
        groups.setdefault(definition.group, []).append(line)
    return tuple((GROUPS.get(name, name), tuple(lines)) for name, lines in groups.items())


def shipped() -> tuple[Ruleset, ...]:
    """The presets, the default first."""
    return presets()


def ruleset_named(text: str, account: Account | None = None) -> Ruleset:
    """A preset by name or hash, a file by path, else a stored version by its hash or id.

    With ``account`` its versions come first, also by their name (the one in force, else the newest). Raises
    RulesetError when nothing or more than one content fits.
    """
    stored = RulesetVersion.objects.all() if account is None else account.rulesets.all()
    if account is not None:
        named = stored.filter(name=text).order_by("-created_at")
        version = named.filter(status=RulesetVersion.Status.ACTIVE).first() or named.first()
        if version is not None:
            return _read(version)
    try:
        return ruleset_find(text)
    except RulesetError:
        found = _stored(stored, text)
        if found is None:
            raise
        return _read(found)


def _read(version: RulesetVersion) -> Ruleset:
    ruleset = ruleset_of(version)
    if ruleset.hash != version.content_hash:
        raise RulesetError((f"version {version.pk}: its content is not what its hash names",))
    return ruleset


def _stored(rows: QuerySet[RulesetVersion], text: str) -> RulesetVersion | None:
    """The stored version of this id or beginning of a hash; None when there is none, or several contents."""
    try:
        return rows.filter(pk=UUID(text)).first()
    except ValueError:
        pass
    if len(text) < MIN_HASH or set(text.lower()) - set("0123456789abcdef"):
        return None
    found = rows.filter(content_hash__startswith=text.lower()).order_by("-created_at")
    hashes = set(found.values_list("content_hash", flat=True))
    return found.first() if len(hashes) == 1 else None
