from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_one_grant_everywhere_per_role")]

    operations = [
        migrations.AddField(model_name="user", name="public_id", field=models.UUIDField(null=True, editable=False))
    ]
