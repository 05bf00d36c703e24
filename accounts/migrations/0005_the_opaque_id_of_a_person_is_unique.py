from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_every_person_gets_an_opaque_id")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="public_id",
            field=models.UUIDField(default=accounts.ids.new_id, editable=False, unique=True),
        )
    ]
