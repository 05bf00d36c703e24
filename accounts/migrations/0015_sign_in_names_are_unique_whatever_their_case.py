from typing import Any

from django.db import migrations, models
from django.db.models import Count
from django.db.models.functions import Lower


def require_different_names(apps: Any, schema_editor: Any) -> None:
    """Say which names are in the way; which of two accounts is renamed is for people to decide."""
    people = apps.get_model("accounts", "User").objects
    twice = people.annotate(lowered=Lower("username")).values("lowered").annotate(count=Count("pk")).filter(count__gt=1)
    names = ", ".join(sorted(twice.values_list("lowered", flat=True)[:20]))
    if names:
        raise RuntimeError(
            f"Sign-in names that differ in capitals only: {names}. Rename all but one of each, try again."
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_grants_of_groups_end")]

    operations = [
        migrations.RunPython(require_different_names, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(Lower("username"), name="username_once_whatever_its_case"),
        ),
    ]
