"""The suite runs against real servers."""

from __future__ import annotations

import os

import pytest
from django.core.cache import cache
from django.db import connection


@pytest.mark.django_db
def test_the_database_is_the_one_asked_for() -> None:
    expected = {"sqlite": "sqlite", "postgres": "postgresql"}[os.environ.get("ALVH_TEST_DB", "sqlite")]
    assert connection.vendor == expected


def test_the_cache_is_a_real_redis() -> None:
    cache.set("tests:ping", "pong", 5)
    assert cache.get("tests:ping") == "pong"
