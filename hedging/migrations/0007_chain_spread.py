"""How wide each stored SPX chain is quoted near the money."""

import io
from zoneinfo import ZoneInfo

import numpy as np
from django.db import migrations, models

NEW_YORK = ZoneInfo("America/New_York")


def measure(apps, schema_editor):
    from hedging.maths.quoted_spread import near_money_spread

    chains = apps.get_model("hedging", "ChainSnapshot").objects.filter(underlying="SPX")
    for pk in list(chains.values_list("pk", flat=True)):
        chain = chains.get(pk=pk)
        day = np.datetime64(chain.as_of.astimezone(NEW_YORK).date(), "D")
        with np.load(io.BytesIO(bytes(chain.payload)), allow_pickle=False) as stored:
            spread = near_money_spread(
                days=(stored["expiry"] - day).astype(np.int64),
                **{name: stored[name] for name in ("right", "strike", "bid", "ask")},
            )
        chains.filter(pk=pk).update(near_spread=spread)


class Migration(migrations.Migration):
    dependencies = [
        ("hedging", "0006_market_sources"),
    ]

    operations = [
        migrations.AddField(
            model_name="chainsnapshot",
            name="near_spread",
            field=models.FloatField(
                blank=True,
                help_text="median bid-ask near the money, 30 days ahead, % of mid; SPX only",
                null=True,
            ),
        ),
        migrations.RunPython(measure, migrations.RunPython.noop),
    ]
