"""Changes of sites and cameras: one form each, with what was there before and whoever was faster noticed."""

from datetime import datetime
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from accounts.typed import named
from inference.actions.sites import create_camera, create_site
from inference.models import Camera, Site
from inference.models.site import SLUG_LENGTH, camera_slug
from inference.tokens import forget_tokens


def require_zone(time_zone: str) -> str:
    """Raise Invalid `time_zone` for a zone that is not in the tz database."""
    if time_zone not in available_timezones():
        raise Invalid(_("There is no such time zone. Choose one such as Europe/Berlin."), code="time_zone")
    return time_zone


def require_own_name(site: Site | None, name: str) -> None:
    """Raise Conflict when another site has this name, in whatever capitals: people would mix them up."""
    others = Site.objects.exclude(pk=site.pk) if site else Site.objects.all()
    if any(other.casefold() == name.casefold() for other in others.values_list("name", flat=True)):
        raise Conflict(_("There is a site of this name already."), code="name_taken")


def open_site(*, name: str, time_zone: str, registers_models: bool, maker: User, now: datetime) -> Site:
    """A new site under a short name made of its name. Raises Invalid, Conflict `name_taken` or `slug_taken`."""
    kept = named(name)
    require_own_name(None, kept)
    return create_site(
        slug=slugify(kept)[:SLUG_LENGTH] or f"site-{Site.objects.count() + 1}",
        name=kept,
        maker=maker,
        now=now,
        time_zone=require_zone(time_zone),
        registers_models=registers_models,
    )


def change_site(*, site: Site, name: str, time_zone: str, registers_models: bool, before: str, person: User) -> None:
    """Name, time zone and whether unknown model versions are registered. The short name stays: sources may use it.

    `before` is the state that the person looked at. Raises Invalid, Conflict `changed_meanwhile` or `name_taken`.
    """
    kept = named(name)
    require_own_name(site, kept)
    require_zone(time_zone)
    with transaction.atomic():
        row = Site.objects.select_for_update().get(pk=site.pk)
        old = site_state(row)
        require_same(before, old)
        row.name, row.time_zone, row.registers_models = kept, time_zone, registers_models
        row.save(update_fields=["name", "time_zone", "registers_models"])
        audit.record("site.changed", actor=person, on=row, site_id=row.pk, before=old, after=site_state(row))
        transaction.on_commit(forget_tokens)


def site_state(site: Site) -> str:
    """What can be changed of a site, in one line: for the trail, and to notice that somebody was faster."""
    return f"{site.name} · {site.time_zone} · {'registers' if site.registers_models else 'parks'} unknown models"


def open_camera(*, site: Site, name: str, maker: User) -> Camera:
    """A new camera under a short name made of its name. Raises Invalid, Conflict `slug_taken`."""
    kept = named(name)
    plain = slugify(kept)[:SLUG_LENGTH]
    free = plain and not Camera.objects.filter(site=site, slug=plain).exists()
    return create_camera(site=site, slug=plain if free else camera_slug(kept), name=kept, maker=maker)


def rename_camera(*, camera: Camera, name: str, before: str, person: User) -> None:
    """Another name for a camera; its short name stays, because sources and rules use it.

    Raises Invalid, Conflict `changed_meanwhile`.
    """
    kept = named(name)
    try:
        with transaction.atomic():
            row = Camera.objects.select_for_update().get(pk=camera.pk)
            require_same(before, row.name)
            Camera.objects.filter(pk=camera.pk).update(name=kept)
            audit.record(
                "camera.changed",
                actor=person,
                on=camera,
                site_id=camera.site_id,
                before={"name": row.name},
                after={"name": kept},
            )
            transaction.on_commit(forget_tokens)
    except IntegrityError:
        raise Conflict(_("The site has a camera of this name already."), code="name_taken") from None


def require_same(before: str, now_is: str) -> None:
    """Raise Conflict `changed_meanwhile` when a row is no longer what the person looked at."""
    if before != now_is:
        raise Conflict(_("Somebody changed this meanwhile. Look again."), code="changed_meanwhile")
