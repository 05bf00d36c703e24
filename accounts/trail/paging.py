"""Pages of the trail by id, both ways, at the same cost at any depth and however rare what is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q

from accounts.models import AuditEntry

SIZE = 100


@dataclass(frozen=True)
class Page:
    """Entries, the newest first; `newer` and `older` are cursors, None where nothing follows."""

    entries: list[AuditEntry]
    newer: int | None = None
    older: int | None = None


def page_of(streams: Sequence[Q], *, before: int | None = None, after: int | None = None, size: int = SIZE) -> Page:
    """The page that ends before the id `before`, or the one that begins after `after`, or the newest one.

    Each stream gives its first ids through its own index, and the nearest of all of them are the page.
    """
    backwards = after is not None
    ids = nearest(streams, before=before, after=after, most=size + 1)
    more, ids = len(ids) > size, ids[:size]
    rows = AuditEntry.objects.select_related("actor", "content_type").in_bulk(ids)
    found = [rows[pk] for pk in sorted(ids, reverse=True)]
    if not found:
        return Page([])
    newest, oldest = found[0].pk, found[-1].pk
    if backwards:
        return Page(found, newer=newest if more else None, older=oldest)
    return Page(found, newer=newest if before is not None else None, older=oldest if more else None)


def nearest(streams: Sequence[Q], *, before: int | None, after: int | None, most: int) -> list[int]:
    """The ids that all streams together have nearest to the cursor, nearest first, in one question."""
    cursor = Q(pk__gt=after) if after is not None else Q(pk__lt=before) if before is not None else Q()
    order = "id" if after is not None else "-id"
    parts: list[str] = []
    values: list[Any] = []
    for number, stream in enumerate(streams):
        rows = AuditEntry.objects.filter(cursor & stream).order_by(order).values_list("id", flat=True)[:most]
        try:
            sql, given = rows.query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT id FROM ({sql}) AS s{number}")  # noqa: S608  Django wrote the inner one
        values.extend(given)
    if not parts:
        return []
    with connection.cursor() as database:
        database.execute(
            " UNION ".join(parts) + f" ORDER BY 1 {'ASC' if after is not None else 'DESC'} LIMIT {most}", values
        )
        return [pk for (pk,) in database.fetchall()]


def cursor_of(text: str) -> int | None:
    """A cursor as it stands in an address; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
