"""Where rulesets come from: a file, else a preset by name or by the start of its hash."""

from __future__ import annotations

from pathlib import Path

from hedging.engine.rulesets.document import ruleset_read
from hedging.engine.rulesets.presets import preset, presets
from hedging.engine.rulesets.types import Ruleset, RulesetError

MIN_HASH = 6


def ruleset_find(text: str) -> Ruleset:
    """The ruleset a text names. Raises RulesetError, naming the place in a file that is not valid."""
    if text.endswith(".json") or "/" in text:
        return ruleset_file(Path(text))
    every = presets()
    found = [ruleset for ruleset in every if ruleset.name == text]
    if not found and len(text) >= MIN_HASH:
        found = [ruleset for ruleset in every if ruleset.hash.startswith(text)]
    if len(found) != 1:
        raise RulesetError((f"no ruleset is named {text!r}; there are {', '.join(r.name for r in every)}",))
    return found[0]


def ruleset_file(path: Path) -> Ruleset:
    """The ruleset in a JSON file; it may extend a preset. Raises RulesetError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RulesetError((f"{path} cannot be read: {reason}",)) from None
    try:
        return ruleset_read(text, find=preset)
    except RulesetError as error:
        raise RulesetError(tuple(f"{path}: {problem}" for problem in error.problems)) from None
