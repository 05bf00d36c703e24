"""PostgreSQL, Redis and any number of processes. Refuses to start without its secrets."""

from . import env
from .base import *  # noqa: F403
from .base import SECONDLOOK, STORAGES

env.never("DEBUG", "DJANGO_DEBUG", "SECONDLOOK_DEBUG")
SECRET_KEY = env.secret("SECONDLOOK_SECRET_KEY")
ALLOWED_HOSTS = env.hosts("SECONDLOOK_HOSTS")
# ".example.org" allows every host below it; an origin writes that as "*.example.org".
CSRF_TRUSTED_ORIGINS = [f"https://{'*' if host.startswith('.') else ''}{host}" for host in ALLOWED_HOSTS]

DATABASES = {"default": env.database("SECONDLOOK_DATABASE_URL")}
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 1,
    "max_size": env.integer("SECONDLOOK_DATABASE_POOL", 8, low=1, high=100),
    "timeout": 5,
}
# A server that takes the connection and then says nothing must not hold a thread for ever.
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 5)
# In a command of the owning role (deploy/cli.py) this names the role that the server runs under.
RUNNING = env.database("SECONDLOOK_RUNNING_DATABASE_URL", "postgresql://@/none")
REDIS_URL = env.text("SECONDLOOK_REDIS_URL")
# One that takes the connection and then says nothing is as good as gone after a second.
REDIS_LIMITS = {"socket_timeout": 1, "socket_connect_timeout": 1}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL} | REDIS_LIMITS]},
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": REDIS_LIMITS,
    }
}

STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SECURE_SSL_REDIRECT = env.flag("SECONDLOOK_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_SECURE = True
KNOWN_BROWSER_COOKIE = "__Host-browser"
CSRF_COOKIE_NAME = "__Host-csrftoken"
SECONDLOOK = SECONDLOOK | {
    "EMBEDDED": False,
    # The proxy of the reference deployment is on this machine.
    "TRUSTED_PROXIES": env.networks("SECONDLOOK_TRUSTED_PROXIES", "127.0.0.1,::1"),
    "RUNTIME_ROLE": RUNNING["USER"],
    "RUNTIME_PASSWORD": RUNNING["PASSWORD"],
    "AUDIT_KEY": env.text("SECONDLOOK_AUDIT_KEY"),
    "AUDIT_ANCHORS": env.names("SECONDLOOK_AUDIT_ANCHORS"),
}
