"""What the running role may do: read and add everywhere, change and delete except where rows are append-only."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import append_only

# The running role reads which migrations are in, and is never the one that writes it.
READ_ONLY = ("django_migrations",)
# Any way to change rows that are there: a right on the table or on one column, or being its owner.
CHANGEABLE = """
SELECT relname FROM pg_class
WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace AND (
    has_table_privilege(%s, oid, 'UPDATE') OR has_any_column_privilege(%s, oid, 'UPDATE')
    OR has_table_privilege(%s, oid, 'DELETE') OR has_table_privilege(%s, oid, 'TRUNCATE')
    OR has_table_privilege(%s, oid, 'TRIGGER') OR pg_has_role(%s, relowner, 'MEMBER')
) ORDER BY relname
"""
UNREADY = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND NOT (
    has_table_privilege(%s, oid, 'SELECT') AND (relname = ANY(%s) OR has_table_privilege(%s, oid, 'INSERT'))
    AND (relname = ANY(%s) OR (has_table_privilege(%s, oid, 'UPDATE') AND has_table_privilege(%s, oid, 'DELETE')))
) ORDER BY relname
"""


@dataclass(frozen=True)
class RoleState:
    """What is wrong with a role: tables it could change and must not, and tables it cannot use and must."""

    changeable: list[str]
    unready: list[str]

    @property
    def good(self) -> bool:
        return not self.changeable and not self.unready


def statements(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """The SQL that gives `role` its rights, for the owner of the tables to run in one transaction.

    Tables that come later are readable and can be added to at once, and nothing more until this has run again, which
    `migrate` does.
    """
    name, database = quote(role), quote(str(connection.settings_dict["NAME"]))
    schema = quote(scalar(connection, "SELECT current_schema()"))
    kept = [quote(table) for table in append_only.tables(connection)]
    lines = [
        f"GRANT CONNECT ON DATABASE {database} TO {name}",
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {name}",
        f"GRANT USAGE ON SCHEMA {schema} TO {name}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT ON TABLES TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {name}",
    ]
    if kept:
        lines.append(f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {', '.join(kept)} FROM {name}")
    there = set(connection.introspection.table_names())
    lines += [f"REVOKE INSERT, UPDATE, DELETE ON {quote(one)} FROM {name}" for one in READ_ONLY if one in there]
    return lines


def apply(connection: BaseDatabaseWrapper, role: str) -> None:
    """Give `role` its rights, all or none."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for line in statements(connection, role):
            cursor.execute(line)


def create(connection: BaseDatabaseWrapper, role: str, password: str) -> None:
    """Make a role that may sign in and nothing else."""
    from psycopg import sql

    made = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(sql.Identifier(role))
    if password:
        made += sql.SQL(" PASSWORD {}").format(sql.Literal(password))
    with connection.cursor() as cursor:
        cursor.execute(made.as_string(connection.connection))


def exists(connection: BaseDatabaseWrapper, role: str) -> bool:
    return bool(scalar(connection, "SELECT count(*) FROM pg_roles WHERE rolname = %s", role))


def state(connection: BaseDatabaseWrapper, role: str) -> RoleState:
    """Look at the rights that `role` has now."""
    kept = append_only.tables(connection)
    still = [*kept, *READ_ONLY]
    return RoleState(
        changeable=column(connection, CHANGEABLE, kept, *[role] * 6),
        unready=column(connection, UNREADY, role, list(READ_ONLY), role, still, role, role),
    )


def current_role(connection: BaseDatabaseWrapper) -> str:
    return str(scalar(connection, "SELECT current_user"))


def quote(name: str) -> str:
    """An identifier, whatever stands in it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def scalar(connection: BaseDatabaseWrapper, query: str, *values: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        (found,) = cursor.fetchone()
    return found  # type: ignore[no-any-return]


def column(connection: BaseDatabaseWrapper, query: str, *values: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [name for (name,) in cursor.fetchall()]
