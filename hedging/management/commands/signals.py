"""``manage.py signals``: every signal and the regime of a day, as text or JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from hedging.engine.codec import to_json
from hedging.engine.rulesets.presets import DEFAULT
from hedging.engine.rulesets.types import Ruleset, RulesetError
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.from_ruleset import signal_params
from hedging.engine.signals.levels import LevelDay
from hedging.engine.signals.types import Signal, SignalDay, SignalState
from hedging.models import MarketSnapshot
from hedging.selectors.calendar import NEW_YORK, session_date
from hedging.services.rulesets import ruleset_find
from hedging.services.signals import signals_refresh
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_summary


class Command(BaseCommand):
    help = "Print the market snapshot, every signal and the regime of a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", default="", metavar="YYYY-MM-DD", help="the day; today without it")
        parser.add_argument(
            "--ruleset",
            default=DEFAULT,
            metavar="NAME",
            help="whose thresholds: a preset, its hash, or a file",
        )
        parser.add_argument("--json", action="store_true", help="JSON instead of a table")
        parser.add_argument("--simulated", action="store_true", help="the simulated market of the demo")

    def handle(self, *, as_of: str, simulated: bool, ruleset: str, **options: Any) -> None:
        day = _day(as_of)
        try:
            rules = ruleset_find(ruleset)
        except RulesetError as error:
            raise CommandError("; ".join(error.problems)) from None
        frame = signals_refresh(simulated=simulated, params=signal_params(rules))
        snapshot = snapshot_for(as_of=datetime.combine(day, time(23, 59), NEW_YORK), simulated=simulated)
        seen, levels = frame.day(day), frame.levels_on(day)
        if options["json"]:
            self.stdout.write(
                json.dumps(as_json(frame, seen, levels, snapshot, rules), indent=2, ensure_ascii=False)
            )
            return
        for line in as_text(seen, levels, snapshot, rules):
            self.stdout.write(line)


def _day(text: str) -> date:
    if not text:
        return session_date(timezone.now())
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--as-of {text!r} is not a date like 2020-03-16") from error


def as_json(
    frame: SignalFrame,
    seen: SignalDay,
    levels: dict[str, LevelDay],
    snapshot: MarketSnapshot | None,
    rules: Ruleset,
) -> dict[str, Any]:
    """The day as plain values, None for unknown."""
    return {
        "as_of": seen.day.isoformat(),
        "ruleset": {"name": rules.name, "title": rules.title, "content_hash": rules.hash},
        "history": {
            "first_day": frame.days[0].item().isoformat() if len(frame) else None,
            "last_day": frame.days[-1].item().isoformat() if len(frame) else None,
            "sessions": len(frame),
        },
        "snapshot": None if snapshot is None else snapshot_summary(snapshot),
        "levels": to_json(list(levels.values())),
        "signals": to_json(list(seen.signals.values())),
        "regime": to_json(seen.regime),
        "alerts": list(seen.alerts),
    }


def as_text(
    seen: SignalDay, levels: dict[str, LevelDay], snapshot: MarketSnapshot | None, rules: Ruleset
) -> list[str]:
    """The day as lines for a terminal."""
    lines = [f"Signals as of {seen.day}, judged by {rules.name} ({rules.hash[:8]})"]
    if snapshot is None:
        lines.append("Snapshot: no market data by then")
    else:
        moment = snapshot.as_of.astimezone(NEW_YORK)
        lines.append(f"Snapshot {snapshot.content_hash[:12]} of {moment:%Y-%m-%d %H:%M} ET, "
                     f"{', '.join(snapshot.flags) or 'unknown quality'}")  # fmt: skip
    lines.append("  ".join(f"{x.name} {_figure(x.value)}" for x in levels.values()))
    lines += ["", f"Regime: {seen.regime.regime.value} since {seen.regime.since}"]
    lines += [f"  {reason}" for reason in seen.regime.reasons]
    lines += [f"ALERT: {alert}" for alert in seen.alerts]
    rows: list[tuple[str, ...]] = [
        ("signal", "value", "state", "since", "as of", "age", "threshold", "source")
    ]
    rows += [_row(signal) for signal in seen.signals.values()]
    widths = [max(len(row[at]) for row in rows) for at in range(6)]
    lines.append("")
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row[:6], widths, strict=True)]
        lines.append("  ".join([*cells, row[6], f"[{row[7]}]"]))
    lines.append("")
    unknown = [s for s in seen.signals.values() if s.state is SignalState.UNKNOWN]
    lines += [f"unknown {signal.key}: {signal.reason}" for signal in unknown]
    return lines


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.2f}"


def _row(signal: Signal) -> tuple[str, ...]:
    value = "" if signal.value is None else f"{signal.value:,.3f} {signal.unit}"
    return (
        signal.key.value,
        value,
        signal.state.value,
        str(signal.since or ""),
        str(signal.as_of or ""),
        "" if signal.age_days is None else f"{signal.age_days} d{' stale' if signal.stale else ''}",
        signal.threshold,
        signal.source,
    )
