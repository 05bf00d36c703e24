"""Strict readers of environment variables: a wrong value stops the start with a sentence, never a guess."""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SAMPLES = (
    "changeme", "change-me", "change_me", "secret", "insecure", "sample", "example", "password", "replace", "your-key"
)  # fmt: skip
HOW = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))"'
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def text(name: str, default: str | None = None) -> str:
    """The value of `name`; without a default it must be set and not empty."""
    value = os.environ.get(name, default)
    if value is None or (default is None and not value.strip()):
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def secret(name: str) -> str:
    """A secret that nobody guesses: at least 32 bytes, no sample of any documentation, not the same few characters."""
    value = text(name)
    if any(word in value.lower() for word in SAMPLES):
        raise ImproperlyConfigured(f"{name} looks like a sample. {HOW}")
    if len(value.encode()) < 32:
        raise ImproperlyConfigured(f"{name} is too short: it must have at least 32 bytes. {HOW}")
    if len(set(value)) < 10 or value in (value + value)[1:-1]:
        raise ImproperlyConfigured(f"{name} can be guessed: it repeats the same few characters. {HOW}")
    return value


def never(*switches: str) -> None:
    """Switches that must not be on here."""
    for name in switches:
        if os.environ.get(name, "").strip().lower() not in FALSE | {""}:
            raise ImproperlyConfigured(f"{name} is set. Production shows no debugging pages: take it away.")


def hosts(name: str) -> list[str]:
    """Host names without schemes, ports or a name that stands for all of them."""
    found = names(name)
    for one in found:
        if "*" in one or "/" in one or one in {".", ""} or (":" in one and not one.startswith("[")):
            raise ImproperlyConfigured(f"{name} must hold plain host names such as review.example.org, not {one!r}.")
    if not found:
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return found


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number within `low..high`."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must lie in {low}..{high}, not {value}.")
    return value


def flag(name: str, default: bool) -> bool:
    """A switch: 1/true/yes/on or 0/false/no/off."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.lower() in TRUE:
        return True
    if raw.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be one of 1, true, yes, on, 0, false, no, off; not {raw!r}.")


def names(name: str, default: str | None = None) -> list[str]:
    """A comma-separated list without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def networks(name: str, default: str = "") -> list[str]:
    """Addresses and networks with commas between, such as `10.0.0.5,192.168.7.0/24`."""
    found = names(name, default)
    for one in found:
        try:
            ip_network(one, strict=False)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must hold addresses or networks, not {one!r}.") from None
    return found


def folder(name: str, default: Path) -> Path:
    """A directory; it is not created here, because importing settings does no I/O."""
    return Path(os.environ.get(name) or default)


def database(name: str, default: str | None = None) -> dict[str, Any]:
    """A `postgresql://user:password@host:port/name?option=value` address as a Django database."""
    parts = urlsplit(text(name, default))
    if parts.scheme not in {"postgresql", "postgres"} or len(parts.path) < 2:
        raise ImproperlyConfigured(f"{name} must look like postgresql://user:password@host:5432/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
