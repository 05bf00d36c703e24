"""A row that is kept cannot be replaced by one of the same key either, which each database spells in its own way."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import append_only
from accounts.models import AuditEntry
from tests.factories import Place

REPLACING = {
    "sqlite": [
        'REPLACE INTO "{table}" SELECT * FROM "{table}" WHERE id = %s',
        'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}" WHERE id = %s',
        'UPDATE OR REPLACE "{table}" SET id = id WHERE id = %s',
    ],
    "postgresql": [
        'INSERT INTO "{table}" SELECT * FROM "{table}" WHERE id = %s ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id'
    ],
}


def test_a_kept_row_cannot_be_replaced(place: Place, subtests: pytest.Subtests) -> None:
    entry, table = AuditEntry.objects.all()[0], AuditEntry._meta.db_table
    connection.check_constraints()
    append_only.install(connection)
    try:
        for sql in REPLACING[connection.vendor]:
            refused = pytest.raises(IntegrityError, match="append-only")
            with subtests.test(sql), refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql.format(table=table), [entry.pk])
    finally:
        append_only.remove(connection)
    assert AuditEntry.objects.get(pk=entry.pk).verb == entry.verb
