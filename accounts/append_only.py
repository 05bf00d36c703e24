"""Rows that stay as they were written, whoever asks: the database itself refuses to change or remove them.

Triggers are made after every `migrate`, because SQLite loses them when a migration rebuilds a table. They stop this
application, its shell and its bugs. They do not stop somebody who may alter tables; in production the role that the
server runs under may not (docs/append-only.md). Refusals are IntegrityError on both databases.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# By label, because most of them belong to apps above this one.
PROTECTED = (
    "accounts.Anchoring",
    "accounts.AuditEntry",
    "accounts.Checkpoint",
    "accounts.Leaf",
    "accounts.LeafNode",
    "review.Event",
    "review.Opening",
    "review.Reopening",
    "review.Retraction",
    "review.Routing",
    "review.SequencedOutcome",
    "review.Verdict",
)
PREFIX = "append_only"
POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION secondlook_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def after_migrate(*, using: str, **_signal: Any) -> None:
    """Bring the triggers in line with the settings; the receiver of Django's `post_migrate`."""
    connection = connections[using]
    if settings.SECONDLOOK["APPEND_ONLY"]:
        install(connection)
    else:
        remove(connection)


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers that are missing on the protected tables that exist."""
    wanted = {name: sql for table in tables(connection) for name, sql in triggers(connection.vendor, table).items()}
    missing = wanted.keys() - present(connection)
    if not missing:
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRES_FUNCTION)
        for name in sorted(missing):
            cursor.execute(wanted[name])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take all of the triggers away."""
    names = present(connection)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for table in tables(connection):
            for name in sorted(names & triggers(connection.vendor, table).keys()):
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP TRIGGER "{name}"{on}')


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """The one sanctioned way round: without the triggers inside one transaction, for data migrations and erasure.

    Whoever uses it writes an audit entry in the same transaction. On any error the triggers were never away.
    """
    with transaction.atomic(using=connection.alias):
        there = bool(present(connection))
        remove(connection)
        yield
        if there:
            install(connection)


def tables(connection: BaseDatabaseWrapper) -> list[str]:
    """The protected tables that exist by now."""
    existing = set(connection.introspection.table_names())
    named = [apps.get_model(label)._meta.db_table for label in PROTECTED]
    return [table for table in named if table in existing]


def present(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of our triggers in the database."""
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
        ),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall() if name.startswith(PREFIX)}


def triggers(vendor: str, table: str) -> dict[str, str]:
    """The statements that make a table's triggers, by the triggers' names."""
    if vendor == "postgresql":
        rows, whole = f"{PREFIX}_{table}_rows", f"{PREFIX}_{table}_truncate"
        run = "EXECUTE FUNCTION secondlook_append_only()"
        return {
            rows: f'CREATE TRIGGER "{rows}" BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW {run}',
            whole: f'CREATE TRIGGER "{whole}" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT {run}',
        }
    said = f"SELECT RAISE(ABORT, 'rows of {table} are append-only');"
    return {
        f"{PREFIX}_{table}_{verb.lower()}": (
            f'CREATE TRIGGER "{PREFIX}_{table}_{verb.lower()}" BEFORE {verb} ON "{table}" BEGIN {said} END'
        )
        for verb in ("UPDATE", "DELETE")
    }
