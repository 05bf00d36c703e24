"""Who holds what where, as a table: people down, places across; and what each role may do."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.models.grant import Scope
from accounts.people_list import Badge, Row
from accounts.roles import RIGHTS, Right, Role
from accounts.scopes import names_of

# More places than this are not read side by side; the page says so and offers the filter by site.
COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One place: everywhere, a site with its queues, or what exists no more."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """One person, and for each column the roles there."""

    person: User
    row: Row
    cells: list[tuple[Column, list[Badge]]]


@dataclass(frozen=True, slots=True)
class Matrix:
    columns: list[Column]
    lines: list[Line]
    left_out: int


def matrix_of(rows: list[Row], *, site: UUID | None = None) -> Matrix:
    """The table of these people; with `site` only that place and everywhere."""
    badges = [badge for row in rows for badge in row.badges]
    everything = columns_of(badges)
    wanted = [one for one in everything if site is None or one.key in {str(site), Scope.EVERYWHERE}]
    columns = wanted[:COLUMNS]
    return Matrix(columns, [line_of(row, columns) for row in rows], len(wanted) - len(columns))


def columns_of(badges: list[Badge]) -> list[Column]:
    """Everywhere first, then the sites by name, then what exists no more."""
    keys = {key_of(badge) for badge in badges}
    sites: set[tuple[str, UUID | None]] = {("site", badge.scope.site_id) for badge in badges if badge.scope.site_id}
    names = [Column(str(pk), named.name) for (_kind, pk), named in names_of(sites).items() if pk]
    first, last = Column(Scope.EVERYWHERE, _("everywhere")), Column("", _("exists no more"))
    return [one for one in [first, *sorted(names, key=lambda one: one.name), last] if one.key in keys]


def key_of(badge: Badge) -> str:
    if badge.scope.type == Scope.EVERYWHERE:
        return Scope.EVERYWHERE
    return str(badge.scope.site_id or "")


def line_of(row: Row, columns: list[Column]) -> Line:
    cells = [(column, [badge for badge in row.badges if key_of(badge) == column.key]) for column in columns]
    return Line(row.person, row, cells)


def rights_table() -> list[tuple[Any, list[tuple[Any, bool]]]]:
    """Each right in words, and for each role whether it has it: the table of docs/access.md."""
    return [(right.label, [(role.label, right in RIGHTS[role]) for role in Role]) for right in Right]
