"""What somebody says about two devices that seemed to post with one token."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict
from accounts.models import User
from accounts.reasons import said
from inference.models import PossibleClone, Source


def dismiss_clone(*, source: Source, reason: str, person: User, now: datetime) -> None:
    """Say what it was. Only what arrives from now on is looked at.

    Raises Invalid `reason_required` or `reason_too_long`, Conflict `no_clone` when there is none (any more).
    """
    why = said(reason, _("Say what it was."))
    with transaction.atomic():
        rows = PossibleClone.objects.filter(source=source, dismissed_at=None)
        if not rows.update(dismissed_at=now, dismissed_by=person, dismissed_because=why):
            raise Conflict(_("Nothing is open here any more."), code="no_clone")
        audit.record("source.clone_dismissed", actor=person, on=source, site_id=source.site_id, reason=why)
