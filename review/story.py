"""What the audit trail's stories know of events besides the entries: receipt, routing, parking, releases."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.access import reach
from accounts.models import User
from accounts.roles import Right
from accounts.trail.filters import SUBJECTS
from accounts.trail.stories import TELLERS, Step, Telling
from review.access import events_for
from review.models import Claim, Event, Item, ReleaseRow, Routing, Verdict


def register_story() -> None:
    SUBJECTS.append(subject_of)
    TELLERS.append(tell)


def subject_of(pk: UUID) -> UUID | None:
    """The event to whose story an item, claim or verdict belongs."""
    rows: list[QuerySet[Any, UUID]] = [
        Item.objects.filter(pk=pk).values_list("event_id", flat=True),
        Claim.objects.filter(pk=pk).values_list("item__event_id", flat=True),
        Verdict.objects.filter(pk=pk).values_list("item__event_id", flat=True),
    ]
    return next((found for one in rows if (found := one.first()) is not None), None)


def tell(reader: User, pk: UUID) -> Telling | None:
    """An event to those who see it, and to those who read the audit trail of its site (its picture stays apart)."""
    event = Event.objects.select_related("site", "source", "camera").filter(pk=pk).first()
    if event is None:
        return None
    where = reach(reader, Right.AUDIT_SITE)
    audited = where.everywhere or event.site_id in where.sites
    seen = events_for(reader).filter(pk=pk).exists()
    if not (audited or seen):
        return None
    return Telling(str(event), reverse("event", args=[pk]) if seen else "", steps_of(event), audited)


def steps_of(event: Event) -> list[Step]:
    received = _("Received from %(source)s, captured %(at)s") % {
        "source": event.source.name,
        "at": formats.date_format(timezone.localtime(event.captured_at), "SHORT_DATETIME_FORMAT"),
    }
    model = f"{event.model_name} {event.model_version_name}".strip()
    facts = f"SHA-256 {event.digest[:16]}…" + (f" · {model}" if model else "")
    steps = [Step(event.received_at, received, facts, "inbox")]
    for row in event.routings.select_related("policy"):
        steps.append(
            Step(row.routed_at, _("Routed: %s") % row.get_decision_display(), routing_detail(row), "git-branch")
        )
    for parking in event.parkings.all():
        steps.append(
            Step(parking.parked_at, _("Parked: %s") % parking.get_cause_display(), parking.value, "circle-help")
        )
    for part in ReleaseRow.objects.filter(event=event).select_related("release"):
        steps.append(
            Step(part.release.created_at, _("In release %s") % part.release, part.get_split_display(), "package")
        )
    return steps


def routing_detail(row: Routing) -> str:
    policy = _("policy version %s") % row.policy.version if row.policy else ""
    return " · ".join(part for part in (row.rule_name, policy) if part)
