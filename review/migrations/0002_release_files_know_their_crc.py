from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("review", "0001_initial")]

    operations = [
        # A default serves rows made before; a release that has any is verified against its files and built anew.
        migrations.AddField("releasefile", "crc32", models.PositiveBigIntegerField(default=0), preserve_default=False),
    ]
