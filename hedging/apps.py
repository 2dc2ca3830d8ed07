"""The hedging app: market data, engine results and jobs; it knows no traders."""

from django.apps import AppConfig


class HedgingConfig(AppConfig):
    """Registers the app and its job handlers."""

    name = "hedging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the handlers of jobs, as the journal does with its own."""
        from hedging.jobs import probe  # noqa: F401
        from hedging.services import signals  # noqa: F401
        from hedging.services.market import fetch, stage  # noqa: F401
