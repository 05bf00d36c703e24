"""Sites, cameras and sources: made by people who run them."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actions.permissions import derive_all
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from accounts.tokens import new_token, token_hash
from accounts.typed import named, whole_number
from inference.models import Camera, ModelVersion, Site, Source
from inference.models.registry import Task
from inference.tokens import forget_tokens

LONGEST_OVERLAP = timedelta(days=7)


def create_site(
    *, slug: str, name: str, maker: User | None, now: datetime, time_zone: str = "UTC", registers_models: bool = False
) -> Site:
    """A new site. People with grants everywhere reach it at once. Raises Conflict for a slug that is taken."""
    try:
        with transaction.atomic():
            site = Site.objects.create(slug=slug, name=name, time_zone=time_zone, registers_models=registers_models)
            derive_all(now=now)
            audit.record("site.created", actor=maker, on=site, site_id=site.pk, action=audit.Action.CREATE, slug=slug)
    except IntegrityError:
        raise Conflict(_("There is a site with this short name already."), code="slug_taken") from None
    return site


def require_in_use(site: Site) -> None:
    """Raise Conflict `site_retired` for a site where nothing is made any more."""
    if not Site.objects.in_use().filter(pk=site.pk).exists():
        raise Conflict(_("This site is retired. Bring it back first, on its page."), code="site_retired")


def create_camera(*, site: Site, slug: str, name: str, maker: User | None) -> Camera:
    try:
        with transaction.atomic():
            require_in_use(site)
            camera = Camera.objects.create(site=site, slug=slug, name=name)
            audit.record(
                "camera.created", actor=maker, on=camera, site_id=site.pk, action=audit.Action.CREATE, slug=slug
            )
    except IntegrityError:
        raise Conflict(_("The site has a camera with this short name already."), code="slug_taken") from None
    return camera


def create_source(
    *, site: Site, name: str, maker: User | None, camera: Camera | None = None, ends_at: datetime | None = None
) -> tuple[Source, str]:
    """A new source and its token. The token is returned once and kept only as its hash."""
    token = new_token("sls")
    with transaction.atomic():
        require_in_use(site)
        source = Source.objects.create(
            site=site, camera=camera, name=name, token_hash=token_hash(token), ends_at=ends_at, created_by=maker
        )
        audit.record(
            "source.created",
            actor=maker,
            on=source,
            site_id=site.pk,
            action=audit.Action.CREATE,
            camera=camera.slug if camera else None,
        )
    return source, token


def revoke_source(*, source: Source, person: User | None, now: datetime) -> None:
    """From now on its token opens nothing."""
    with transaction.atomic():
        if not Source.objects.filter(pk=source.pk, revoked_at=None).update(revoked_at=now):
            raise Conflict(_("This source is revoked already."), code="source_revoked")
        audit.record("source.revoked", actor=person, on=source, site_id=source.site_id)
        transaction.on_commit(forget_tokens)


def rotate_source(*, source: Source, person: User, now: datetime, overlap: timedelta) -> str:
    """A new token for a source, returned once. The one before it works for `overlap` longer, so that nothing is lost
    while it is replaced; one that was being replaced already ends at once.

    Raises Invalid for an overlap of more than `LONGEST_OVERLAP`, and Conflict `source_revoked` or `source_built_in`.
    """
    if source.is_built_in:
        raise Conflict(_("This source belongs to the server itself and has no token."), code="source_built_in")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(_("The old token may go on for at most seven days."), code="overlap")
    token = new_token("sls")
    keeps = {"previous_hash": F("token_hash"), "previous_until": now + overlap}
    ends: dict[str, Any] = {"previous_hash": "", "previous_until": None}
    with transaction.atomic():
        rows = Source.objects.filter(pk=source.pk, revoked_at=None)
        if not rows.update(token_hash=token_hash(token), **(keeps if overlap else ends)):
            raise Conflict(_("This source is revoked already."), code="source_revoked")
        audit.record(
            "source.rotated",
            actor=person,
            on=source,
            site_id=source.site_id,
            old_until=(now + overlap).isoformat(),
        )
        transaction.on_commit(forget_tokens)
    return token


def bound_source(*, source: Source, typed: str, person: User) -> None:
    """How many events a second a source may post, as it was typed; empty for as many as the server takes.

    Raises Invalid for anything but a whole number from 1 to 10000.
    """
    after = whole_number(typed, 1, 10_000)
    if typed.strip() and after is None:
        raise Invalid(_("A source may post 1 to 10000 events a second."), code="events_per_second")
    with transaction.atomic():
        Source.objects.filter(pk=source.pk).update(events_per_second=after)
        audit.record(
            "source.bounded",
            actor=person,
            on=source,
            site_id=source.site_id,
            before={"events_per_second": source.events_per_second},
            after={"events_per_second": after},
        )
        transaction.on_commit(forget_tokens)


def rename_source(*, source: Source, name: str, person: User) -> None:
    """Another name for a source. Raises Invalid for an empty one or one of more than 100 characters."""
    kept = named(name, 100)
    with transaction.atomic():
        before = source.name
        Source.objects.filter(pk=source.pk).update(name=kept)
        audit.record(
            "source.renamed",
            actor=person,
            on=source,
            site_id=source.site_id,
            before={"name": before},
            after={"name": kept},
        )


def register_model_version(
    *,
    site: Site,
    name: str,
    version: str,
    maker: User | None,
    sha256: str = "",
    task: str = Task.DETECTION,
    classes: list[str] | None = None,
    model_input: dict[str, object] | None = None,
) -> ModelVersion:
    """Make a model version known at a site. Raises Conflict when it is known already."""
    try:
        with transaction.atomic():
            require_in_use(site)
            row = ModelVersion.objects.create(
                site=site,
                name=name,
                version=version,
                sha256=sha256,
                task=task,
                classes=classes or [],
                input=model_input or {},
            )
            audit.record(
                "model.registered",
                actor=maker,
                on=row,
                site_id=site.pk,
                action=audit.Action.CREATE,
                sha256=sha256,
            )
    except IntegrityError:
        raise Conflict(_("This model version is known already."), code="model_known") from None
    return row


def built_in_source(*, site: Site, purpose: str, name: str, maker: User | None) -> Source:
    """The source of `site` under which the server itself brings events for one `purpose`; made when first needed.

    It has no token: what stands in the column is no digest of anything. Revoked, it switches its purpose off.
    """
    place = f"{purpose}:{site.pk.hex}"
    if found := Source.objects.filter(token_hash=place).first():
        return found
    try:
        with transaction.atomic():
            source = Source.objects.create(site=site, name=name, token_hash=place)
            audit.record(
                "source.created", actor=maker, on=source, site_id=site.pk, action=audit.Action.CREATE, camera=None
            )
    except IntegrityError:
        # Somebody else needed it at the same moment.
        return Source.objects.get(token_hash=place)
    return source
