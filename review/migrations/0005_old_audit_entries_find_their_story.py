"""Entries from before stories: those of items belong to the event's, those of people to the person's."""

from typing import Any

from django.db import connections, migrations

from accounts.append_only import lifted

OWN_ID = {
    "postgresql": "UPDATE {entries} SET subject_id = object_pk::uuid WHERE subject_id IS NULL AND object_pk ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'",
    "sqlite": "UPDATE {entries} SET subject_id = REPLACE(object_pk, '-', '') WHERE subject_id IS NULL AND LENGTH(object_pk) = 36 AND object_pk LIKE '________-____-____-____-____________'",
}
OF_ITEMS = (
    "UPDATE {entries} SET subject_id = (SELECT event_id FROM {items} WHERE {items}.id = {entries}.subject_id) "
    "WHERE EXISTS (SELECT 1 FROM {items} WHERE {items}.id = {entries}.subject_id)"
)
OF_PEOPLE = (
    "UPDATE {entries} SET subject_id = (SELECT public_id FROM {people} WHERE CAST({people}.id AS VARCHAR(20)) = {entries}.object_pk) "
    "WHERE content_type_id = (SELECT id FROM django_content_type WHERE app_label = 'accounts' AND model = 'user')"
)


def fill(apps: Any, schema_editor: Any) -> None:
    connection = connections[schema_editor.connection.alias]
    names = {
        "entries": apps.get_model("accounts", "AuditEntry")._meta.db_table,
        "items": apps.get_model("review", "Item")._meta.db_table,
        "people": apps.get_model("accounts", "User")._meta.db_table,
    }
    with lifted(connection), connection.cursor() as cursor:
        for statement in (OWN_ID[connection.vendor], OF_ITEMS, OF_PEOPLE):
            cursor.execute(statement.format(**names))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_audit_entries_know_whose_story_they_tell"),
        ("review", "0004_events_are_opened_with_a_reason"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
