"""What every way of running shares. Importing it does no I/O; values come from the environment only."""

from pathlib import Path
from typing import Any

import structlog
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from . import env, oidc

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = env.folder("SECONDLOOK_DATA", BASE_DIR / "var")

DEBUG = False
ROOT_URLCONF = "deploy.urls"
ASGI_APPLICATION = "deploy.asgi.application"
WSGI_APPLICATION = "deploy.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "accounts",
    "inference",
    "review",
    "deploy",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "guardian",
    "auditlog",
    "channels",
    "django_htmx",
    "django_tasks_db",
    "lucide",
    "ninja",
]

MIDDLEWARE = [
    "deploy.proxies.TrustedProxiesMiddleware",
    "accounts.authentication.ClientAddressMiddleware",
    "deploy.middleware.RequestContextMiddleware",
    "deploy.middleware.HeadersMiddleware",
    "deploy.middleware.PlainRequestsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.callers.CallerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    # First: whoever is locked out is a visitor to the rules behind it.
    "deploy.middleware.LockMiddleware",
    "accounts.sign_in_rules.SignInRulesMiddleware",
    "deploy.middleware.PrivateAnswersMiddleware",
    "deploy.middleware.ErrorsMiddleware",
]

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
                "review.navigation.navigation",
            ],
        },
    }
]

AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
GUARDIAN_AUTO_PREFETCH = False
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_FORMS = {"login": "accounts.sign_in_forms.SignInForm"}
# Attempts are counted by accounts.throttle.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_ADAPTER = "accounts.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Second Look"
MFA_FORMS = {
    "authenticate": "accounts.sign_in_forms.CodeForm",
    "authenticate_webauthn": "accounts.sign_in_forms.PasskeyForm",
    "login_webauthn": "accounts.sign_in_forms.PasskeySignInForm",
}
KNOWN_BROWSER_COOKIE = "browser"
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "deploy.csrf.failure"

AUDITLOG_LOGENTRY_MODEL = "accounts.AuditEntry"
AUDITLOG_INCLUDE_ALL_MODELS = False
# Our entry replaces auditlog's own; without this its unused table would be made as well, and stand in the way.
MIGRATION_MODULES = {"auditlog": None}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(MEDIA_ROOT)}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "blob:", "data:"],
    "media-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20

# One JSON object per line, whatever stands in its values; Django's and our own loggers go the same way.
LOG_FIELDS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *LOG_FIELDS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
)
LOG_STREAM = "ext://sys.stderr"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": LOG_FIELDS,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "stream": LOG_STREAM, "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "daphne": {"level": "WARNING"},
        "django.tasks": {"level": "WARNING"},
        "django_tasks_db": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}

SECONDLOOK: dict[str, Any] = {
    "LEASE_SECONDS": env.integer("SECONDLOOK_LEASE_SECONDS", 120, low=2, high=3600),
    "AHEAD_SECONDS": env.integer("SECONDLOOK_AHEAD_SECONDS", 30, low=2, high=600),
    "HEARTBEAT_SECONDS": env.integer("SECONDLOOK_HEARTBEAT_SECONDS", 20, low=1, high=600),
    "MAX_EVIDENCE_BYTES": env.integer("SECONDLOOK_MAX_EVIDENCE_BYTES", 25_000_000, low=1000, high=500_000_000),
    # Of a clip: pixels of one frame (4K and a little), seconds, frames.
    "MAX_CLIP_PIXELS": env.integer("SECONDLOOK_MAX_CLIP_PIXELS", 9_000_000, low=10_000, high=40_000_000),
    "MAX_CLIP_SECONDS": env.integer("SECONDLOOK_MAX_CLIP_SECONDS", 120, low=1, high=3600),
    "MAX_CLIP_FRAMES": env.integer("SECONDLOOK_MAX_CLIP_FRAMES", 12_000, low=1, high=1_000_000),
    "TALLY_SECONDS": env.integer("SECONDLOOK_TALLY_SECONDS", 2, low=1, high=60),
    "METRICS_TOKEN": env.text("SECONDLOOK_METRICS_TOKEN", ""),
    "PARTIALS": str(DATA_DIR / "partials"),
    "MAX_PIXELS": env.integer("SECONDLOOK_MAX_PIXELS", 40_000_000, low=10_000, high=400_000_000),
    "MAX_EVENT_BYTES": env.integer("SECONDLOOK_MAX_EVENT_BYTES", 1_000_000, low=1000, high=20_000_000),
    # Pictures through the browser: what one upload may hold, also unpacked; one archive; what may lie in the staging
    # area of a site; how many uploads of a person may be open at once, and how long one may wait for its files.
    "UPLOAD_FILES": env.integer("SECONDLOOK_UPLOAD_FILES", 10_000, low=1, high=1_000_000),
    "UPLOAD_BYTES": env.integer("SECONDLOOK_UPLOAD_BYTES", 4_000_000_000, low=1000, high=10**13),
    "UPLOAD_ARCHIVE_BYTES": env.integer("SECONDLOOK_UPLOAD_ARCHIVE_BYTES", 500_000_000, low=1000, high=10**11),
    "UPLOAD_SITE_BYTES": env.integer("SECONDLOOK_UPLOAD_SITE_BYTES", 20_000_000_000, low=1000, high=10**13),
    "UPLOADS_PER_PERSON": env.integer("SECONDLOOK_UPLOADS_PER_PERSON", 5, low=1, high=1000),
    "UPLOAD_HOURS": env.integer("SECONDLOOK_UPLOAD_HOURS", 24, low=1, high=720),
    "MIN_FREE_BYTES": env.integer("SECONDLOOK_MIN_FREE_BYTES", 200_000_000, low=0, high=10**13),
    # How long a request may take until its answer begins; after that it is 503, and the thread is left to itself.
    "ANSWER_SECONDS": env.integer("SECONDLOOK_ANSWER_SECONDS", 30, low=1, high=600),
    "CONNECTIONS": env.integer("SECONDLOOK_CONNECTIONS", 1000, low=8, high=100_000),
    "CONNECTIONS_PER_ADDRESS": env.integer("SECONDLOOK_CONNECTIONS_PER_ADDRESS", 64, low=2, high=100_000),
    "SOCKETS_PER_ADDRESS": env.integer("SECONDLOOK_SOCKETS_PER_ADDRESS", 48, low=1, high=100_000),
    "REQUESTS_PER_SECOND": env.integer("SECONDLOOK_REQUESTS_PER_SECOND", 300, low=1, high=1_000_000),
    "TRUSTED_PROXIES": env.networks("SECONDLOOK_TRUSTED_PROXIES"),
    # Where nginx serves the media folder internally, such as "/_files/"; empty: this process sends files itself.
    "ACCEL_PREFIX": env.text("SECONDLOOK_ACCEL_PREFIX", ""),
    "SOCKETS_PER_PERSON": env.integer("SECONDLOOK_SOCKETS_PER_PERSON", 20, low=1, high=10_000),
    "LOCK_MINUTES": env.integer("SECONDLOOK_LOCK_MINUTES", 10, low=1, high=480),
    "PERSONAL_LOCK_MINUTES": env.integer("SECONDLOOK_PERSONAL_LOCK_MINUTES", 0, low=0, high=480),
    "SHIFT_HOURS": env.integer("SECONDLOOK_SHIFT_HOURS", 12, low=1, high=12),
    # The one address under which people reach this, such as https://review.example.org; links in invitations start so.
    "ADDRESS": env.text("SECONDLOOK_ADDRESS", "").rstrip("/"),
    "SSO_HOURS": env.integer("SECONDLOOK_SSO_HOURS", 8, low=1, high=12),
    "SSO": oidc.providers("SECONDLOOK_OIDC"),
    "REAUTH_MINUTES": env.integer("SECONDLOOK_REAUTH_MINUTES", 15, low=1, high=720),
    "SUPPORT_DESK": env.flag("SECONDLOOK_SUPPORT_DESK", False),
    # Only in commands of the role that owns the tables: which role the server runs under.
    "RUNTIME_ROLE": "",
    "RUNTIME_PASSWORD": "",
    "AUDIT_KEY": env.text("SECONDLOOK_AUDIT_KEY", ""),
    "AUDIT_OLD_KEYS": env.names("SECONDLOOK_AUDIT_OLD_KEYS", ""),
    "AUDIT_NAME": env.text("SECONDLOOK_AUDIT_NAME", ""),
    "AUDIT_ANCHORS": env.names("SECONDLOOK_AUDIT_ANCHORS", ""),
    "AUDIT_RETAIN_DAYS": env.integer("SECONDLOOK_AUDIT_RETAIN_DAYS", 3650, low=1, high=36500),
    # One pass over all stored files begins this often.
    "FILE_CHECK_HOURS": env.integer("SECONDLOOK_FILE_CHECK_HOURS", 24, low=1, high=720),
    "APPEND_ONLY": True,
    "DECODE_IN_CHILD": True,
}
