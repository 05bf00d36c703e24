from typing import Any

from django.db import migrations

from accounts.ids import new_id

BATCH = 500


def fill(apps: Any, _schema_editor: Any) -> None:
    people = apps.get_model("accounts", "User").objects
    while batch := list(people.filter(public_id=None).only("pk")[:BATCH]):
        for person in batch:
            person.public_id = new_id()
        people.bulk_update(batch, ["public_id"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_people_may_have_an_opaque_id")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
