"""The time a worker was notified of a job, by its name."""

from django.db import migrations


class Migration(migrations.Migration):
    """Renames a column; nothing is computed."""

    dependencies = [("hedging", "0008_staged_files")]

    operations = [migrations.RenameField("job", "rung_at", "notified_at")]
