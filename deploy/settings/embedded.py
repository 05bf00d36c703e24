"""One process on one machine: SQLite, in-memory channel layer and cache, files under the data folder.

The command line puts SECONDLOOK_SECRET_KEY into the environment from the data folder before this is imported.
"""

from . import env
from .base import *  # noqa: F403
from .base import DATA_DIR, LOGGING, SECONDLOOK

SECRET_KEY = env.text("SECONDLOOK_SECRET_KEY")
ALLOWED_HOSTS = env.names("SECONDLOOK_HOSTS", "localhost,127.0.0.1,[::1]")
DATABASES = {
    "default": {
        "ENGINE": "deploy.sqlite",
        "NAME": DATA_DIR / "secondlook.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000; "
                "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;"
            ),
        },
    }
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0
SECONDLOOK = SECONDLOOK | {
    "EMBEDDED": True,
    # Beside the data it proves nothing against who holds the machine; it finds mistakes and lost tails.
    "AUDIT_ANCHORS": SECONDLOOK["AUDIT_ANCHORS"] or [f"file:{DATA_DIR.absolute()}/audit-anchor.txt"],
}
# `serve --lan` sets this: everything goes over TLS, so cookies go nowhere else.
if env.flag("SECONDLOOK_TLS", False):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    # A browser that remembers it for a private name shuts people out when the certificate or the name changes.
    SECURE_HSTS_SECONDS = env.integer("SECONDLOOK_HSTS_SECONDS", 0, low=0, high=63_072_000)

# The console belongs to the person who started it; the log goes beside the data, bounded.
LOGGING = LOGGING | {
    "handlers": {
        "console": {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": str(DATA_DIR / "server.log"),
            "maxBytes": 10_000_000,
            "backupCount": 3,
            "delay": True,
            "encoding": "utf-8",
            "formatter": "json",
        }
    }
}
