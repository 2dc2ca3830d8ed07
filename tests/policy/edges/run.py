"""What an edge is: a parameter, the figure compared with it, and the answer below, at and above it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.document import ruleset_document, ruleset_from
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import Kind, Ruleset


@dataclass(frozen=True)
class Edge:
    """One comparison with one parameter.

    The figure stays and the threshold moves around it by ``step``, so that a parameter nobody reads fails.
    ``ask`` gives the answer under a threshold; ``below``, ``at`` and ``above`` say where the *figure* stands.
    """

    key: str
    figure: Callable[[], float]
    ask: Callable[[float], Any]
    below: Any
    at: Any
    above: Any
    step: float = 1e-6
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.key} {self.note}".strip()

    def answers(self) -> tuple[Any, Any, Any]:
        """What is answered while the figure stands below, at and above the threshold."""
        figure = self.figure()
        found = [self.ask(self._limit(figure + one * self.step)) for one in (1, 0, -1)]
        return found[0], found[1], found[2]

    def _limit(self, value: float) -> float:
        return round(value) if catalogue()[self.key].kind is Kind.INTEGER else value


def ruled(name: str = DEFAULT, **changes: Any) -> Ruleset:
    """A preset with some parameters changed, ``__`` for the dot; a (low, high) pair of numbers is a range."""
    document = ruleset_document(preset(name))
    for key, value in changes.items():
        pair = isinstance(value, tuple)
        base = value[0] if pair else value
        entry = {"base": base, "source": "user"} | ({"range": list(value)} if pair else {})
        document["parameters"][key.replace("__", ".")] = entry
    return ruleset_from(document)


def one(key: str, value: Any, **others: Any) -> Ruleset:
    """The default ruleset with one parameter by its dotted key, and others."""
    return ruled(**{key.replace(".", "__"): value}, **others)
