from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                fields=["person", "role"],
                condition=Q(revoked_at=None, scope_type="everywhere"),
                name="grant_once_everywhere",
            ),
        )
    ]
