"""New rows of several tables, written together.

Intake adds five rows per event. Saved one after the other, each is made into SQL while the transaction is open, which
on SQLite keeps all other writers out, and each costs PostgreSQL a question and an answer. Here the SQL is made before,
and PostgreSQL gets all of it at once.
"""

from collections.abc import Sequence
from itertools import groupby
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


def statements(model: type[Model], rows: list[Model]) -> list[tuple[str, Sequence[Any]]]:
    """SQL and values that insert `rows` of one model."""
    query = InsertQuery(model)
    query.insert_values(given_fields(model), rows)
    made: list[tuple[str, Sequence[Any]]] = query.get_compiler(connection=connection).as_sql()
    return made


def given_fields(model: type[Model]) -> "list[Field[Any, Any]]":
    """All columns but a key that the database hands out."""
    return [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoField)]
