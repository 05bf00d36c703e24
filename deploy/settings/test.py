"""For the suite: SQLite by default; PostgreSQL and the Redis channel layer when the environment names them."""

import base64
import os
import tempfile
from pathlib import Path

from . import env
from .base import *  # noqa: F403
from .base import LOGGING, SECONDLOOK, STORAGES

SECRET_KEY = "only-for-the-suite-" + "x" * 40
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
MEDIA_ROOT = Path(tempfile.gettempdir()) / f"secondlook-test-media-{os.getpid()}"
STORAGES = STORAGES | {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(MEDIA_ROOT)}}
}
if os.environ.get("SECONDLOOK_TEST_DATABASE_URL"):
    DATABASES = {"default": env.database("SECONDLOOK_TEST_DATABASE_URL")}
else:
    DATABASES = {
        "default": {
            "ENGINE": "deploy.sqlite",
            "NAME": Path(tempfile.gettempdir()) / f"secondlook-test-{os.getpid()}.sqlite3",
            "TEST": {"NAME": Path(tempfile.gettempdir()) / f"secondlook-test-{os.getpid()}.sqlite3"},
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
            },
        }
    }
if os.environ.get("SECONDLOOK_TEST_REDIS_URL"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [env.text("SECONDLOOK_TEST_REDIS_URL")]},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
WHITENOISE_USE_FINDERS = True
# Static files are looked for when they are asked for, and not all of them by each of the suite's clients.
WHITENOISE_AUTOREFRESH = True
LOGGING = LOGGING | {"root": {"handlers": [], "level": "CRITICAL"}}
# Transactional tests empty tables, which the append-only triggers forbid; the tests of the triggers switch them on.
SECONDLOOK = SECONDLOOK | {
    "AUDIT_KEY": base64.b64encode(b"only for the suite, for sealing.").decode(),
    "AUDIT_ANCHORS": [f"file:{tempfile.gettempdir()}/secondlook-test-anchor-{os.getpid()}.txt"],
}
SECONDLOOK = SECONDLOOK | {
    "EMBEDDED": True,
    "SUPPORT_DESK": True,
    "APPEND_ONLY": False,
    "DECODE_IN_CHILD": False,
    "MIN_FREE_BYTES": 0,
    "TALLY_SECONDS": 0,
    "PARTIALS": f"{tempfile.gettempdir()}/secondlook-test-partials-{os.getpid()}",
}
