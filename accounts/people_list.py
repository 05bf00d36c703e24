"""The list of people that one person may see: filtered, in pages, in a constant number of queries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery, TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.access import Reach, grants_for, people_for
from accounts.ids import as_uuid
from accounts.models import Grant, Session, User
from accounts.models.person import PersonQuerySet
from accounts.roles import Role
from accounts.scopes import Named, inside, names_of

SIZE = 50


class State(TextChoices):
    """What an account is like, as people filter by it."""

    ACTIVE = "active", _("active")
    WAITING = "waiting", _("never signed in")
    DEACTIVATED = "deactivated", _("deactivated")
    ROLELESS = "roleless", _("without a role")


@dataclass(frozen=True, slots=True)
class Badge:
    """One role of a person as a short mark."""

    grant: Grant
    scope: Named


@dataclass(frozen=True, slots=True)
class Row:
    person: User
    state: State
    badges: list[Badge]


def state_of(person: User) -> State:
    if not person.is_active:
        return State.DEACTIVATED
    return State.ACTIVE if person.last_login else State.WAITING


def page_of(
    viewer: User, chosen: dict[str, str], *, now: datetime, site: UUID | None = None
) -> tuple[list[Row], str, int]:
    """A page of people, the id after which the next one begins ("" at the end), and how many there are in all."""
    found = filtered(viewer, chosen, now, site)
    rows = found.annotate(seen_at=Subquery(last_seen()))
    if begin := as_uuid(chosen.get("after", "")):
        rows = rows.after(begin)
    people = list(rows[: SIZE + 1])
    following = str(people[SIZE - 1].public_id) if len(people) > SIZE else ""
    return rows_of_people(viewer, people[:SIZE], now), following, found.count()


def last_seen() -> Any:
    return Session.objects.filter(person=OuterRef("pk")).order_by("-seen_at").values("seen_at")[:1]


def filtered(viewer: User, chosen: dict[str, str], now: datetime, site: UUID | None) -> PersonQuerySet:
    people = User.objects.by_name().filter(pk__in=people_for(viewer, now=now).values("pk"))
    if text := chosen.get("q", "").replace("\0", "").strip():
        people = people.called(text)
    held = grants_for(viewer).live(now)
    if chosen.get("role") in Role.values:
        held = held.filter(role=chosen["role"])
    if site is not None:
        held = held.filter(inside(Reach(False, frozenset({site}), frozenset())))
    if site is not None or chosen.get("role") in Role.values:
        people = people.filter(pk__in=held.values("person"))
    return in_state(people, chosen.get("state", ""), now)


def in_state(people: PersonQuerySet, state: str, now: datetime) -> PersonQuerySet:
    conditions = {
        State.ACTIVE: Q(is_active=True, last_login__isnull=False),
        State.WAITING: Q(is_active=True, last_login=None),
        State.DEACTIVATED: Q(is_active=False),
        State.ROLELESS: ~Q(pk__in=Grant.objects.live(now).values("person")),
    }
    return people.filter(conditions[State(state)]) if state in State.values else people


def rows_of_people(viewer: User, people: list[User], now: datetime) -> list[Row]:
    badges = badges_of(viewer, people, now)
    return [Row(person, state_of(person), badges.get(person.pk, [])) for person in people]


def badges_of(viewer: User, people: list[User], now: datetime) -> dict[int, list[Badge]]:
    """The roles of these people that the viewer may know of, the widest first."""
    grants = list(grants_for(viewer).live(now).filter(person__in=[person.pk for person in people]))
    names = names_of({grant.scope_key for grant in grants})
    found: dict[int, list[Badge]] = {}
    for grant in sorted(grants, key=lambda one: (one.scope_type != "everywhere", names[one.scope_key].name, one.role)):
        found.setdefault(grant.person_id, []).append(Badge(grant, names[grant.scope_key]))
    return found
