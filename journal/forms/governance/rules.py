"""Editing a ruleset: one input a parameter, made from the catalogue, errors beside their parameter."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms

from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.document import entry_of, ruleset_document
from hedging.engine.rulesets.types import Definition, Kind, Parameter, RangePolicy, Ruleset
from journal.errors import RuleError
from journal.forms.base import style
from journal.selectors.governance.rules import GROUPS

_CHANGED_BY = "user"


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter with its inputs, for the template."""

    definition: Definition
    parameter: Parameter
    base: forms.BoundField
    policy: forms.BoundField | None

    @property
    def errors(self) -> int:
        """How many of its inputs need another look."""
        return bool(self.base.errors) + bool(self.policy and self.policy.errors)


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters that belong together; ``changed`` counts those that were typed anew."""

    name: str
    rows: tuple[ParameterRow, ...]
    changed: int

    @property
    def errors(self) -> int:
        """How many inputs need another look; the group is unfolded then."""
        return sum(row.errors for row in self.rows)

    @property
    def words(self) -> str:
        """The parameters' labels, to find one without unfolding."""
        return " · ".join(row.definition.label for row in self.rows)


class RulesetForm(forms.Form):
    """A new version of ``ruleset``: its words, its day, and the value of every parameter."""

    title = forms.CharField(max_length=160)
    summary = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    effective_from = forms.DateField(
        label="Active from", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: as soon as it is approved and the delay is over.",
    )  # fmt: skip
    reason = forms.CharField(
        label="Reason for change", max_length=400, min_length=10,
        help_text="Kept with the version; at least ten characters.",
    )  # fmt: skip

    def __init__(self, *args: Any, ruleset: Ruleset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ruleset = ruleset
        self.initial.setdefault("title", ruleset.title)
        self.initial.setdefault("summary", ruleset.summary)
        for key, definition in catalogue().items():
            parameter = ruleset.parameters[key]
            self.fields[key] = _field(definition, parameter)
            if parameter.span is not None:
                self.fields[f"{key}|policy"] = forms.ChoiceField(
                    label=f"{definition.label}: point of the range",
                    choices=[(policy.value, policy.value) for policy in RangePolicy],
                    initial=parameter.policy.value,
                )
        style(self)

    def groups(self) -> Iterator[ParameterGroup]:
        """Parameters by group, in the catalogue's order."""
        groups: dict[str, list[ParameterRow]] = {}
        for key, definition in catalogue().items():
            policy = self[f"{key}|policy"] if f"{key}|policy" in self.fields else None
            row = ParameterRow(definition, self.ruleset.parameters[key], self[key], policy)
            groups.setdefault(definition.group, []).append(row)
        typed = set(self.changed_data) if self.is_bound else set()
        for name, rows in groups.items():
            changed = sum(bool({row.definition.key, f"{row.definition.key}|policy"} & typed) for row in rows)
            yield ParameterGroup(GROUPS.get(name, name), tuple(rows), changed)

    def document(self) -> dict[str, Any]:
        """The document of the new version; what was changed is marked as set by the owner."""
        found = copy.deepcopy(ruleset_document(self.ruleset))
        day: date | None = self.cleaned_data["effective_from"]
        found |= {
            "title": self.cleaned_data["title"],
            "summary": self.cleaned_data["summary"],
            "effective_from": day.isoformat() if day else None,
        }
        for key, definition in catalogue().items():
            entry = found["parameters"].get(key) or entry_of(self.ruleset.parameters[key])
            value = _value(definition, self.cleaned_data[key])
            policy = self.cleaned_data.get(f"{key}|policy", entry.get("policy", "fixed"))
            if value != entry["base"] or policy != entry.get("policy", "fixed"):
                found["parameters"][key] = entry | {"base": value, "policy": policy, "source": _CHANGED_BY}
        return found

    def show(self, error: RuleError) -> None:
        """Put each problem ``parameters.<key>.…`` beside its parameter, the rest on top."""
        for problem in error.message.split("; "):
            place, _, text = problem.partition(": ")
            key = place.removeprefix("parameters.").rsplit(".", 1)[0]
            exact = place.removeprefix("parameters.")
            found = next((name for name in (exact, key) if name in self.fields), None)
            self.add_error(found, text or problem)


def _field(definition: Definition, parameter: Parameter) -> forms.Field:
    base = parameter.base
    match definition.kind:
        case Kind.SWITCH:
            return forms.BooleanField(label=definition.label, required=False, initial=base)
        case Kind.WORD:
            words = [(word, word) for word in definition.choices]
            return forms.ChoiceField(label=definition.label, choices=words, initial=base)
        case Kind.WORDS:
            listed = ", ".join(base) if isinstance(base, tuple) else ""
            return forms.CharField(
                label=definition.label, required=False, initial=listed,
                help_text=f"In order, with commas: {', '.join(definition.choices)}.",
            )  # fmt: skip
        case Kind.INTEGER:
            return forms.IntegerField(label=definition.label, initial=base, **_limits(definition))
        case Kind.NUMBER:
            number = forms.NumberInput(attrs={"step": "any"})
            return forms.FloatField(
                label=definition.label, initial=base, widget=number, **_limits(definition)
            )


def _limits(definition: Definition) -> dict[str, Any]:
    return {"min_value": definition.low, "max_value": definition.high}


def _value(definition: Definition, given: Any) -> Any:
    if definition.kind is Kind.WORDS:
        return [word.strip() for word in given.split(",") if word.strip()]
    return given
