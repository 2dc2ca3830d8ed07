"""The site: settings, routes and process entry points."""

from alvh_site.celery import app as celery_app

__all__ = ["celery_app"]
