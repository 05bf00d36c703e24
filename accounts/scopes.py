"""What a role can be given on: everywhere, a site, a queue. Their names, and what lies within what.

Sites and queues belong to apps above this one, so their models are named and not imported.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.exceptions import Invalid
from accounts.models.grant import Scope

if TYPE_CHECKING:
    from accounts.access import Reach

SCOPED = {Scope.SITE: "inference.Site", Scope.QUEUE: "review.Queue"}


@dataclass(frozen=True, slots=True)
class Named:
    """One scope as people read it. `site_id` is its site; None for everywhere and for what exists no more."""

    type: Scope
    id: UUID | None
    name: str
    site_id: UUID | None = None
    gone: bool = False
    # The queue's own name, without its site's.
    queue: str = ""

    @property
    def key(self) -> str:
        return f"{self.type}:{self.id or ''}"


def rows_of(scope: Scope) -> "QuerySet[Any]":
    rows: QuerySet[Any] = apps.get_model(SCOPED[scope])._default_manager.all()
    return rows if scope == Scope.SITE else rows.select_related("site")


def site_of(scope: Scope, scope_id: UUID | None) -> UUID | None:
    """The site to which a scope belongs; None for everywhere. Raises Invalid for an unknown scope."""
    if scope == Scope.EVERYWHERE:
        return None
    found = rows_of(scope).filter(pk=scope_id).first()
    if found is None:
        raise Invalid(_("There is no such site or queue."), code="unknown_scope")
    site_id: UUID = named(scope, found).site_id or found.pk
    return site_id


def site_of_what_was(scope: Scope, scope_id: UUID | None) -> UUID | None:
    """As `site_of`, and None for a site or queue that exists no more."""
    try:
        return site_of(scope, scope_id)
    except Invalid:
        return None


def named(scope: Scope, row: Any) -> Named:
    if scope == Scope.SITE:
        return Named(scope, row.pk, row.name, row.pk)
    return Named(scope, row.pk, f"{row.site.name} · {row.name}", row.site_id, queue=row.name)


def within(where: "Reach", scope: Scope) -> Q:
    """A condition on sites or queues: those inside a reach; a site's reach holds its queues."""
    if where.everywhere:
        return Q()
    if scope == Scope.SITE:
        return Q(pk__in=where.sites)
    return Q(site__in=where.sites) | Q(pk__in=where.queues)


def scopes_within(where: "Reach") -> list[Named]:
    """The scopes that somebody with this reach may hand roles out on, the widest first."""
    found = [Named(Scope.EVERYWHERE, None, _("everywhere"))] if where.everywhere else []
    for scope in SCOPED:
        found += [named(scope, row) for row in rows_of(scope).filter(within(where, scope)).order_by("name")]
    return found


def names_of(keys: set[tuple[str, UUID | None]]) -> dict[tuple[str, UUID | None], Named]:
    """The scopes named by (type, id), in one query per type; what exists no more is said to be gone."""
    found: dict[tuple[str, UUID | None], Named] = {("everywhere", None): Named(Scope.EVERYWHERE, None, _("everywhere"))}
    for scope in SCOPED:
        wanted = {pk for kind, pk in keys if kind == scope}
        found |= {(scope, pk): Named(scope, pk, _("exists no more"), gone=True) for pk in wanted}
        rows = rows_of(scope).filter(pk__in=wanted) if wanted else []
        found |= {(scope, row.pk): named(scope, row) for row in rows}
    return found


def inside(where: "Reach") -> Q:
    """A condition on grants: those on the scopes of a reach. Grants on what is gone are seen from everywhere only."""
    if where.everywhere:
        return Q()
    queues = rows_of(Scope.QUEUE).filter(within(where, Scope.QUEUE)).values("pk")
    on_site = Q(scope_type=Scope.SITE, scope_id__in=where.sites)
    return on_site | Q(scope_type=Scope.QUEUE, scope_id__in=queues)
