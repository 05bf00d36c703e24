"""What one person can see, and why: each right, where it reaches, and through which grants.

Put together as the doors do it (`accounts.access`): a grant in force says where, guardian's rows must agree.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from guardian.models import UserObjectPermission

from accounts.access import Held, Reach, permitted, reach_of
from accounts.models import Grant, User
from accounts.models.grant import GrantQuerySet, Scope
from accounts.roles import RIGHTS, Right, Role
from accounts.scopes import SCOPED, Named, named, names_of, rows_of, within

# So many names of places that disagree are shown; one is enough to act on.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Way:
    """A grant that gives a right, and where."""

    grant: Grant
    role: str
    where: str


@dataclass(frozen=True, slots=True)
class Reached:
    """One right that a person holds. `shut` names places where a grant says yes and the doors say no."""

    right: Right
    ways: list[Way]
    shut: list[str]


def reached(person: User, grants: GrantQuerySet, *, now: datetime) -> list[Reached]:
    """The rights of `person` through those of his `grants` that the reader may know of."""
    rows = [grant for grant in grants.live(now).filter(person=person) if person.is_active]
    names = names_of({grant.scope_key for grant in rows})
    return [one(person, right, rows, names) for right in Right if any(gives(grant, right) for grant in rows)]


def one(person: User, right: Right, rows: list[Grant], names: dict[tuple[str, UUID | None], Named]) -> Reached:
    held = [Held(Role(grant.role), grant.scope_type, grant.scope_id) for grant in rows]
    ways = [
        Way(grant, grant.get_role_display(), place(names[grant.scope_key])) for grant in rows if gives(grant, right)
    ]
    return Reached(right, ways, shut(person, right, reach_of(held, right)))


def gives(grant: Grant, right: Right) -> bool:
    return right in RIGHTS[Role(grant.role)]


def place(scope: Named) -> str:
    """A scope in words that say how far it reaches."""
    if scope.gone:
        return _("a place that exists no more: opens nothing")
    if scope.type == Scope.EVERYWHERE:
        return _("everywhere: every site and its queues")
    if scope.type == Scope.SITE:
        return _("%s and all of its queues") % scope.name
    return _("the queue %s only") % scope.name


def shut(person: User, right: Right, where: Reach) -> list[str]:
    """The sites and queues within a reach on which guardian does not say yes: their doors are shut."""
    found: list[str] = []
    for scope in SCOPED:
        rows = rows_of(scope).filter(within(where, scope))
        closed = rows.exclude(pk__in=permitted(person, right, rows_of(scope)).values("pk"))
        found += [named(scope, row).name for row in closed[:SHOWN]]
    return found


def left_over(person: User, *, now: datetime) -> list[str]:
    """Rights for which guardian has rows while no grant gives them, not even one whose end has passed.

    They open nothing, and tell that somebody wrote into the database by hand.
    """
    unrevoked = Grant.objects.filter(person=person, revoked_at=None).values_list("role", flat=True)
    explained = {right for role in unrevoked for right in RIGHTS[Role(role)]}
    rows = UserObjectPermission.objects.filter(user=person, permission__codename__in=set(Right) - explained)
    return [str(Right(name).label) for name in sorted(set(rows.values_list("permission__codename", flat=True)))]
