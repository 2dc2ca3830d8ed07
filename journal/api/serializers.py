"""What the API takes and gives."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from hedging.models import Job
from journal.models import Account, Fill, Report, Trade
from journal.selectors.book.trades import trade_position, trade_structure
from journal.services.accounts import FIELDS


class AccountSerializer(serializers.ModelSerializer[Account]):
    """An account; ``version`` must be sent back with a change."""

    class Meta:
        model = Account
        fields = ("id", *FIELDS, "is_demo", "book_revision", "version", "archived_at", "created_at")
        read_only_fields = ("id", "is_demo", "book_revision", "archived_at", "created_at")
        extra_kwargs = {"version": {"read_only": True}}


class LegInputSerializer(serializers.Serializer[Any]):
    """One leg of an order."""

    occ_symbol = serializers.CharField(max_length=32, help_text="OCC symbol, VX/YYYY-MM-DD or VXX")
    quantity = serializers.IntegerField(help_text="signed: + bought, - sold")
    price = serializers.DecimalField(max_digits=12, decimal_places=6, min_value=Decimal(0))


class OrderSerializer(serializers.Serializer[Any]):
    """An execution: an order string, or legs."""

    account = serializers.UUIDField()
    order_text = serializers.CharField(required=False, max_length=2000, trim_whitespace=False)
    legs = LegInputSerializer(many=True, required=False)
    filled_at = serializers.DateTimeField(help_text="with an offset; without one it is New York time")
    fees = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        required=False,
        allow_null=True,
        help_text="total cost; absent: by the account's fee schedule",
    )
    reason = serializers.CharField(required=False, max_length=4000, allow_blank=True, default="")
    accept_size = serializers.BooleanField(
        required=False, default=False, help_text="override the risk limit; needs a reason"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of order_text and legs."""
        if bool(attrs.get("order_text")) == bool(attrs.get("legs")):
            raise serializers.ValidationError({"legs": "Give either order_text or legs."})
        return attrs

    def validate_filled_at(self, value: datetime) -> datetime:
        """Years outside any exchange's are typing errors."""
        if not 1986 <= value.year <= 2100:
            raise serializers.ValidationError("Outside the years this journal covers.")
        return value


class TradeInputSerializer(OrderSerializer):
    """A new trade; the kind is recognised from the legs unless given."""

    kind = serializers.ChoiceField(choices=[Trade.Kind.CONDOR.value, Trade.Kind.OTHER.value], required=False)


class HedgeInputSerializer(OrderSerializer):
    """A new hedge layer."""

    layer = serializers.IntegerField(min_value=1, max_value=3)
    instrument = serializers.ChoiceField(
        choices=[c for c in Trade.Instrument.choices if c[0]], required=False, default=""
    )
    protects = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=200
    )


class CloseInputSerializer(serializers.Serializer[Any]):
    """Closing fills of a trade."""

    legs = LegInputSerializer(many=True)
    filled_at = serializers.DateTimeField()
    fees = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), required=False, allow_null=True
    )
    version = serializers.IntegerField(required=False)
    reason = serializers.CharField(required=False, max_length=2000, allow_blank=True, default="")
    accept_size = serializers.BooleanField(
        required=False, default=False, help_text="override the risk limit; needs a reason"
    )


class ReverseInputSerializer(serializers.Serializer[Any]):
    """Why a fill is corrected."""

    reason = serializers.CharField(max_length=200)


class FillSerializer(serializers.ModelSerializer[Fill]):
    """One execution."""

    symbol = serializers.CharField(source="contract.symbol", read_only=True)

    class Meta:
        model = Fill
        fields = (
            "id",
            "account",
            "trade",
            "symbol",
            "quantity",
            "price",
            "fees",
            "executed_at",
            "trade_date",
            "reverses",
            "source",
            "note",
        )
        read_only_fields = fields


class TradeSerializer(serializers.ModelSerializer[Trade]):
    """A trade in a list."""

    class Meta:
        model = Trade
        fields = (
            "id",
            "account",
            "kind",
            "layer",
            "instrument",
            "label",
            "underlying",
            "status",
            "nearest_expiry",
            "opened_at",
            "closed_at",
            "net_cash",
            "fees_total",
            "reason",
            "order_text",
            "protects",
            "version",
        )
        read_only_fields = fields


class TradeDetailSerializer(serializers.ModelSerializer[Trade]):
    """A trade with its structure, open legs and fills; dollars, break-evens in points, null unknown."""

    credit = serializers.SerializerMethodField()
    max_profit = serializers.SerializerMethodField()
    max_loss = serializers.SerializerMethodField()
    break_evens = serializers.SerializerMethodField()
    margin = serializers.SerializerMethodField()
    margin_ibkr = serializers.SerializerMethodField()
    legs = serializers.SerializerMethodField()
    fills = FillSerializer(many=True, read_only=True)

    class Meta:
        model = Trade
        fields = (
            *TradeSerializer.Meta.fields,
            "credit",
            "max_profit",
            "max_loss",
            "break_evens",
            "margin",
            "margin_ibkr",
            "legs",
            "fills",
        )
        read_only_fields = fields

    def _figure(self, trade: Trade, name: str) -> float | None:
        cached: Any = getattr(trade, "_structure", None) or trade_structure(trade)
        trade._structure = cached  # type: ignore[attr-defined]
        value: float | None = getattr(cached, name)
        return None if value is None else round(value, 6)

    def get_credit(self, trade: Trade) -> float | None:
        """Dollars the fills moved."""
        return self._figure(trade, "credit")

    def get_max_profit(self, trade: Trade) -> float | None:
        """Dollars at expiry, before fees."""
        return self._figure(trade, "max_profit")

    def get_max_loss(self, trade: Trade) -> float | None:
        """Dollars at expiry, before fees, positive."""
        return self._figure(trade, "max_loss")

    def get_margin(self, trade: Trade) -> float | None:
        """Gross Cboe strategy margin in dollars."""
        return self._figure(trade, "margin")

    def get_margin_ibkr(self, trade: Trade) -> float | None:
        """Interactive Brokers' variant in dollars."""
        return self._figure(trade, "margin_ibkr")

    def get_break_evens(self, trade: Trade) -> list[float]:
        """Points, ascending."""
        self._figure(trade, "credit")
        return [round(at, 6) for at in trade._structure.break_evens]  # type: ignore[attr-defined]

    def get_legs(self, trade: Trade) -> list[dict[str, Any]]:
        """Open legs."""
        return [
            {
                "occ_symbol": leg.spec.symbol,
                "quantity": leg.quantity,
                "entry_price": str(leg.entry_price),
                "settlement": leg.spec.settlement.value,
            }
            for leg in trade_position(trade).legs
        ]


class JobSerializer(serializers.ModelSerializer[Job]):
    """A background job; ``progress`` in percent, null while unknown."""

    progress = serializers.IntegerField(source="percent", allow_null=True, read_only=True)

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "scope",
            "state",
            "phase",
            "progress",
            "error",
            "result",
            "attempts",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class ReportSerializer(serializers.ModelSerializer[Report]):
    """A stored report."""

    class Meta:
        model = Report
        fields = (
            "id",
            "account",
            "format",
            "date_from",
            "date_to",
            "as_of",
            "filename",
            "sha256",
            "created_at",
        )
        read_only_fields = fields


class ReportInputSerializer(serializers.Serializer[Any]):
    """What report to render; the period defaults to this year."""

    format = serializers.ChoiceField(choices=Report.Format.choices, default="pdf")

    def get_fields(self) -> dict[str, Any]:
        """``from`` is a Python word, so the two dates are added here."""
        return {
            **super().get_fields(),
            "from": serializers.DateField(required=False),
            "to": serializers.DateField(required=False),
        }


class MarketFileSerializer(serializers.Serializer[Any]):
    """A market file to load."""

    file = serializers.FileField()
    symbol = serializers.CharField(required=False, max_length=32, default="", allow_blank=True)


class IngestSerializer(serializers.Serializer[Any]):
    """What loading a file did."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    format = serializers.CharField()
    rows_read = serializers.IntegerField()
    rows_new = serializers.IntegerField()
    rows_unchanged = serializers.IntegerField()
    rows_dropped = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField())
