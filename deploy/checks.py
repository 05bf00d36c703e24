"""What `manage.py check --deploy` looks at beside Django's own checks."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import OperationalError, connections

LOCAL = {"", "localhost", "127.0.0.1", "::1"}
SAFE_MODES = {"require", "verify-ca", "verify-full"}


@register(Tags.security, deploy=True)
def connections_are_private(**_options: Any) -> list[CheckMessage]:
    """Warn of a database or Redis on another machine whose traffic or door is open."""
    found: list[CheckMessage] = []
    database = settings.DATABASES["default"]
    host = str(database.get("HOST", ""))
    mode = database.get("OPTIONS", {}).get("sslmode", "prefer")
    if database["ENGINE"].endswith("postgresql") and is_remote(host) and mode not in SAFE_MODES:
        hint = "Add ?sslmode=verify-full (or require) to SECONDLOOK_DATABASE_URL."
        found.append(Warning(f"The database on {host} is reached without TLS.", hint=hint, id="secondlook.W001"))
    redis = urlsplit(getattr(settings, "REDIS_URL", ""))
    if is_remote(redis.hostname or "") and not redis.password:
        hint = "Give Redis a password and put it into SECONDLOOK_REDIS_URL; better use rediss:// as well."
        found.append(Warning(f"Redis on {redis.hostname} asks for no password.", hint=hint, id="secondlook.W002"))
    return found


def is_remote(host: str) -> bool:
    """Whether a name or address is another machine's; a path is a socket of this one."""
    return host not in LOCAL and not host.startswith("/")


@register(Tags.database, deploy=True)
def the_running_role_cannot_change_what_is_kept(
    databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """Look at the rights of the role that this process runs under. Only with `check --deploy --database default`."""
    from deploy.database import roles

    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        try:
            state = roles.state(connection, roles.current_role(connection))
        except OperationalError as error:
            found.append(Error(f"The database cannot be asked: {error}", id="secondlook.E002"))
            continue
        hint = "Run `manage.py database_roles --apply` with SECONDLOOK_MIGRATION_DATABASE_URL set."
        if state.changeable:
            names = ", ".join(state.changeable)
            said = f"The role that the server runs under can change or remove rows of: {names}."
            found.append(Error(said, hint=hint, id="secondlook.E001"))
        if state.unready:
            names = ", ".join(state.unready)
            found.append(Error(f"The running role lacks rights on: {names}.", hint=hint, id="secondlook.E003"))
    return found


@register(Tags.database)
def what_is_committed_is_kept(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Warn of a PostgreSQL that says "committed" before it is on stable storage. `migrate` looks at it each time."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        if connections[alias].vendor != "postgresql":
            continue
        for name in ("fsync", "synchronous_commit"):
            if shown(alias, name) == "off":
                said = f"PostgreSQL runs with {name}=off: a power cut can lose events that were acknowledged."
                hint = f"Set {name}=on for the server, the database and the role."
                found.append(Warning(said, hint=hint, id="secondlook.W003"))
    return found


def shown(alias: str, name: str) -> str:
    """A setting as it holds for the connections of this process; empty when the database cannot be asked."""
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_setting(%s)", [name])
            (value,) = cursor.fetchone()
    except OperationalError:
        return ""
    return str(value)
