"""How a run on both databases is shared out among xdist workers.

A test that uses Django's database runs on PostgreSQL and on SQLite; so does one marked ``each_database``,
which starts databases of its own and means every kind. All others run once: no database lies under
mathematics, parsers and linters, and pages in a browser or killed processes do not depend on its kind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

DATABASES = ("sqlite", "postgres")
#: Fixtures through which pytest-django opens the database.
OPENERS = {"db", "transactional_db", "live_server"}
#: Marks of tests that run once although a database may lie under them.
ONCE = ("browser", "worker")
#: The parameter's name, and how it shows in a test's id.
PARAMETER = "database_kind"
_KIND = re.compile(r"\[(sqlite|postgres)[\]-]")
#: Folders whose files take minutes each: begun first, so that no worker is left with one at the end.
LONG = ("tests/browser", "tests/hedging/jobs/", "tests/security/", "tests/journal/own_data/")


def on_each_database(metafunc: pytest.Metafunc) -> None:
    """Make a test of both databases two tests."""
    definition = metafunc.definition
    if any(definition.get_closest_marker(name) for name in ONCE):
        return
    opens = definition.get_closest_marker("django_db") or OPENERS & set(metafunc.fixturenames)
    if opens or definition.get_closest_marker("each_database"):
        metafunc.fixturenames.append(PARAMETER)
        metafunc.parametrize(PARAMETER, DATABASES, scope="session")


class Sharing:
    """Registers the scheduler with xdist."""

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> ByDatabase:
        """xdist asks for this once a run."""
        return ByDatabase(config, log)


class ByDatabase(LoadScopeScheduling):
    """Hands out files, each to a worker that stands on the database its tests ask for."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith("tests/browser/"):  # one site serves them all
            return "tests/browser"
        kind = _KIND.search(nodeid)
        return f"{path}@{kind[1]}" if kind else path

    def schedule(self) -> None:
        """Order the work once, then give every worker some."""
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                return
            self.collection = list(next(iter(self.registered_collections.values())))
            units: dict[str, dict[str, bool]] = {}
            for nodeid in self.collection:
                units.setdefault(self._split_scope(nodeid), {})[nodeid] = False
            for scope in sorted(units, key=lambda name: (not name.startswith(LONG), -len(units[name]))):
                self.workqueue[scope] = units[scope]
        for node in self.nodes:
            self._reschedule(node)

    def _reschedule(self, node: WorkerController) -> None:
        """Keep more than two tests before a worker, or let it end when nothing is left for it."""
        while not node.shutting_down and self._pending_of(self.assigned_work[node]) <= 2:
            scope = next((name for name in self.workqueue if _fits(name, node)), None)
            if scope is None:
                node.shutdown()
                return
            self.workqueue.move_to_end(scope, last=False)
            self._assign_work_unit(node)


def _fits(scope: str, node: WorkerController) -> bool:
    kind = scope.partition("@")[2]
    return not kind or kind == node.gateway.spec.env["ALVH_TEST_DB"]
