"""The door to sites, cameras, sources and model versions."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.access import Visitor, permitted, reach
from accounts.exceptions import NotFound
from accounts.roles import Right
from inference.models import Camera, Site, Source


def sites_for(person: Visitor, right: Right) -> QuerySet[Site]:
    """The sites on which `person` holds `right` now."""
    where = reach(person, right)
    if not where.everywhere and not where.sites:
        return Site.objects.none()
    found = permitted(person, right, Site.objects.all())
    return found if where.everywhere else found.filter(pk__in=where.sites)


def sites_in_use(person: Visitor, right: Right) -> QuerySet[Site]:
    """As `sites_for`, without those that are retired."""
    return sites_for(person, right).filter(retired_at=None)


def site_for(person: Visitor, right: Right, pk: UUID) -> Site:
    """The site, or NotFound: unknown and "not yours" are one answer."""
    site = sites_for(person, right).filter(pk=pk).first()
    if site is None:
        raise NotFound
    return site


def sources_for(person: Visitor, right: Right = Right.SEE_SOURCES) -> QuerySet[Source]:
    return Source.objects.filter(site__in=sites_for(person, right)).select_related("site", "camera")


def camera_for(person: Visitor, pk: UUID, right: Right = Right.SEE_SOURCES) -> Camera:
    camera = Camera.objects.filter(site__in=sites_for(person, right), pk=pk).select_related("site").first()
    if camera is None:
        raise NotFound
    return camera


def source_for(person: Visitor, pk: UUID, right: Right = Right.SEE_SOURCES) -> Source:
    source = sources_for(person, right).filter(pk=pk).first()
    if source is None:
        raise NotFound
    return source
