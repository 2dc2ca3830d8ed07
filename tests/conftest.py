"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.examples import DEEP

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

    from journal.models import Account

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what only ``make test-deep`` runs out of other runs, where it was not asked for by its mark."""
    if DEEP or "deep" in config.getoption("markexpr"):
        return
    kept = [item for item in items if not item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real market data; absent outside the project's own machines."""
    folder = Path(os.environ.get("ALVH_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"real market data is not in {folder} (set ALVH_DATA)")
    return folder


@pytest.fixture(scope="module")
def _demo_of_module(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Account]:
    """A demo in a transaction around the module's tests: each of them is rolled back to it."""
    from django.db import transaction

    from journal.services.demo import demo_start
    from tests.journal.people import make_user

    with django_db_blocker.unblock(), transaction.atomic():
        yield demo_start(user=make_user("ann"))
        transaction.set_rollback(True)


@pytest.fixture
def demo_account(_demo_of_module: Account, db: None) -> Account:
    """The demo account of a user named ann, filled once for all tests of a module."""
    return type(_demo_of_module).objects.get(pk=_demo_of_module.pk)
