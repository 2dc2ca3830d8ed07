"""The form that asks for a backtest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from hedging.engine.backtest.types import BacktestError, Costs, Hedge, Settings
from hedging.engine.rulesets.presets import NAMES, preset
from hedging.engine.rulesets.types import Ruleset, RulesetError
from journal.forms.base import StyledForm
from journal.models import Account, RulesetVersion
from journal.selectors.governance.rules import ruleset_of

_HEDGES = [
    (Hedge.ON, "on: three layers by the rules"),
    (Hedge.OFF, "off: condors alone"),
    (Hedge.PERMANENT, "permanent: always held, no early exit"),
]


class BacktestForm(StyledForm):
    """Account, rules, range, capital, costs, hedge and seed."""

    account = forms.ModelChoiceField(queryset=Account.objects.none(), empty_label=None)
    rules = forms.ChoiceField(label="Rules")
    first = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    last = forms.DateField(label="To", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    hedge = forms.ChoiceField(choices=_HEDGES)
    capital = forms.FloatField(label="Capital, dollars", min_value=1_000, max_value=1e10, initial=1_000_000)
    fee = forms.FloatField(
        label="Fee, dollars", min_value=0, max_value=100, initial=Costs().fee, help_text="a contract and side"
    )
    spread = forms.FloatField(
        label="Half-spread, percent", min_value=0, max_value=50, initial=Costs().share * 100,
        help_text="of each leg's price; at least 0.05 points on SPX, 0.02 on VIX",
    )  # fmt: skip
    seed = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, initial=1987, help_text="of the bootstrap behind the claims"
    )

    def __init__(
        self, *args: Any, accounts: Sequence[Account], versions: Sequence[RulesetVersion], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Account.objects.filter(pk__in=[account.pk for account in accounts])
        self._versions = {str(version.pk): version for version in versions}
        rules = self.fields["rules"]
        assert isinstance(rules, forms.ChoiceField)
        rules.choices = [
            ("Presets", [(name, preset(name).title) for name in NAMES]),
            (
                "Your versions",
                [
                    (
                        key,
                        f"{v.account.name}: {v.title} ({v.get_status_display().lower()})",
                    )
                    for key, v in self._versions.items()
                ],
            ),
        ]

    def clean(self) -> dict[str, Any]:
        """Put the parts together; every problem beside its input where it has one."""
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        try:
            data["settings"] = Settings(
                data["first"], data["last"], capital=data["capital"], hedge=Hedge(data["hedge"]),
                costs=Costs(fee=data["fee"], share=data["spread"] / 100), seed=data["seed"],
            )  # fmt: skip
            data["ruleset"] = self._ruleset(data["rules"], data["account"].pk)
        except BacktestError as error:
            self.add_error("last" if "range" in str(error) else None, str(error).capitalize() + ".")
        except RulesetError as error:
            self.add_error("rules", error.problems[0])
        return data

    def _ruleset(self, key: str, account: UUID) -> Ruleset:
        version = self._versions.get(key)
        if version is None:
            return preset(key)
        if version.account_id != account:
            raise RulesetError(("This version belongs to another account.",))
        return ruleset_of(version)
