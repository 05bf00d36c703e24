"""Rules that the database itself keeps. Each refusal is an IntegrityError on both databases.

They are made after every `migrate`, because SQLite loses a trigger when a migration rebuilds its table. Those that read
another table are dropped before one: SQLite rebuilds no table while a trigger of another one names it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

PRESENT = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = %s",
    "postgresql": (
        "SELECT 1 FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE relnamespace = current_schema()::regnamespace AND tgname = %s"
    ),
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger on a table, with the statements that make it on each vendor's database."""

    name: str
    table: str
    statements: Mapping[str, Sequence[str]]

    def is_present(self, connection: BaseDatabaseWrapper) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(PRESENT[connection.vendor], [self.name])
            return cursor.fetchone() is not None

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Make it where it is missing and its table exists."""
        if self.table not in connection.introspection.table_names() or self.is_present(connection):
            return
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in self.statements[connection.vendor]:
                cursor.execute(statement)

    def drop(self, connection: BaseDatabaseWrapper) -> None:
        if not self.is_present(connection):
            return
        on = f' ON "{self.table}"' if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute(f'DROP TRIGGER "{self.name}"{on}')


def function(name: str, body: str) -> str:
    """The statement that makes a trigger's function on PostgreSQL."""
    return f"CREATE OR REPLACE FUNCTION secondlook_{name}() RETURNS trigger LANGUAGE plpgsql AS $$\n{body.strip()}\n$$"


def before_migrate(*, using: str, plan: Sequence[Any], **_signal: Any) -> None:
    """The receiver of Django's `pre_migrate`."""
    from review import closed

    if plan:
        for trigger in closed.TRIGGERS:
            trigger.drop(connections[using])


def after_migrate(*, using: str, **_signal: Any) -> None:
    """The receiver of Django's `post_migrate`."""
    from review import closed, fixed

    for trigger in (fixed.TRIGGER, *closed.TRIGGERS):
        trigger.install(connections[using])
