"""Whether somebody may open something, and through which of his roles: for the people who hand roles out.

The apps above register how their objects are found, through their own doors, so that the answer is the doors' own.
Whoever asks learns nothing about what he himself may not see: that, and what does not exist, are one answer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.access import Visitor, grants_for
from accounts.models import Grant, User
from accounts.models.grant import GrantQuerySet, Scope
from accounts.roles import RIGHTS, Right, Role
from accounts.scopes import names_of

LONGEST = 500
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class Needs:
    """One right that opens an object, and the scopes a grant on which gives it: everywhere, the site, a queue.

    `first` names what the person has to do as well, when the right alone does not open it.
    """

    right: Right
    site_id: UUID
    queues: frozenset[UUID] = frozenset()
    first: str | Promise = ""

    def met_by(self, grant: Grant) -> bool:
        reaches = {
            Scope.EVERYWHERE: True,
            Scope.SITE: grant.scope_id == self.site_id,
            Scope.QUEUE: grant.scope_id in self.queues,
        }
        return self.right in RIGHTS[Role(grant.role)] and reaches[Scope(grant.scope_type)]


@dataclass(frozen=True, slots=True)
class Door:
    """How one kind of object is found, and what opens it.

    `find` returns the object, or None when it does not exist or is hidden from the visitor.
    """

    label: str | Promise
    find: Callable[[Visitor, UUID], Any]
    needs: Callable[[Any], list[Needs]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said about one address; `opens` is None when there is nothing that the asker may know of.

    `problem` says that the roles open what the doors keep shut, which needs somebody's attention.
    """

    address: str
    what: str = ""
    opens: bool | None = None
    because: tuple[str, ...] = ()
    problem: bool = False


_doors: dict[str, Door] = {}


def register(segment: str, door: Door) -> None:
    """Let `ask` find objects whose addresses are `.../<segment>/<id>`."""
    _doors[segment] = door


def labels() -> list[str]:
    """The kinds of objects that can be asked about, in words."""
    return [str(door.label) for door in _doors.values()]


def ask(*, asker: User, person: User, address: str, now: datetime) -> Answer:
    """Say whether `person` may open what stands at `address` (a URL, a path or a bare id), and why."""
    address = address.replace("\0", "").strip()[:LONGEST]
    for door, pk in candidates(address):
        found = door.find(asker, pk)
        if found is not None:
            return answered(address, door, found, asker, person, now)
    return Answer(address)


def candidates(address: str) -> list[tuple[Door, UUID]]:
    """The doors at which to look. A bare id is looked for at all of them."""
    for segment, door in _doors.items():
        if named := re.search(rf"(?:^|/){segment}/({ID})(?![0-9a-z-])", address, re.IGNORECASE):
            return [(door, UUID(named[1]))]
    bare = re.fullmatch(ID, address, re.IGNORECASE)
    return [(door, UUID(address)) for door in _doors.values()] if bare else []


def answered(address: str, door: Door, found: Any, asker: User, person: User, now: datetime) -> Answer:
    """The answer about an object that the asker may see himself."""
    what = f"{door.label} {found}"
    if not person.is_active:
        return Answer(address, what, False, (_("The account is deactivated, so nothing opens."),))
    opens = door.find(person, found.pk) is not None
    pairs = [
        (n, grant) for grant in known_grants(asker, person).live(now) for n in door.needs(found) if n.met_by(grant)
    ]
    if opens:
        return Answer(address, what, True, tuple(words(pairs)) or (_("Through a role that is not yours to see."),))
    if not pairs:
        return Answer(address, what, False, (_("No role that you may see reaches it."),))
    shut = all(not needs.first for needs, _grant in pairs)
    return Answer(address, what, False, tuple(words(pairs)), problem=shut)


def words(pairs: list[tuple[Needs, Grant]]) -> list[str]:
    """Each role that reaches an object as a sentence."""
    names = names_of({grant.scope_key for _needs, grant in pairs})
    return [
        _("%(role)s, %(where)s: may %(right)s")
        % {
            "role": grant.get_role_display(),
            "where": names[grant.scope_key].name,
            "right": needs.right.label,
        }
        + (f" ({needs.first})" if needs.first else "")
        for needs, grant in pairs
    ]


def known_grants(asker: User, person: User) -> GrantQuerySet:
    """The grants of `person` that `asker` may know of; everybody knows his own."""
    return (Grant.objects.all() if asker.pk == person.pk else grants_for(asker)).filter(person=person)
