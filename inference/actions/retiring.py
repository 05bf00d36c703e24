"""What is no longer used is retired, never deleted: it leaves lists and choices, and what it brought stays."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict
from accounts.models import User
from accounts.reasons import said
from inference.models import Camera


def retire_camera(*, camera: Camera, reason: str, person: User, now: datetime) -> None:
    """Take a camera out of lists and choices. What sources still post about it is taken in as before.

    Raises Invalid `reason_required` or `reason_too_long`, Conflict `camera_retired` when somebody was faster.
    """
    why = said(reason, _("Say why the camera is retired."))
    with transaction.atomic():
        if not Camera.objects.filter(pk=camera.pk, retired_at=None).update(retired_at=now, retired_because=why):
            raise Conflict(_("This camera is retired already."), code="camera_retired")
        audit.record("camera.retired", actor=person, on=camera, site_id=camera.site_id, reason=why)


def restore_camera(*, camera: Camera, person: User) -> None:
    """Bring a retired camera back. Raises Conflict `camera_not_retired` when it is back already."""
    with transaction.atomic():
        rows = Camera.objects.filter(pk=camera.pk, retired_at__isnull=False)
        if not rows.update(retired_at=None, retired_because=""):
            raise Conflict(_("This camera is in use."), code="camera_not_retired")
        audit.record("camera.restored", actor=person, on=camera, site_id=camera.site_id)
