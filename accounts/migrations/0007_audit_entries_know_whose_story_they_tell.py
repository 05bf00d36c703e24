from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_tokens_know_their_last_use")]

    operations = [
        migrations.AddField("auditentry", "subject_id", models.UUIDField(null=True)),
        migrations.AddField("auditentry", "circumstances", models.JSONField(null=True)),
        migrations.AddIndex("auditentry", models.Index(fields=["queue_id", "-id"], name="audit_of_queue")),
        migrations.AddIndex("auditentry", models.Index(fields=["subject_id", "-id"], name="audit_of_subject")),
    ]
