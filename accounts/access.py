"""Which rights a person holds where. The doors of `inference` and `review` stand on these answers.

A grant is the truth; guardian's object permissions are derived from it by `accounts.actions.grants`. Both must agree
before anything opens: guardian's row says that the right was given on this object, the grant that it is still in force.
Membership of `is_superuser` opens nothing here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from guardian.shortcuts import get_objects_for_user

from accounts.models import Grant, User
from accounts.models.grant import Scope
from accounts.roles import RIGHTS, Right, Role

Visitor = User | AnonymousUser


@dataclass(frozen=True, slots=True)
class Held:
    """One grant in force: a role on a scope."""

    role: Role
    scope_type: str
    scope_id: UUID | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a person holds one right."""

    everywhere: bool
    sites: frozenset[UUID]
    queues: frozenset[UUID]

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.sites) or bool(self.queues)


def held_by(person: Visitor, *, now: datetime | None = None) -> list[Held]:
    """The grants of an active person in force now."""
    if not isinstance(person, User) or not person.is_active:
        return []
    rows = Grant.objects.live(now or timezone.now()).filter(person=person)
    return [Held(Role(role), scope, pk) for role, scope, pk in rows.values_list("role", "scope_type", "scope_id")]


def reach(person: Visitor, right: Right, *, now: datetime | None = None) -> Reach:
    """Where `person` holds `right` now."""
    rows = [held for held in held_by(person, now=now) if right in RIGHTS[held.role]]
    return Reach(
        everywhere=any(held.scope_type == Scope.EVERYWHERE for held in rows),
        sites=frozenset(held.scope_id for held in rows if held.scope_type == Scope.SITE and held.scope_id),
        queues=frozenset(held.scope_id for held in rows if held.scope_type == Scope.QUEUE and held.scope_id),
    )


def permitted[T: Model](person: Visitor, right: Right, objects: QuerySet[T]) -> QuerySet[T]:
    """Those of `objects` (sites or queues) on which guardian says that `person` was given `right`."""
    if not isinstance(person, User) or not person.is_active:
        return objects.none()
    permission = f"{objects.model._meta.app_label}.{right.value}"
    allowed: QuerySet[T] = get_objects_for_user(
        person, permission, klass=objects, use_groups=False, with_superuser=False, accept_global_perms=False
    )
    return allowed


def roles_of(person: Visitor, *, now: datetime | None = None) -> set[Role]:
    """The roles that `person` holds anywhere."""
    return {held.role for held in held_by(person, now=now)}


def scope_filter(where: Reach, *, site: str, queue: str | None = None) -> Q:
    """A filter for rows of the reach: `site` and `queue` name the columns that hold the ids."""
    if where.everywhere:
        return Q()
    condition = Q(**{f"{site}__in": where.sites})
    if queue is not None:
        condition |= Q(**{f"{queue}__in": where.queues})
    return condition


def audit_entries_for(person: Visitor) -> QuerySet[Any]:
    """The audit entries that `person` may read: of the sites, of releases or devices there, and the own story."""
    from accounts.models import AuditEntry

    if not isinstance(person, User) or not person.is_active:
        none: QuerySet[Any] = AuditEntry.objects.none()
        return none
    condition = Q(actor=person)
    site = reach(person, Right.AUDIT_SITE)
    if site:
        condition |= (
            scope_filter(site, site="site_id", queue="queue_id") if not site.everywhere else Q(pk__isnull=False)
        )
    releases = reach(person, Right.AUDIT_RELEASES)
    if releases:
        condition |= Q(verb__startswith="release.") & scope_filter(releases, site="site_id")
    devices = reach(person, Right.AUDIT_DEVICES)
    if devices:
        condition |= Q(verb__startswith="source.") & scope_filter(devices, site="site_id")
    found: QuerySet[Any] = AuditEntry.objects.filter(condition)
    return found
