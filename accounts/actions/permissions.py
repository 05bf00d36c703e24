"""Guardian's object permissions, derived from the grants in force: set by set, quick for thousands of people."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import batched
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from guardian.models import UserObjectPermission

from accounts import broadcast
from accounts.models import Grant, Lease, SignInRule, User
from accounts.models.grant import Scope
from accounts.roles import RIGHTS, Role
from accounts.scopes import SCOPED, rows_of

PEOPLE = 500
ROWS = 1000
# One of guardian's rows: person, permission, content type, primary key of the object.
Row = tuple[int, int, int, str]


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
    derive_people([person.pk], now)
    broadcast.rights_changed(person.pk)


def derive_all(*, now: datetime) -> None:
    """Derive again for everybody whose grants could reach a new site or queue; inside the transaction that made it."""
    one_at_a_time(now)
    people = Grant.objects.live(now).order_by("person").values_list("person", flat=True).distinct()
    for batch in batched(list(people), PEOPLE):
        for person_id in derive_people(batch, now):
            broadcast.rights_changed(person_id)


def derive_people(people: Iterable[int], now: datetime) -> set[int]:
    """Derive for these people, in as many queries for many as for one. Returns whose permissions changed."""
    grants: dict[int, list[Grant]] = {person_id: [] for person_id in people}
    for grant in Grant.objects.live(now).filter(person__in=grants):
        grants[grant.person_id].append(grant)
    roles = {person_id: {grant.role for grant in held} for person_id, held in grants.items()}
    replace_groups(roles)
    replace_needs(roles)
    return replace_permissions(list(grants), wanted_rows(grants))


def wanted_rows(grants: dict[int, list[Grant]]) -> set[Row]:
    """The rows that these grants ask for."""
    reached, permissions = places(), permission_ids()
    found: set[Row] = set()
    for person_id, held in grants.items():
        for grant in held:
            inside = reached[grant.scope_type, str(grant.scope_id or "")]
            names = [right.value for right in RIGHTS[Role(grant.role)]]
            found |= {(person_id, permissions[name, kind], kind, pk) for kind, pk in inside for name in names}
    return found


def places() -> dict[tuple[str, str], set[tuple[int, str]]]:
    """For each scope the sites and queues that a grant on it reaches, as (content type, primary key)."""
    found: dict[tuple[str, str], set[tuple[int, str]]] = defaultdict(set)
    kinds = kind_ids()
    for site_id in rows_of(Scope.SITE).values_list("pk", flat=True):
        for scope in ((Scope.SITE, str(site_id)), (Scope.EVERYWHERE, "")):
            found[scope].add((kinds[Scope.SITE], str(site_id)))
    for queue_id, site_id in rows_of(Scope.QUEUE).values_list("pk", "site_id"):
        for scope in ((Scope.QUEUE, str(queue_id)), (Scope.SITE, str(site_id)), (Scope.EVERYWHERE, "")):
            found[scope].add((kinds[Scope.QUEUE], str(queue_id)))
    return found


def kind_ids() -> dict[Scope, int]:
    return {scope: ContentType.objects.get_for_model(apps.get_model(label)).pk for scope, label in SCOPED.items()}


def permission_ids() -> dict[tuple[str, int], int]:
    """The permission of each codename on each content type of ours."""
    rows = Permission.objects.filter(content_type__in=kind_ids().values())
    return {(codename, kind): pk for codename, kind, pk in rows.values_list("codename", "content_type", "pk")}


def replace_permissions(people: list[int], wanted: set[Row]) -> set[int]:
    """Make the object permissions of these people exactly `wanted`. Returns whose changed."""
    rows = UserObjectPermission.objects.filter(user__in=people, content_type__in=kind_ids().values())
    columns = ("user_id", "permission_id", "content_type_id", "object_pk")
    present: dict[Row, int] = {tuple(row[1:]): row[0] for row in rows.values_list("pk", *columns)}
    gone, new = present.keys() - wanted, wanted - present.keys()
    for batch in batched([present[row] for row in gone], ROWS):
        UserObjectPermission.objects.filter(pk__in=batch).delete()
    made = [UserObjectPermission(**dict(zip(columns, row, strict=True))) for row in new]
    UserObjectPermission.objects.bulk_create(made, batch_size=ROWS)
    return {row[0] for row in gone | new}


def replace_groups(roles: dict[int, set[str]]) -> None:
    """Make the groups of these people those of their roles."""
    ids = {name: Group.objects.get_or_create(name=name)[0].pk for name in sorted(set().union(*roles.values()))}
    members: Any = User.groups.through._default_manager
    present = {tuple(row) for row in members.filter(user__in=roles).values_list("user_id", "group_id")}
    wanted = {(person_id, ids[name]) for person_id, names in roles.items() for name in names}
    for person_id, group_id in present - wanted:
        members.filter(user=person_id, group=group_id).delete()
    members.bulk_create([members.model(user_id=one, group_id=group) for one, group in wanted - present])


def replace_needs(roles: dict[int, set[str]]) -> None:
    """Remember who needs a second factor, because a role of his does."""
    strict = set(SignInRule.objects.filter(mfa_required=True).values_list("role", flat=True))
    for needs in (True, False):
        people = [person_id for person_id, held in roles.items() if bool(held & strict) == needs]
        User.objects.filter(pk__in=people).exclude(needs_factor=needs).update(needs_factor=needs)
