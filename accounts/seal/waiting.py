"""How a row comes to wait for its leaf: a trigger of the database, in the transaction that writes the row.

So it does not matter when a transaction commits, what its clock says or in which order keys were given out: what is
committed waits, and what is not does not. The triggers are made after every `migrate`, as SQLite loses them when a
migration rebuilds a table.
"""

from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models.seal import Leaf, Unsealed
from accounts.seal.kinds import KINDS, Kind

PREFIX = "unsealed"
POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION secondlook_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_unsealed (kind, "row")
    VALUES (TG_ARGV[0], CASE TG_ARGV[1] WHEN 'uuid' THEN replace(NEW.id::text, '-', '') ELSE NEW.id::text END);
    RETURN NULL;
END $$
"""


def after_migrate(*, using: str, **_signal: Any) -> None:
    """The receiver of Django's `post_migrate`."""
    install(connections[using])


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers that are missing; rows from before the first one are set waiting."""
    existing = set(connection.introspection.table_names())
    if Unsealed._meta.db_table not in existing:
        return
    missing = [kind for kind in KINDS.values() if kind.table._meta.db_table in existing - present(connection)]
    for kind in missing:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in statements(connection.vendor, kind):
                cursor.execute(statement)
            enrol(connection, kind)


def enrol(connection: BaseDatabaseWrapper, kind: Kind) -> None:
    """Set the rows of a kind waiting that were there before the log was; never when the log knows the kind already."""
    known = Leaf.objects.using(connection.alias).filter(kind=kind.name)
    waiting = Unsealed.objects.using(connection.alias).filter(kind=kind.name)
    if known.exists() or waiting.exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO accounts_unsealed (kind, "row") SELECT %s, {key_sql(connection.vendor, kind, "t")} '  # noqa: S608
            f'FROM "{kind.table._meta.db_table}" t ORDER BY t.id',
            [kind.name],
        )


def present(connection: BaseDatabaseWrapper) -> set[str]:
    """The tables that have the trigger."""
    query = {
        "sqlite": f"SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{PREFIX}%%'",  # noqa: S608
        "postgresql": (
            "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal "  # noqa: S608
            f"AND relnamespace = current_schema()::regnamespace AND tgname LIKE '{PREFIX}%%'"
        ),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query, [])
        return {table for (table,) in cursor.fetchall()}


def statements(vendor: str, kind: Kind) -> list[str]:
    """What makes the trigger of a kind."""
    table = kind.table._meta.db_table
    head = f'CREATE TRIGGER "{PREFIX}_{table}" AFTER INSERT ON "{table}" FOR EACH ROW'
    if vendor == "postgresql":
        arguments = f"'{kind.name}', '{'number' if kind.counts else 'uuid'}'"
        return [POSTGRES_FUNCTION, f"{head} EXECUTE FUNCTION secondlook_unsealed({arguments})"]
    insert = f"""INSERT INTO accounts_unsealed (kind, "row") VALUES ('{kind.name}', CAST(NEW.id AS text))"""  # noqa: S608
    return [f"{head} BEGIN {insert}; END"]


def key_sql(vendor: str, kind: Kind, table: str) -> str:
    """A row's key as `Leaf.row` writes it."""
    if vendor == "postgresql" and not kind.counts:
        return f"replace({table}.id::text, '-', '')"
    return f"CAST({table}.id AS text)"
