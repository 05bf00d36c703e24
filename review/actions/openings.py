"""Opening events with a reason, by people who do not see them otherwise."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Invalid
from accounts.models import User
from inference.models import Site
from review.models import Event, Opening

LASTS = timedelta(minutes=60)
LONGEST_REASON = 300


def open_events(*, person: User, site: Site, event: Event | None, reason: str, now: datetime) -> Opening:
    """Let `person` see `event`, or with None every event of `site`, for an hour.

    The caller has asked the door whether this person may open it. Raises Invalid without a reason.
    """
    said = reason.strip()
    if not said:
        raise Invalid(_("Say why you need to see this."), code="reason_required")
    if len(said) > LONGEST_REASON:
        raise Invalid(_("Say it in at most 300 characters."), code="reason_too_long")
    with transaction.atomic():
        opening = Opening.objects.create(
            person=person, site=site, event=event, reason=said, created_at=now, ends_at=now + LASTS
        )
        audit.record(
            "event.opened" if event else "site.opened",
            actor=person,
            on=event or site,
            site_id=site.pk,
            action=audit.Action.ACCESS,
            opening=str(opening.pk),
            reason=said,
            ends_at=opening.ends_at.isoformat(),
        )
    return opening
