"""Settings are data: read from the environment, with the embedded engines as the default.

Nothing here starts a process or opens a connection.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from project import embedded
from project.secret import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = embedded.var_folder()
STORE = Path(os.environ.get("CONCORD_STORE", VAR / "store"))
# What `manage.py fetch_assets` has copied from npm packages.
VENDOR = Path(os.environ.get("CONCORD_VENDOR", VAR / "vendor"))

SECRET_KEY = secret_key()
DEBUG = os.environ.get("CONCORD_DEBUG", "") == "1"
ALLOWED_HOSTS = [
    host for host in os.environ.get("CONCORD_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",") if host
]
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("CONCORD_ORIGINS", "").split(",") if origin]
HTTPS = os.environ.get("CONCORD_HTTPS", "") == "1"
# How many proxies of ours stand before the web server. With none, X-Forwarded-For is what any client cares to write.
PROXIES = int(os.environ.get("CONCORD_PROXIES") or 0)

INSTALLED_APPS = [
    "annotation.screens.apps.ConcordAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "annotation",
    "workers",
    "project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "project.caching.KeepNothing",
    "csp.middleware.CSPMiddleware",
    "project.sessions.KeptSessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the admin's own, whose outer template one of ours replaces.
        "DIRS": [BASE_DIR / "annotation" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """Django's settings for a `postgresql://user[:password]@host[:port]/name?host=/socket/folder` URL."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [unquote(parts.hostname or "")])[0],
        "PORT": str(parts.port or query.get("port", [""])[0]),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


_engines = embedded.engine_urls()
DATABASE_URL = os.environ.get("DATABASE_URL") or _engines.database_url
# Migrations run as the tables' owner, so that the application's own role cannot drop a trigger.
DATABASE_OWNER_URL = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL") or _engines.owner_url
REDIS_URL = os.environ.get("REDIS_URL") or _engines.redis_url
DATABASES = {"default": _database(DATABASE_URL), "owner": _database(DATABASE_OWNER_URL)}
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
# Numbers are read as 1,234,567 on pages; where a machine reads them, the template says `unlocalize`.
USE_THOUSAND_SEPARATOR = True
NUMBER_GROUPING = 3

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [("vendor", VENDOR)]
WHITENOISE_USE_FINDERS = True

SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
# Of one slide file that a browser sends; it is streamed to disk.
UPLOAD_MOST_BYTES = int(os.environ.get("CONCORD_UPLOAD_MOST_BYTES") or 20 * 1024**3)

# Where the heads of the ledgers are carried each day: a file that only grows, and people. Best on another machine.
ANCHOR_FILE = os.environ.get("CONCORD_ANCHOR_FILE", "")
ANCHOR_MAIL = [address.strip() for address in os.environ.get("CONCORD_ANCHOR_MAIL", "").split(",") if address.strip()]
EMAIL_HOST = os.environ.get("CONCORD_MAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("CONCORD_MAIL_PORT") or 25)
EMAIL_HOST_USER = os.environ.get("CONCORD_MAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("CONCORD_MAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("CONCORD_MAIL_TLS", "") == "1"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("CONCORD_MAIL_FROM", "concord@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["annotation.api.bodies.Json"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "annotation.api.pagination.Pages",
    "EXCEPTION_HANDLER": "annotation.api.errors.handle",
    "PAGE_SIZE": 100,
    "NUM_PROXIES": PROXIES,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Concord",
    "DESCRIPTION": "Whole-slide images into ground truth that can be defended.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Names for the schema's enums: several rows have a "state" and a "kind".
    "ENUM_NAME_OVERRIDES": {
        name: f"annotation.states.{name}"
        for name in (
            "AnswerKind FindingState JobKind JobState Method ModelState PassState RegionState Role Severity "
            "SlideState StudyState Task"
        ).split()
    }
    | {
        "AuditHalf": [("gate", "gate"), ("report", "report")],
        "LeaseKind": [("label", "label"), ("adjudicate", "adjudicate")],
    },
}

# One number bounds a job; the broker's visibility timeout lies above it, so that a running task is never handed out
# twice. What Redis loses, the sweep sends again from the rows.
TASK_HARD_LIMIT_SECONDS = 1800
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": TASK_HARD_LIMIT_SECONDS + 300,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 10,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    "health_check_interval": 25,
    "global_keyprefix": "concord:",
    # Publishing gives up in a fraction of a second; the row waits for the sweep.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = TASK_HARD_LIMIT_SECONDS
CELERY_TASK_SOFT_TIME_LIMIT = int(TASK_HARD_LIMIT_SECONDS * 0.9)
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_IMPORTS = ["workers.tasks"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s", "datefmt": "%H:%M:%S"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Beat's ticks would drown everything else; jobs speak for themselves in workers.base.
    "loggers": {name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat")}
    # At DEBUG Pillow writes out the metadata of every picture, names of people included.
    | {"PIL": {"level": "INFO"}},
    "root": {"handlers": ["console"], "level": os.environ.get("CONCORD_LOG_LEVEL", "INFO")},
}
