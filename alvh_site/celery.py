"""Celery application: carries the messages that tell workers to look at the job table.

The database owns every job (hedging.models.Job); a lost message delays work until the
relay notifies again, it never loses it. See docs/adr/0002-database-owned-jobs.md.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alvh_site.settings")

app = Celery("alvh_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["hedging", "journal"])
