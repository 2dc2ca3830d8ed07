"""The suite runs against real servers."""

from __future__ import annotations

import os
import time

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection

from tests.clock.sitecustomize import OFFSET


@pytest.mark.django_db
def test_the_database_is_the_one_asked_for() -> None:
    expected = {"sqlite": "sqlite", "postgres": "postgresql"}[os.environ.get("ALVH_TEST_DB", "sqlite")]
    assert connection.vendor == expected


def test_the_cache_is_a_real_redis() -> None:
    cache.set("tests:ping", "pong", 5)
    assert cache.get("tests:ping") == "pong"


def test_this_process_stands_on_the_clock_of_the_run() -> None:
    away = time.time() - time_machine.escape_hatch.time.time()
    assert away == pytest.approx(float(os.environ[OFFSET]), abs=1)
