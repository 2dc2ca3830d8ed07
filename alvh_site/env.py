"""The environment, read once and typed: every setting a deployment may change."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

#: Linux limits a unix socket path to 108 bytes including the terminator.
_SOCKET_PATH_MAX = 107

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Environment:
    """Typed view of the process environment. See the configuration table in README.md."""

    base_dir: Path
    state_dir: Path
    port: int
    debug: bool
    secret_key: str
    allowed_hosts: tuple[str, ...]
    database_url: str
    redis_url: str | None
    public_url: str
    email_url_backend: str
    https: bool
    worker_processes: int
    log_json: bool

    @property
    def redis_socket(self) -> Path:
        """Socket of the embedded Redis; moved to the temp folder when the path is too long."""
        wanted = self.state_dir / "redis" / "redis.sock"
        if len(str(wanted).encode()) <= _SOCKET_PATH_MAX:
            return wanted
        digest = blake2b(str(self.state_dir).encode(), digest_size=8).hexdigest()
        return Path(tempfile.gettempdir()) / f"alvh-{digest}" / "redis.sock"

    @property
    def cache_url(self) -> str:
        """URL in the form the redis client reads."""
        return self.redis_url or f"unix://{self.redis_socket}"

    @property
    def broker_url(self) -> str:
        """URL in the form Celery's transport reads."""
        return self.redis_url or f"redis+socket://{self.redis_socket}"


def _flag(environ: Mapping[str, str], name: str, default: bool) -> bool:
    raw = environ.get(name)
    if raw is None:
        return default
    value = raw.strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {raw!r}")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    raw = environ.get(name, "").strip() or str(default)
    if not raw.isdecimal():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}")
    return int(raw)


def _secret_key(environ: Mapping[str, str], state_dir: Path) -> str:
    """The given key, or one made on first start and kept beside the data."""
    given = environ.get("SECRET_KEY", "").strip()
    if given:
        return given
    path = state_dir / "secret_key"
    if not path.exists():
        state_dir.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # first writer wins when several processes start at once
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def read_environment(environ: Mapping[str, str], base_dir: Path) -> Environment:
    """Parse the environment or raise ImproperlyConfigured naming the variable."""
    state_dir = Path(environ.get("STATE_DIR") or base_dir / "var").expanduser().resolve()
    port = _number(environ, "PORT", 8000)
    hosts = tuple(h.strip() for h in environ.get("ALLOWED_HOSTS", "").split(",") if h.strip())
    return Environment(
        base_dir=base_dir,
        state_dir=state_dir,
        port=port,
        debug=_flag(environ, "DEBUG", False),
        secret_key=_secret_key(environ, state_dir),
        allowed_hosts=hosts or ("127.0.0.1", "localhost", "[::1]"),
        database_url=environ.get("DATABASE_URL", "").strip() or f"sqlite:///{state_dir / 'alvh.sqlite3'}",
        redis_url=environ.get("REDIS_URL", "").strip() or None,
        public_url=environ.get("PUBLIC_URL", "").strip() or f"http://127.0.0.1:{port}",
        email_url_backend=environ.get("EMAIL_BACKEND", "").strip()
        or "django.core.mail.backends.console.EmailBackend",
        https=_flag(environ, "HTTPS", False),
        worker_processes=max(1, _number(environ, "WORKERS", min(os.cpu_count() or 1, 4))),
        log_json=_flag(environ, "LOG_JSON", False),
    )
