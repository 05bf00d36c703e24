from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import migrations
from django.utils import timezone


def end_them(apps: Any, schema_editor: Any) -> None:
    """Give those from before an end, as if their people had signed on now; the last administrator keeps his."""
    rows = apps.get_model("accounts", "Grant").objects.filter(revoked_at=None, ends_at=None)
    administrators = rows.filter(role="administrator", scope_type="everywhere", person__is_active=True)
    from_groups = rows.filter(origin="sso")
    if not administrators.exclude(origin="sso").exists():
        from_groups = from_groups.exclude(role="administrator", scope_type="everywhere")
    from_groups.update(ends_at=timezone.now() + timedelta(hours=settings.SECONDLOOK["SSO_HOURS"]))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_rows_that_cannot_be_read_hold_up_no_others")]

    operations = [migrations.RunPython(end_them, migrations.RunPython.noop)]
