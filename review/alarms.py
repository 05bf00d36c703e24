"""What is wrong with stored files, for the audit page."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import ngettext

from accounts.access import Reach
from accounts.alarms import Alarm
from review.models import EventEvidence, FileDamage

SHOWN = 5


def damaged_files(where: Reach) -> list[Alarm]:
    """Files at the person's sites that are not what was stored, with the events that some of them show."""
    found = FileDamage.objects.filter(Q() if where.everywhere else Q(site__in=where.sites))
    count = found.count()
    if not count:
        return []
    text = ngettext(
        "%(count)s stored file is missing or no longer what was stored. What it shows is marked damaged; only a "
        "backup brings it back.",
        "%(count)s stored files are missing or no longer what was stored. What they show is marked damaged; only a "
        "backup brings them back.",
        count,
    )
    return [Alarm(text % {"count": count}, links(found.exclude(evidence=None).order_by("-pk").values("evidence")))]


def links(evidence: Any) -> tuple[tuple[str, str], ...]:
    shown = EventEvidence.objects.filter(evidence__in=evidence).order_by("-pk").values_list("event_id", flat=True)
    return tuple((str(pk), reverse("audit-story", args=[pk])) for pk in dict.fromkeys(shown[:SHOWN]))
