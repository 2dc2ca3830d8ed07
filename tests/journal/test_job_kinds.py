"""Job kinds are declared once: nothing else spells one, its title or the text of a scope."""

from __future__ import annotations

import ast
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse

from hedging.jobs import registry, scopes
from hedging.models import Job
from journal import job_kinds
from journal.selectors.jobs import job_page, job_title

ROOT = Path(__file__).resolve().parents[2]
SCOPES = ROOT / "hedging" / "jobs" / "scopes.py"


def product_files() -> Iterator[Path]:
    """The Python of the product without migrations."""
    for name in ("hedging", "journal", "alvh_site"):
        yield from (path for path in (ROOT / name).rglob("*.py") if "migrations" not in path.parts)


def spelled(path: Path) -> Iterator[str]:
    """Every text a file spells, but for the names of Celery's tasks, which are another list."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tasks = {
        id(node)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "shared_task"
        for node in ast.walk(call)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in tasks:
            yield node.value


def test_every_kind_is_spelled_once() -> None:
    files = [path for path in product_files() if path.name != "settings.py"]  # schedules of Celery's tasks
    found = Counter(text for path in files for text in spelled(path))
    assert {kind: found[kind] for kind in registry.kinds()} == dict.fromkeys(registry.kinds(), 1)
    assert len(registry.kinds()) >= 20


def test_texts_of_scopes_are_made_in_one_module() -> None:
    prefixes = (scopes._ACCOUNT, scopes._ACCOUNTS, scopes._USER)
    elsewhere = {
        str(path.relative_to(ROOT)): text
        for path in product_files()
        if path != SCOPES
        for text in spelled(path)
        if text in prefixes
    }
    assert elsewhere == {}


def test_every_kind_has_a_handler_a_title_and_a_page_that_exists() -> None:
    some = {"batch": uuid.uuid4(), "run": uuid.uuid4(), "version": uuid.uuid4()}
    order = {"format": "pdf", "date_from": "2026-01-01", "date_to": "2026-01-31"}
    for kind in registry.kinds():
        assert registry.handler_of(kind) is not None, kind
        job = Job(kind=kind, payload={**some, **order})
        assert job_title(job)[:1].isupper(), kind
        assert registry.declared(kind).page == "" or job_page(job).startswith("/"), kind  # type: ignore[union-attr]
    run = Job(kind=job_kinds.BACKTEST, payload={"run": some["run"]})
    assert job_page(run) == reverse("journal:backtest_run", args=[some["run"]])
    report = Job(kind=job_kinds.RENDER_REPORT, payload=order)
    assert job_title(report) == "PDF report, 2026-01-01 to 2026-01-31"


def test_a_job_of_another_version_is_shown_by_its_kind_and_has_no_page() -> None:
    job = Job(kind="journal.of_tomorrow", payload={})
    assert (job_title(job), job_page(job)) == ("journal.of_tomorrow", "")


def test_a_kind_is_neither_declared_twice_nor_handled_without_a_declaration() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        registry.job_kind(job_kinds.ADVISE, title="Again")
    with pytest.raises(ValueError, match="not declared"):
        registry.job_handler("journal.of_tomorrow")
    with pytest.raises(ValueError, match="has a handler"):
        registry.job_handler(job_kinds.ADVISE)


@pytest.mark.parametrize("scope", ["", "market", "account:", "account:weather", "accounts:1", "user:"])
def test_a_scope_that_names_no_account_and_no_login_gives_none(scope: str) -> None:
    assert scopes.account_id_of(scope) is None
    assert scopes.user_id_of(scope) is None


def test_scopes_are_read_back_as_they_were_made() -> None:
    key = uuid.uuid4()
    assert scopes.account_id_of(scopes.account_scope(key)) == key
    assert scopes.user_id_of(scopes.user_scope(key)) == key
    assert scopes.account_id_of(scopes.user_scope(key)) is None
    assert scopes.account_id_of(scopes.accounts_scope(key)) is None
