"""Giving and taking back roles. Guardian's object permissions follow in the same transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermission

from accounts import audit
from accounts.access import Reach, reach
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import Grant, Lease, User
from accounts.models.grant import Scope
from accounts.roles import RIGHTS, Right, Role

# The scoped models by label: they belong to apps above this one, so they are named and not imported.
SCOPED = {Scope.SITE: "inference.Site", Scope.QUEUE: "review.Queue"}


def give(
    *,
    person: User,
    role: Role,
    scope: Scope,
    scope_id: UUID | None = None,
    reason: str,
    giver: User | None,
    now: datetime,
    ends_at: datetime | None = None,
) -> Grant:
    """Give `role` on the scope. A `giver` of None is the command line of the machine itself.

    Raises Refused when the giver does not hold the right to grant it there, Invalid for an end in the past, a missing
    reason or an unknown scope, Conflict when the person has this grant already.
    """
    if not reason.strip():
        raise Invalid(_("Say why this role is given."), code="reason_required")
    if ends_at is not None and ends_at <= now:
        raise Invalid(_("The end lies in the past."), code="end_in_the_past")
    site_id = site_of(scope, scope_id)
    if giver is not None:
        require_may_grant(giver, role, scope=scope, scope_id=scope_id, site_id=site_id)
    with transaction.atomic():
        one_at_a_time(now)
        close_ended(person, role, scope, scope_id, now)
        try:
            with transaction.atomic():
                grant = Grant.objects.create(
                    person=person,
                    role=role,
                    scope_type=scope,
                    scope_id=scope_id,
                    reason=reason.strip(),
                    ends_at=ends_at,
                    granted_by=giver,
                    created_at=now,
                )
        except IntegrityError:
            raise Conflict(_("This person has this role there already."), code="grant_exists") from None
        derive(person, now=now)
        audit.record("grant.given", actor=giver, on=person, site_id=site_id, **story(grant))
    return grant


def one_at_a_time(now: datetime) -> None:
    """Wait until no other transaction changes grants or what they reach; until the end of this one.

    Two at once would derive from rows that the other one is about to change.
    """
    Lease.objects.one_at_a_time("grants", now=now)


def take_back(*, grant: Grant, taker: User, reason: str, now: datetime) -> None:
    """End a grant now. The last administrator everywhere cannot be removed."""
    if not reason.strip():
        raise Invalid(_("Say why this role is taken back."), code="reason_required")
    role, scope = Role(grant.role), Scope(grant.scope_type)
    site_id = site_of(scope, grant.scope_id)
    require_may_grant(taker, role, scope=scope, scope_id=grant.scope_id, site_id=site_id)
    with transaction.atomic():
        # Two who take back the last two administrators at once go one after the other, and the second one is refused.
        one_at_a_time(now)
        if not Grant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=now, revoked_by=taker):
            raise Conflict(_("This grant has ended already."), code="grant_ended")
        if role == Role.ADMINISTRATOR and not Grant.objects.last_everywhere(role, now).exists():
            raise Conflict(_("The last administrator cannot be removed."), code="last_administrator")
        derive(grant.person, now=now)
        audit.record("grant.taken_back", actor=taker, on=grant.person, site_id=site_id, why=reason, **story(grant))


def close_ended(person: User, role: Role, scope: Scope, scope_id: UUID | None, now: datetime) -> None:
    """Mark this grant as over if its end has passed, so that it can be given anew."""
    same = Grant.objects.filter(person=person, role=role, scope_type=scope, scope_id=scope_id, revoked_at=None)
    same.filter(ends_at__lte=now).update(revoked_at=F("ends_at"))


def require_may_grant(giver: User, role: Role, *, scope: Scope, scope_id: UUID | None, site_id: UUID | None) -> None:
    """Raise Refused unless `giver` may hand out `role` on this scope: administrators all, supervisors operators."""
    for right in (Right.GRANT_ALL, Right.GRANT_OPERATOR):
        if right == Right.GRANT_OPERATOR and role != Role.OPERATOR:
            continue
        where = reach(giver, right)
        if where.everywhere or (site_id is not None and site_id in where.sites):
            return
        if scope == Scope.QUEUE and scope_id in where.queues:
            return
    raise Refused(_("You cannot give or take this role there."))


def site_of(scope: Scope, scope_id: UUID | None) -> UUID | None:
    """The site to which a scope belongs; None for everywhere. Raises Invalid for an unknown scope."""
    if scope == Scope.EVERYWHERE:
        return None
    found = apps.get_model(SCOPED[scope])._default_manager.filter(pk=scope_id).first()
    if found is None:
        raise Invalid(_("There is no such site or queue."), code="unknown_scope")
    site_id: UUID = found.pk if scope == Scope.SITE else found.site_id
    return site_id


def derive(person: User, *, now: datetime) -> None:
    """Make guardian's object permissions and the role groups of `person` those that the grants in force give.

    A site's grant reaches the queues of the site. The end of a grant is checked by `access`, so this need not run when
    one expires.
    """
    wanted = set()
    roles = set()
    for grant in Grant.objects.live(now).filter(person=person):
        roles.add(Role(grant.role))
        for right in RIGHTS[Role(grant.role)]:
            wanted |= {(right.value, label, pk) for label, pk in objects_in(grant)}
    person.groups.set([Group.objects.get_or_create(name=role.value)[0] for role in sorted(roles)])
    replace_permissions(person, wanted)


def objects_in(grant: Grant) -> list[tuple[str, str]]:
    """(model label, primary key) of each site and queue that a grant reaches."""
    found: list[tuple[str, str]] = []
    for scope, label in SCOPED.items():
        rows: Any = apps.get_model(label)._default_manager.all()
        if grant.scope_type == Scope.SITE:
            rows = rows.filter(**{"pk" if scope == Scope.SITE else "site_id": grant.scope_id})
        elif grant.scope_type == Scope.QUEUE:
            rows = rows.filter(pk=grant.scope_id) if scope == Scope.QUEUE else rows.none()
        found += [(label, str(pk)) for pk in rows.values_list("pk", flat=True)]
    return found


def replace_permissions(person: User, wanted: set[tuple[str, str, str]]) -> None:
    """Make the object permissions of `person` exactly `wanted`: (codename, model label, primary key)."""
    types = {label: ContentType.objects.get_for_model(apps.get_model(label)) for label in SCOPED.values()}
    labels = {kind.pk: label for label, kind in types.items()}
    permissions = {
        (permission.codename, labels[permission.content_type_id]): permission
        for permission in apps.get_model("auth.Permission")._default_manager.filter(content_type__in=types.values())
    }
    rows = UserObjectPermission.objects.filter(user=person, content_type__in=types.values())
    present = {
        (row.permission.codename, labels[row.content_type_id], row.object_pk): row
        for row in rows.select_related("permission")
    }
    UserObjectPermission.objects.filter(pk__in=[row.pk for key, row in present.items() if key not in wanted]).delete()
    UserObjectPermission.objects.bulk_create(
        UserObjectPermission(
            user=person, permission=permissions[codename, label], content_type=types[label], object_pk=pk
        )
        for codename, label, pk in wanted - present.keys()
    )


def derive_all(*, now: datetime) -> None:
    """Derive again for everybody whose grants could reach a new site or queue; inside the transaction that made it."""
    one_at_a_time(now)
    for person in User.objects.filter(grants__in=Grant.objects.live(now)).distinct():
        derive(person, now=now)


def story(grant: Grant) -> dict[str, Any]:
    return {
        "role": grant.role,
        "scope": grant.scope_type,
        "scope_id": str(grant.scope_id) if grant.scope_id else None,
        "reason": grant.reason,
        "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
    }


def scopes_within(where: Reach) -> list[tuple[Scope, UUID | None, str]]:
    """The scopes that somebody with this reach may hand roles out on: (type, id, name)."""
    found: list[tuple[Scope, UUID | None, str]] = [(Scope.EVERYWHERE, None, str(_("everywhere")))]
    found = found if where.everywhere else []
    for scope, label in SCOPED.items():
        rows: Any = apps.get_model(label)._default_manager.order_by("name")
        if not where.everywhere:
            inside = Q(pk__in=where.sites) if scope == Scope.SITE else Q(site__in=where.sites) | Q(pk__in=where.queues)
            rows = rows.filter(inside)
        found += [(scope, row.pk, row.name if scope == Scope.SITE else f"{row.site.name} · {row.name}") for row in rows]
    return found
