"""The journal app: what traders recorded, and the pages they see."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """Registers the app and its job handlers."""

    name = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the handlers of jobs and of sign-in events."""
        from journal import job_handlers  # noqa: F401
        from journal.services import sign_in  # noqa: F401
