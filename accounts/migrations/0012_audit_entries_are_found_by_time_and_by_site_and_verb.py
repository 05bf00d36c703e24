from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_how_people_sign_in")]

    operations = [
        migrations.AddIndex("auditentry", models.Index(fields=["timestamp", "id"], name="audit_of_time")),
        migrations.AddIndex("auditentry", models.Index(fields=["site_id", "verb", "-id"], name="audit_of_site_verb")),
    ]
