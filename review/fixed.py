"""A queue keeps the taxonomy that it was made with: labels, releases and guides go by its indexes.

A trigger refuses every change, not only that of a queue with items: to look for items would leave a gap in which the
first one comes. It is made after every `migrate`, because SQLite loses it when a migration rebuilds the table.
The refusal is an IntegrityError on both databases.
"""

from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from review.models import Queue

NAME = "queue_keeps_its_taxonomy"
SAID = "a queue keeps its taxonomy"
POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION secondlook_{NAME}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{SAID}' USING ERRCODE = 'restrict_violation';
END $$
"""


def after_migrate(*, using: str, **_signal: Any) -> None:
    """The receiver of Django's `post_migrate`."""
    install(connections[using])


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the trigger where it is missing and the table exists."""
    if Queue._meta.db_table not in connection.introspection.table_names() or present(connection):
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in statements(connection.vendor):
            cursor.execute(statement)


def present(connection: BaseDatabaseWrapper) -> bool:
    query = {
        "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = %s",
        "postgresql": (
            "SELECT 1 FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE relnamespace = current_schema()::regnamespace AND tgname = %s"
        ),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query, [NAME])
        return cursor.fetchone() is not None


def statements(vendor: str) -> list[str]:
    """What makes the trigger."""
    table = Queue._meta.db_table
    head = f'CREATE TRIGGER "{NAME}" BEFORE UPDATE OF taxonomy_id ON "{table}" FOR EACH ROW'
    if vendor == "postgresql":
        changed = "WHEN (NEW.taxonomy_id <> OLD.taxonomy_id)"
        return [POSTGRES_FUNCTION, f"{head} {changed} EXECUTE FUNCTION secondlook_{NAME}()"]
    return [f"{head} WHEN NEW.taxonomy_id <> OLD.taxonomy_id BEGIN SELECT RAISE(ABORT, '{SAID}'); END"]
