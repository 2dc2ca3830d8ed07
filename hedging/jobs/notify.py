"""Notifies workers of a job: a Celery message that carries its id and nothing else."""

from __future__ import annotations

import uuid
from functools import lru_cache

import redis
from celery import current_app
from django.conf import settings

RUN_JOB = "hedging.run_job"


@lru_cache(maxsize=1)
def _probe() -> redis.Redis:
    """A client that fails within a second where Celery's own would keep trying in the request."""
    return redis.Redis.from_url(settings.ENV.cache_url, socket_connect_timeout=1, socket_timeout=1)


def redis_is_expected() -> bool:
    """Whether a Redis should answer: the embedded one is started, and removed, with the site."""
    return settings.ENV.redis_url is not None or bool(settings.ENV.redis_socket.exists())


def message_send(job_id: uuid.UUID) -> None:
    """Send the message for one job; raises redis.RedisError or OSError at once when Redis is away."""
    _probe().ping()
    current_app.send_task(RUN_JOB, args=[str(job_id)], retry=False, expires=600)


def messages_waiting() -> int:
    """How many messages no worker has taken yet; raises like ``message_send``."""
    return int(_probe().llen(current_app.conf.task_default_queue))
