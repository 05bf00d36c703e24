"""A source for somebody who connects one: with its camera, made on the spot if nobody knows it yet."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict
from accounts.models import User
from inference.actions.sites import create_camera, create_source
from inference.models import Camera, Site, Source
from inference.models.site import camera_slug


def connect_source(
    *, site: Site, camera: Camera | None, new_camera: str, name: str, ends_at: datetime | None, maker: User
) -> tuple[Source, str]:
    """A source and its token, which is returned once. `new_camera` names a camera to make when `camera` is none.

    Raises Conflict `slug_taken` when somebody has just made that camera, `camera_retired` for one that is retired.
    """
    if camera is not None and camera.retired_at is not None:
        raise Conflict(_("This camera is retired. Bring it back first, on its page."), code="camera_retired")
    typed = " ".join(new_camera.split())
    with transaction.atomic():
        if camera is None and typed:
            camera = create_camera(site=site, slug=camera_slug(typed), name=typed, maker=maker)
        return create_source(site=site, name=name, maker=maker, camera=camera, ends_at=ends_at)
