"""Reading the frozen rows of a release, in their order and in bounded memory.

Rows are fetched in whole batches by position and never through an open cursor: a build writes its progress in between,
and SQLite refuses to write while an older read of the same connection is open.
"""

from collections.abc import Iterator
from typing import Any

from review.models import Release, ReleaseRow

from .contents import Picture

BATCH = 1000


def batches(release: Release, *columns: str, start: int = 0) -> Iterator[list[tuple[Any, ...]]]:
    """`columns` of the rows from position `start` on, a batch at a time."""
    rows = ReleaseRow.objects.filter(release=release).order_by("position")
    for low in range(start, release.total, BATCH):
        yield list(rows.filter(position__gte=low, position__lt=low + BATCH).values_list(*columns))


def pictures(release: Release) -> Iterator[Picture]:
    """What the files must say, picture by picture."""
    for batch in batches(release, "position", "split", "content"):
        for position, split, content in batch:
            yield Picture.from_json(position, split, content)
