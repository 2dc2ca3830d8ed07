"""Django settings: one module, everything variable comes from alvh_site.env."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF

from alvh_site.env import read_environment
from alvh_site.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = read_environment(os.environ, BASE_DIR)

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = list(ENV.allowed_hosts)
CSRF_TRUSTED_ORIGINS = [ENV.public_url] if ENV.https else []
STATE_DIR = ENV.state_dir
PUBLIC_URL = ENV.public_url
SIGNUP = ENV.signup

INSTALLED_APPS = [
    "journal",
    "hedging",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "journal.middleware.BodySizeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "journal.middleware.BadInputMiddleware",
]

ROOT_URLCONF = "alvh_site.urls"
WSGI_APPLICATION = "alvh_site.wsgi.application"
ASGI_APPLICATION = "alvh_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "journal.context.shell",
            ],
        },
    }
]


def _database() -> dict[str, Any]:
    """SQLite in WAL with IMMEDIATE transactions, or PostgreSQL, from one URL."""
    config: dict[str, Any] = dict(dj_database_url.parse(ENV.database_url))
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # Tests use a file too: threads and live servers then behave as in production.
        config["TEST"] = {"NAME": str(ENV.state_dir / "test.sqlite3")}
    else:
        config["CONN_HEALTH_CHECKS"] = True
        config["CONN_MAX_AGE"] = 60
    config["ATOMIC_REQUESTS"] = False
    return config


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENV.cache_url,
    }
}

# -- people -----------------------------------------------------------------------------
AUTH_USER_MODEL = "journal.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "journal:dashboard"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = "strict"  # an e-mail that is taken signs up as one that is not
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if ENV.https else "http"
ACCOUNT_ADAPTER = "journal.adapters.AccountAdapter"
ALLAUTH_TRUSTED_PROXY_COUNT = ENV.trusted_proxies
MFA_ADAPTER = "journal.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "journal.forms.passkeys.PasskeyForm",
    "login_webauthn": "journal.forms.passkeys.PasskeyLoginForm",
    "authenticate_webauthn": "journal.forms.passkeys.PasskeyFactorForm",
    "reauthenticate_webauthn": "journal.forms.passkeys.PasskeyConfirmForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = not ENV.email_url  # without mail nobody could verify an address
EMAIL_BACKEND = ENV.email_url_backend
if ENV.email_url:  # smtp://user:password@host:587, or smtps:// for TLS from the start
    _mail = urlsplit(ENV.email_url)
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = not EMAIL_USE_SSL and EMAIL_PORT == 587
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = "ALVH Journal <no-reply@localhost>"

# -- language and time ------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "America/New_York"

# -- files ------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = ENV.state_dir / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns about a missing folder
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = ENV.state_dir / "files"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# -- web safety -------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
if ENV.https:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"

# -- API --------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "journal.api.parsing.BoundedJsonParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "journal.api.pagination.CountedPages",
    "PAGE_SIZE": 50,
    "COERCE_DECIMAL_TO_STRING": True,
    "EXCEPTION_HANDLER": "journal.api.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ALVH Journal API",
    "DESCRIPTION": "Accounts, trades, hedge layers, valuations, reports and jobs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "AccountKindEnum": "journal.models.Account.Kind",
        "TradeKindEnum": "journal.models.Trade.Kind",
        "TradeStatusEnum": "journal.models.Trade.Status",
        "CashKindEnum": "journal.models.CashEntry.Kind",
        "ApprovalKindEnum": "journal.models.ApprovalChange.Kind",
        "ApprovalStatusEnum": "journal.models.ApprovalChange.Status",
        "TradeInputKindEnum": (("condor", "condor"), ("other", "other")),
    },
}

# -- jobs (design: database owns the job, Redis notifies workers) --------------------------
CELERY_BROKER_URL = ENV.broker_url
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 900
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "health_check_interval": 5,
}
CELERY_TIMEZONE = "America/New_York"
CELERY_BEAT_SCHEDULE_FILENAME = str(ENV.state_dir / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "worker-heartbeat": {
        "task": "hedging.heartbeat",
        "schedule": timedelta(seconds=10),
        "options": {"expires": 9},
    },
    "revalue-on-new-data": {
        "task": "journal.revalue",
        "schedule": timedelta(seconds=60),
        "options": {"expires": 55},
    },
    "advise-on-new-inputs": {
        "task": "journal.advise",
        "schedule": timedelta(seconds=60),
        "options": {"expires": 55},
    },
    "scheduled-reports": {
        "task": "journal.reports_due",
        "schedule": timedelta(minutes=10),
        "options": {"expires": 590},
    },
    "delete-due-logins": {
        "task": "journal.delete_due",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3500},
    },
}
# -- market data (off unless asked for: nothing leaves the machine by itself) ------------
MARKET_FETCH = ENV.market_fetch
MARKET_USER_AGENT = ENV.market_user_agent
MARKET_TIMEOUT = ENV.market_timeout
MARKET_URLS = ENV.market_urls
MARKET_CSV = ENV.market_csv
MARKET_BACKOFF_SECONDS = 1.0
CELERY_BEAT_SCHEDULE |= {
    "market-quality": {
        "task": "hedging.market_quality",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 290},
    },
    "market-retention": {
        "task": "hedging.market_retain",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600},
    },
}
if MARKET_FETCH:
    CELERY_BEAT_SCHEDULE |= {
        # Quotes are delayed by 15 minutes; the last round catches the close.
        "market-fetch-quotes": {
            "task": "hedging.market_fetch",
            "schedule": crontab(minute="*/15", hour="9-16", day_of_week="mon-fri"),
            "args": ("quotes",),
            "options": {"expires": 840},
        },
        "market-fetch-close": {
            "task": "hedging.market_fetch",
            "schedule": crontab(minute=15, hour="17,19,21", day_of_week="mon-fri"),
            "args": ("close",),
            "options": {"expires": 3600},
        },
        "market-fetch-macro": {
            "task": "hedging.market_fetch",
            "schedule": crontab(minute=20, hour="9,17", day_of_week="mon-fri"),
            "args": ("macro",),
            "options": {"expires": 3600},
        },
    }

WORKER_PROCESSES = ENV.worker_processes
JOB_LEASE_SECONDS = int(os.environ.get("JOB_LEASE_SECONDS", "15"))
JOB_MAX_ATTEMPTS = 3

# -- logs -------------------------------------------------------------------------------
LOGGING = logging_config(json=ENV.log_json)
DJANGO_STRUCTLOG_CELERY_ENABLED = True

# -- demo -------------------------------------------------------------------------------
DEMO_LOGINS = (
    ("demo", "demo-journal", ()),
    ("risk", "demo-risk", ("risk-officer",)),
    ("second", "demo-second", ("risk-officer",)),
)
