"""What is wrong with stored files and with sources, for the audit page."""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import Reach
from accounts.alarms import Alarm
from inference.models import PossibleClone
from review import evidence_store
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
    return [
        Alarm(
            text % {"count": count}, _("Events"), links(found.exclude(evidence=None).order_by("-pk").values("evidence"))
        )
    ]


def possible_clones(where: Reach) -> list[Alarm]:
    """Sources of the person's sites with which two devices seem to post."""
    rows = PossibleClone.objects.filter(Q() if where.everywhere else Q(source__site__in=where.sites), dismissed_at=None)
    found = list(rows.select_related("source").order_by("-noticed_at")[:SHOWN])
    if not found:
        return []
    named = tuple((row.source.name, reverse("source", args=[row.source_id])) for row in found)
    return [Alarm(_("Two devices seem to post with one token."), _("Sources"), named)]


def no_room(where: Reach) -> list[Alarm]:
    """The disk of the file store has less room than is kept free, so nothing is taken in at any site."""
    free, kept = evidence_store.free_bytes(), settings.SECONDLOOK["MIN_FREE_BYTES"]
    if free is None or free >= kept:
        return []
    text = _(
        "The disk of the file store has %(free)s left, less than the %(kept)s that are kept free: no event is taken "
        "in. Sources are told to send later."
    )
    return [Alarm(text % {"free": filesizeformat(free), "kept": filesizeformat(kept)}, _("File store"))]


def links(evidence: Any) -> tuple[tuple[str, str], ...]:
    shown = EventEvidence.objects.filter(evidence__in=evidence).order_by("-pk").values_list("event_id", flat=True)
    return tuple((str(pk), reverse("audit-story", args=[pk])) for pk in dict.fromkeys(shown[:SHOWN]))
