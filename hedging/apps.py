"""The hedging app: market data, engine results and jobs; it knows no traders."""

from django.apps import AppConfig


class HedgingConfig(AppConfig):
    """Registers the app and its job handlers."""

    name = "hedging"
    default_auto_field = "django.db.models.BigAutoField"
