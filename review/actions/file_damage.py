from datetime import datetime

from django.db import transaction

from accounts import audit
from review.models import FileDamage


def mark_damage_seen(*, now: datetime) -> list[str]:
    """Say that somebody looks after every damaged file found so far; their names. Only what is found later alarms."""
    with transaction.atomic():
        unseen = FileDamage.objects.unseen().select_for_update().order_by("pk")
        found = list(unseen.values_list("pk", "name"))
        FileDamage.objects.filter(pk__in=[pk for pk, _name in found]).update(seen_at=now)
        names = [name for _pk, name in found]
        if names:
            audit.record("files.damage_seen", actor=None, count=len(names), found=names[:100])
    return names
