"""The environment, read once and typed: every setting a deployment may change."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

#: Linux limits a unix socket path to 108 bytes including the terminator.
_SOCKET_PATH_MAX = 107

#: Where market files are fetched from; each can be replaced, also by a mirror of one's own.
_MARKET_URLS = {
    "cboe_quotes": "https://cdn-api.cboe.com/api/global/delayed_quotes/options",
    "cboe_history": "https://cdn-api.cboe.com/api/global/us_indices/daily_prices",
    "cfe_contracts": "https://cdn.cboe.com/data/us/futures/market_statistics/historical_data/VX",
    "cfe_settlements": "https://www-api.cboe.com/us/futures/market_statistics/settlement/csv",
    "fred": "https://fred.stlouisfed.org/graph/fredgraph.csv",
}

#: Hosts of a site that only its own machine reaches, and who may make a login.
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_SIGNUPS = {"open", "invite", "closed"}

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
    trusted_proxies: int
    worker_processes: int
    log_json: bool
    market_fetch: bool
    market_user_agent: str
    market_timeout: int
    market_urls: Mapping[str, str]
    market_csv: tuple[tuple[str, str], ...]
    email_url: str = ""
    alert_webhook_private: bool = False
    signup: str = "open"

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


def _url(environ: Mapping[str, str], name: str, default: str) -> str:
    """An http(s) address without a slash at its end."""
    url = environ.get(name, "").strip() or default
    if not url.startswith(("https://", "http://")):
        raise ImproperlyConfigured(f"{name} must start with https:// or http://, not {url!r}")
    return url.rstrip("/")


def _csv_sources(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Further CSV addresses: ``SYMBOL=https://…``, separated by white space."""
    found = []
    for entry in environ.get("MARKET_CSV_URLS", "").split():
        symbol, equals, url = entry.partition("=")
        if not equals or not symbol or not url.startswith(("https://", "http://")):
            raise ImproperlyConfigured(f"MARKET_CSV_URLS holds {entry!r}, not SYMBOL=https://…")
        found.append((symbol.upper(), url))
    return tuple(found)


def _signup(environ: Mapping[str, str], public_url: str) -> str:
    """Who may make a login: ``open``, by ``invite``, or nobody (``closed``); open on loopback alone."""
    host = urlsplit(public_url).hostname or ""
    given = environ.get("SIGNUP", "").strip() or ("open" if host in _LOOPBACK else "invite")
    if given not in _SIGNUPS:
        raise ImproperlyConfigured(f"SIGNUP must be open, invite or closed, not {given!r}")
    return given


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
    public_url = environ.get("PUBLIC_URL", "").strip() or f"http://127.0.0.1:{port}"
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
        public_url=public_url,
        email_url_backend=environ.get("EMAIL_BACKEND", "").strip()
        or f"django.core.mail.backends.{'smtp' if environ.get('EMAIL_URL') else 'console'}.EmailBackend",
        https=_flag(environ, "HTTPS", False),
        trusted_proxies=_number(environ, "TRUSTED_PROXIES", int(_flag(environ, "HTTPS", False))),
        worker_processes=max(1, _number(environ, "WORKERS", min(os.cpu_count() or 1, 4))),
        log_json=_flag(environ, "LOG_JSON", False),
        market_fetch=_flag(environ, "MARKET_FETCH", False),
        market_user_agent=environ.get("MARKET_USER_AGENT", "").strip() or "alvh-journal/0.1",
        market_timeout=max(1, _number(environ, "MARKET_TIMEOUT", 20)),
        market_urls={
            name: _url(environ, f"MARKET_{name.upper()}_URL", default)
            for name, default in _MARKET_URLS.items()
        },
        market_csv=_csv_sources(environ),
        email_url=environ.get("EMAIL_URL", "").strip(),
        signup=_signup(environ, public_url),
        alert_webhook_private=_flag(environ, "ALERT_WEBHOOK_PRIVATE", False),
    )
