"""Guardian's object permissions, derived from the grants in force."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from guardian.models import UserObjectPermission

from accounts import broadcast
from accounts.models import Grant, Lease, SignInRule, User
from accounts.models.grant import Scope
from accounts.roles import RIGHTS, Role
from accounts.scopes import SCOPED


def one_at_a_time(now: datetime) -> None:
    """Wait until no other transaction changes grants or what they reach; until the end of this one.

    Two at once would derive from rows that the other one is about to change.
    """
    Lease.objects.one_at_a_time("grants", now=now)


def derive(person: User, *, now: datetime) -> None:
    """Make guardian's object permissions and the role groups of `person` those that the grants in force give.

    A site's grant reaches the queues of the site. The end of a grant is checked by `access`, so this need not run when
    one expires. Open sockets of the person look again on commit.
    """
    wanted = set()
    roles = set()
    for grant in Grant.objects.live(now).filter(person=person):
        roles.add(Role(grant.role))
        for right in RIGHTS[Role(grant.role)]:
            wanted |= {(right.value, label, pk) for label, pk in objects_in(grant)}
    person.groups.set([Group.objects.get_or_create(name=role.value)[0] for role in sorted(roles)])
    replace_permissions(person, wanted)
    needs = SignInRule.objects.filter(mfa_required=True, role__in=roles).exists()
    User.objects.filter(pk=person.pk).exclude(needs_factor=needs).update(needs_factor=needs)
    broadcast.rights_changed(person.pk)


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
