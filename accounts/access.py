"""Which rights a person holds where. The doors of `inference` and `review` stand on these answers.

A grant is the truth; guardian's object permissions are derived from it by `accounts.actions.grants`. Both must agree
before anything opens: guardian's row says that the right was given on this object, the grant that it is still in force.
Membership of `is_superuser` opens nothing here.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.shortcuts import get_objects_for_user

from accounts.context import recall, remember
from accounts.exceptions import NotFound, Refused
from accounts.models import AuditEntry, Badge, Grant, Invitation, User, Workstation
from accounts.models.grant import GrantQuerySet, Scope
from accounts.roles import RIGHTS, Right, Role
from accounts.scopes import inside, rows_of

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
    found = [Held(Role(role), scope, pk) for role, scope, pk in rows.values_list("role", "scope_type", "scope_id")]
    remember(("held", person.pk), found)
    return found


def held_in_request(person: User) -> list[Held]:
    """The grants that the doors of this request saw last: what an entry says of the person, never what opens."""
    found: list[Held] | None = recall(("held", person.pk))
    return held_by(person) if found is None else found


def reach(person: Visitor, right: Right, *, now: datetime | None = None) -> Reach:
    """Where `person` holds `right` now."""
    return reach_of(held_by(person, now=now), right)


def reach_of(held_now: list[Held], right: Right) -> Reach:
    """Where these grants give `right`."""
    rows = [held for held in held_now if right in RIGHTS[held.role]]
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


def granting(person: Visitor) -> Reach:
    """Where `person` may give or take back some role."""
    every, operators = reach(person, Right.GRANT_ALL), reach(person, Right.GRANT_OPERATOR)
    return Reach(
        everywhere=every.everywhere or operators.everywhere,
        sites=every.sites | operators.sites,
        queues=every.queues | operators.queues,
    )


def grants_for(person: Visitor) -> GrantQuerySet:
    """The grants that `person` may know of: on the scopes where he may grant something."""
    where = granting(person)
    return Grant.objects.filter(inside(where)) if where else Grant.objects.none()


def invitations_for(person: Visitor) -> QuerySet[Invitation]:
    """The links that `person` may see and revoke: the own ones, all for administrators; none without the right."""
    if reach(person, Right.GRANT_ALL).everywhere:
        return Invitation.objects.all()
    return Invitation.objects.filter(made_by=person) if granting(person) else Invitation.objects.none()  # type: ignore[misc]


def people_for(person: Visitor, *, now: datetime | None = None) -> QuerySet[User]:
    """The people whom `person` may see: who hold a role on a scope where he may grant; all for administrators."""
    if reach(person, Right.GRANT_ALL, now=now).everywhere:
        return User.objects.all()
    return User.objects.filter(pk__in=grants_for(person).live(now or timezone.now()).values("person"))


def person_for(person: Visitor, public_id: UUID) -> User:
    """The person by the id in addresses, or NotFound: unknown and "not yours to see" are one answer."""
    found = people_for(person).filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def administers(person: Visitor, other: User, *, now: datetime | None = None) -> bool:
    """Whether `person` may act on the account of `other`: he may give every role that `other` holds, and one at least.

    So nobody who administers one site can switch off, or get into, an account that reaches another one.
    """
    where = reach(person, Right.GRANT_ALL, now=now)
    if where.everywhere or not where:
        return where.everywhere
    held = Grant.objects.live(now or timezone.now()).filter(person=other)
    return held.exists() and not held.exclude(inside(where)).exists()


def require_administers(person: Visitor, other: User, *, now: datetime | None = None) -> None:
    """Raise Refused unless `person` may act on the account of `other`."""
    if not administers(person, other, now=now):
        raise Refused(_("Only somebody who administers everything that this person may use can do this."))


def sites_known_to(person: Visitor) -> QuerySet[Any]:
    """The sites where `person` holds any role, by name: what he may say that a computer stands at."""
    held = held_by(person)
    rows = rows_of(Scope.SITE).order_by("name")
    if any(one.scope_type == Scope.EVERYWHERE for one in held):
        return rows
    queues = rows_of(Scope.QUEUE).filter(pk__in=[one.scope_id for one in held if one.scope_type == Scope.QUEUE])
    sites = [one.scope_id for one in held if one.scope_type == Scope.SITE]
    return rows.filter(Q(pk__in=sites) | Q(pk__in=queues.values("site_id")))


def manages_workstations(person: Visitor) -> bool:
    """Whether `person` may grant something on a site or everywhere."""
    where = granting(person)
    return where.everywhere or bool(where.sites)


def workstations_for(person: Visitor) -> QuerySet[Workstation]:
    """The shared workstations of the sites where `person` may grant; those of no site for who may grant everywhere."""
    where = granting(person)
    return Workstation.objects.live().filter(scope_filter(where, site="site_id"))


def workstation_for(person: Visitor, pk: UUID) -> Workstation:
    found = workstations_for(person).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def badges_for(person: Visitor) -> QuerySet[Badge]:
    """The badges in use of the people whom `person` may see; he must manage the workstations of a site at least."""
    rows = Badge.objects.live().select_related("person")
    return rows.filter(person__in=people_for(person)) if manages_workstations(person) else rows.none()


def badge_for(person: Visitor, pk: UUID) -> Badge:
    found = badges_for(person).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def audit_entries_for(person: Visitor) -> QuerySet[Any]:
    """The audit entries that `person` may read: of the sites, of releases or devices there, and the own story."""
    found: QuerySet[Any] = AuditEntry.objects.filter(any_of(audit_branches(person)))
    return found


def any_of(branches: list[Q]) -> Q:
    """What meets one of `branches`; nothing meets none of them."""
    return reduce(or_, branches) if branches else Q(pk__in=[])


def audit_branches(person: Visitor, *, own: bool = True) -> list[Q]:
    """`audit_entries_for` as conditions of which one must hold; an index serves each. `own`: with the own story."""
    if not isinstance(person, User) or not person.is_active:
        return []
    site = reach(person, Right.AUDIT_SITE)
    if site.everywhere:
        return [Q(pk__isnull=False)]
    branches = [Q(actor=person)] if own else []
    branches += [Q(site_id=pk) for pk in sorted(site.sites)] + [Q(queue_id=pk) for pk in sorted(site.queues)]
    for right, prefix in ((Right.AUDIT_RELEASES, "release."), (Right.AUDIT_DEVICES, "source.")):
        where, verb = reach(person, right), Q(verb__startswith=prefix)
        if where.everywhere:
            branches.append(verb)
        branches += [verb & Q(site_id=pk) for pk in sorted(where.sites - site.sites)]
    return branches


def audited_sites(person: Visitor) -> Reach:
    """The sites, queues or everywhere whose trail `person` may read in whole or in part."""
    rights = (Right.AUDIT_SITE, Right.AUDIT_RELEASES, Right.AUDIT_DEVICES)
    found = [reach(person, right) for right in rights]
    return Reach(
        everywhere=any(where.everywhere for where in found),
        sites=frozenset[UUID]().union(*(where.sites for where in found)),
        queues=frozenset[UUID]().union(*(where.queues for where in found)),
    )
