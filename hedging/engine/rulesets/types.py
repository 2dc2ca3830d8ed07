"""A ruleset: every number of the method as a parameter with its unit, range and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from hedging.engine.canonical import content_hash

Value = float | int | bool | str | tuple[str, ...]


class RulesetError(ValueError):
    """A ruleset that cannot be used; ``problems`` name the places, such as ``parameters.condor.dte.base``."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class Kind(StrEnum):
    """What a parameter holds. WORDS is a list of choices, possibly empty."""

    NUMBER = "number"
    INTEGER = "integer"
    SWITCH = "switch"
    WORD = "word"
    WORDS = "words"


class RangePolicy(StrEnum):
    """Which point of a parameter's range is used; FIXED takes ``base``, whatever the range.

    INTERPOLATE runs from low to high with the stress weight: 0 at ``interpolate.vix_low`` and below, 1 at
    ``interpolate.vix_high`` and above, a half while the VIX is unknown.
    """

    FIXED = "fixed"
    LOW = "low"
    MID = "mid"
    HIGH = "high"
    INTERPOLATE = "interpolate"


class Status(StrEnum):
    """Where a version stands in its life. Not part of its content hash."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Definition:
    """What the product knows of a parameter in every ruleset.

    ``low`` and ``high`` bound what may be entered (in ``unit``), ``choices`` list the words of WORD and
    WORDS; ``explanation`` is shown beside the value. ``default`` is the parameter that holds where a document
    does not state it: of parameters the product added later, so that older versions keep their meaning.
    """

    key: str
    label: str
    kind: Kind
    unit: str
    explanation: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    default: Parameter | None = None

    @property
    def group(self) -> str:
        """The part before the first dot."""
        return self.key.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as one ruleset sets it.

    ``span`` is the (low, high) range the source gives, None where it gives one figure. ``source`` is a
    seed's number such as ``S4``, ``exchange`` or ``proposed``; ``requirement`` the methodology's id;
    ``contradiction`` says which other source disagrees.
    """

    key: str
    base: Value
    source: str
    requirement: str = ""
    span: tuple[float, float] | None = None
    policy: RangePolicy = RangePolicy.FIXED
    contradiction: str = ""

    def number(self, weight: float = 0.5) -> float:
        """The figure in force; ``weight`` in [0, 1] moves an interpolated range from low to high."""
        if self.span is None or self.policy is RangePolicy.FIXED:
            return float(self.base)  # type: ignore[arg-type]  # validated: numbers only
        low, high = self.span
        share = {RangePolicy.LOW: 0.0, RangePolicy.MID: 0.5, RangePolicy.HIGH: 1.0}.get(self.policy, weight)
        return low + share * (high - low)


@dataclass(frozen=True)
class Ruleset:
    """One immutable version. ``parent`` is the hash of the version it changes; None for a first one.

    ``implied`` names the parameters its document does not state: they take their defaults and are not part
    of the hash, so that a version signed before they existed is still the same version.
    """

    name: str
    title: str
    summary: str
    parameters: Mapping[str, Parameter]
    parent: str | None = None
    effective_from: date | None = None
    status: Status = Status.DRAFT
    implied: frozenset[str] = frozenset()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything that is stated but the status."""
        return content_hash(
            {
                "name": self.name,
                "title": self.title,
                "summary": self.summary,
                "parent": self.parent,
                "effective_from": self.effective_from,
                "parameters": {k: p for k, p in self.parameters.items() if k not in self.implied},
            }
        )

    def number(self, key: str, weight: float = 0.5) -> float:
        """A NUMBER or INTEGER in the unit of its definition. Raises KeyError for an unknown key."""
        return self.parameters[key].number(weight)

    def whole(self, key: str) -> int:
        """An INTEGER."""
        return round(self.number(key))

    def on(self, key: str) -> bool:
        """A SWITCH."""
        return bool(self.parameters[key].base)

    def word(self, key: str) -> str:
        """A WORD."""
        return str(self.parameters[key].base)

    def words(self, key: str) -> tuple[str, ...]:
        """A WORDS list, in its order."""
        found = self.parameters[key].base
        return found if isinstance(found, tuple) else ()
