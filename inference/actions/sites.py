"""Sites, cameras and sources: made by people who run them."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actions.permissions import derive_all
from accounts.exceptions import Conflict
from accounts.models import User
from accounts.tokens import new_token, token_hash
from inference.models import Camera, ModelVersion, Site, Source
from inference.models.registry import Task
from inference.tokens import forget_tokens


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


def create_camera(*, site: Site, slug: str, name: str, maker: User | None) -> Camera:
    try:
        with transaction.atomic():
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
        source = Source.objects.create(
            site=site, camera=camera, name=name, token_hash=token_hash(token), ends_at=ends_at
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
