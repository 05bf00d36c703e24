"""Reading the frozen rows of a release, in their order and in bounded memory.

Rows are fetched in whole batches by position and never through an open cursor: a build writes its progress in between,
and SQLite refuses to write while an older read of the same connection is open.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from django.db.models import TextField
from django.db.models.functions import Cast

from review.models import Release, ReleaseRow

from .contents import Picture

BATCH = 1000


def text(column: str) -> Cast:
    """A JSON column as its text: what is only passed on need not be understood, and the rest is read faster here."""
    return Cast(column, TextField())


PICTURE = ("position", "split", text("content"))


def batches(release: Release, *columns: str | Cast, start: int = 0) -> Iterator[list[tuple[Any, ...]]]:
    """`columns` of the rows from position `start` on, a batch at a time."""
    rows = ReleaseRow.objects.filter(release=release).order_by("position")
    for low in range(start, release.total, BATCH):
        yield list(rows.filter(position__gte=low, position__lt=low + BATCH).values_list(*columns))


def picture(position: int, split: str, content: str) -> Picture:
    """The picture of the columns `PICTURE`."""
    return Picture.from_json(position, split, msgspec.json.decode(content))


def pictures(release: Release) -> Iterator[Picture]:
    """What the files must say, picture by picture."""
    for batch in batches(release, *PICTURE):
        for row in batch:
            yield picture(*row)
