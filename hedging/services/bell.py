"""The bell: a Celery message that carries a job id and nothing else."""

from __future__ import annotations

import uuid

from celery import current_app

RUN_JOB = "hedging.run_job"


def send(job_id: uuid.UUID) -> None:
    """Ring for one job; raises when Redis is away, without retrying in the request."""
    current_app.send_task(RUN_JOB, args=[str(job_id)], retry=False, expires=600)
