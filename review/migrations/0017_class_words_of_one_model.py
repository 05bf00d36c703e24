"""Classes are mapped for one model or for all, and what waits for a class knows the model that said it."""

from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery


def name_models(apps: Any, schema_editor: Any) -> None:
    said = apps.get_model("review", "Event").objects.filter(pk=OuterRef("event")).values("model_name")
    rows = apps.get_model("review", "Parking").objects.using(schema_editor.connection.alias).filter(cause="class")
    rows.update(model_name=Subquery(said))


class Migration(migrations.Migration):
    dependencies = [("review", "0016_queues_ask_why")]

    operations = [
        migrations.RemoveConstraint(model_name="namemap", name="name_stands_for_one_thing"),
        migrations.RemoveIndex(model_name="parking", name="parking_inbox"),
        migrations.AddField("namemap", "model_name", models.CharField(blank=True, max_length=100)),
        migrations.AddField("parking", "model_name", models.CharField(blank=True, max_length=100)),
        migrations.RunPython(name_models, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            "parking",
            models.Index(
                fields=["site", "cause", "value", "model_name"], condition=Q(resolved_at=None), name="parking_inbox"
            ),
        ),
        migrations.AddConstraint(
            "namemap",
            models.UniqueConstraint(
                fields=["site", "cause", "value", "model_name"],
                condition=Q(ended_at=None),
                name="name_stands_for_one_thing",
            ),
        ),
        migrations.AddConstraint(
            "namemap",
            models.CheckConstraint(
                condition=Q(cause="class") | Q(model_name=""), name="only_classes_are_words_of_one_model"
            ),
        ),
    ]
