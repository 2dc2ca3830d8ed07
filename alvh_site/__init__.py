"""The site: settings, routes and process entry points."""

from alvh_site.threads import limit_blas_threads

limit_blas_threads()  # every process starts here: manage.py, WSGI, ASGI and Celery all load the settings

from alvh_site.celery import app as celery_app  # noqa: E402 - after the limit, before anything loads NumPy

__all__ = ["celery_app"]
