"""Queues and taxonomies: made by people who set a site up."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actions.permissions import derive_all
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from inference.actions.sites import require_in_use
from inference.models import Site
from review.actions.taxonomies import require_names
from review.models import Queue, Taxonomy, TaxonomyClass


def create_taxonomy(
    *,
    site: Site,
    slug: str,
    name: str,
    classes: Sequence[str],
    maker: User | None,
    keys: Mapping[str, str] | None = None,
) -> Taxonomy:
    """A taxonomy whose classes get their permanent indexes in the order given. `keys` maps class names to digits."""
    if len(set(classes)) != len(classes):
        raise Invalid(_("A class stands there twice."), code="duplicate_class")
    require_names(classes)
    try:
        with transaction.atomic():
            taxonomy = Taxonomy.objects.create(site=site, slug=slug, name=name)
            TaxonomyClass.objects.bulk_create(
                TaxonomyClass(taxonomy=taxonomy, index=index, name=label, key=(keys or {}).get(label, ""))
                for index, label in enumerate(classes)
            )
            audit.record(
                "taxonomy.created",
                actor=maker,
                on=taxonomy,
                site_id=site.pk,
                action=audit.Action.CREATE,
                classes=list(classes),
            )
    except IntegrityError:
        raise Conflict(_("The site has a taxonomy with this short name already."), code="slug_taken") from None
    return taxonomy


def create_queue(
    *,
    site: Site,
    slug: str,
    name: str,
    taxonomy: Taxonomy,
    maker: User | None,
    now: datetime,
    guide: str = "",
    due_in: timedelta = timedelta(hours=4),
    undo_window: timedelta = timedelta(seconds=8),
    asks_complete: bool = True,
) -> Queue:
    """A new queue; whoever has a grant on the site reaches it at once. It keeps its taxonomy for good.

    Raises Invalid `unknown_taxonomy` for one of another site, and Conflict `slug_taken`.
    """
    if taxonomy.site_id != site.pk:
        raise Invalid(_("Choose classes of the same site."), code="unknown_taxonomy")
    try:
        with transaction.atomic():
            require_in_use(site)
            queue = Queue.objects.create(
                site=site,
                slug=slug,
                name=name,
                taxonomy=taxonomy,
                guide=guide,
                due_in=due_in,
                undo_window=undo_window,
                asks_complete=asks_complete,
            )
            derive_all(now=now)
            audit.record(
                "queue.created",
                actor=maker,
                on=queue,
                site_id=site.pk,
                queue_id=queue.pk,
                action=audit.Action.CREATE,
                slug=slug,
            )
    except IntegrityError:
        raise Conflict(_("The site has a queue with this short name already."), code="slug_taken") from None
    return queue
