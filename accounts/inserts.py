"""New rows of several tables, written together.

Saved one after the other, rows are made into SQL while the transaction is open, which on SQLite keeps all other writers
out, and each costs PostgreSQL a question and an answer. Here the SQL is made before, and PostgreSQL gets all of it at
once. For what writes often (intake) or much (the sealer).
"""

from collections.abc import Iterator, Sequence
from itertools import batched, groupby
from typing import Any

from django.db import connection
from django.db.models import AutoField, Field, Model
from django.db.models.sql import InsertQuery


class Inserts:
    """The INSERTs of new rows in the order given, made into SQL at once and run by `write`.

    Rows carry all their values: keys that the database hands out are not read back, and no signal is sent.
    """

    def __init__(self, rows: Sequence[Model]) -> None:
        self.rows = rows
        self.statements = [
            statement for model, some in groupby(rows, type) for statement in statements(model, list(some))
        ]

    def write(self) -> None:
        """Run them, inside the caller's transaction. Raises IntegrityError, and then nothing of them is there."""
        if not self.statements:
            return
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Values are bound by the driver, so it takes several statements as one text.
                text = "; ".join(sql for sql, _values in self.statements)
                cursor.execute(text, [value for _sql, values in self.statements for value in values])
            else:
                for sql, values in self.statements:
                    cursor.execute(sql, values)
        for row in self.rows:
            row._state.adding, row._state.db = False, connection.alias


def statements(model: type[Model], rows: list[Model]) -> Iterator[tuple[str, Sequence[Any]]]:
    """SQL and values that insert `rows` of one model, no more at a time than the database takes values."""
    fields = given_fields(model)
    for some in batched(rows, max(1, connection.ops.bulk_batch_size(fields, rows))):
        query = InsertQuery(model)
        query.insert_values(fields, list(some))
        yield from query.get_compiler(connection=connection).as_sql()


def given_fields(model: type[Model]) -> "list[Field[Any, Any]]":
    """All columns but a key that the database hands out."""
    return [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoField)]
