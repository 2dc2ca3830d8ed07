"""Limits of one trade are stated by an account or left to its rules; two more hedge instruments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import migrations, models

_DEFAULTS = {"max_trade_loss_pct": Decimal(10), "warn_trade_loss_pct": Decimal(2)}


def leave_to_the_rules(apps: Any, schema: Any) -> None:
    """What stands at the former default was stated by nobody."""
    accounts = apps.get_model("journal", "Account").objects
    for name, value in _DEFAULTS.items():
        accounts.filter(**{name: value}).update(**{name: None})


def state_the_defaults(apps: Any, schema: Any) -> None:
    """The way back: a limit is always stated."""
    accounts = apps.get_model("journal", "Account").objects
    for name, value in _DEFAULTS.items():
        accounts.filter(**{f"{name}__isnull": True}).update(**{name: value})


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0028_thrown_away_imports"),
    ]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="max_trade_loss_pct",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text=(
                    "percent of capital above which a trade needs a reason; empty: as the rules in force say"
                ),
                max_digits=5,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="warn_trade_loss_pct",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text=(
                    "percent of capital above which a trade is warned of; empty: as the rules in force say"
                ),
                max_digits=5,
                null=True,
            ),
        ),
        migrations.RunPython(leave_to_the_rules, state_the_defaults, elidable=False),
        migrations.AlterField(
            model_name="trade",
            name="instrument",
            field=models.CharField(
                blank=True,
                choices=[
                    ("vix_calls", "VIX calls"),
                    ("vix_call_spread", "VIX call spread"),
                    ("vix_calendar", "VIX calendar"),
                    ("vx_future", "VX futures"),
                    ("spx_puts", "SPX puts"),
                    ("spx_put_spread", "SPX put spread"),
                    ("vxx", "VXX"),
                    ("", "-"),
                ],
                default="",
                max_length=20,
            ),
        ),
    ]
