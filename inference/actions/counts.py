"""Counts of what sources saw: totals of an hour so far, the larger one counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from inference.models import SeenCount, Source

KEY = ("camera_name", "hour", "model_name", "model_version_name", "class_name")


@dataclass(frozen=True, slots=True)
class Total:
    """What was seen of one class by one camera and model in one hour so far; no class stands for the frames alone."""

    camera_name: str
    hour: datetime
    model_name: str
    model_version_name: str
    class_name: str
    frames: int
    histogram: Sequence[int] = field(default_factory=tuple)

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in KEY)

    @property
    def amount(self) -> tuple[int, int]:
        return self.frames, sum(self.histogram)


def store_counts(*, source: Source, totals: Sequence[Total], now: datetime) -> int:
    """Keep totals, effectively once: a repeat changes nothing, and one that comes late never undoes a larger one.

    Returns how many rows are new or have grown. Of two totals for one key in one call the larger one counts.
    """
    largest: dict[tuple[Any, ...], Total] = {}
    for total in totals:
        if total.key not in largest or largest[total.key].amount < total.amount:
            largest[total.key] = total
    with transaction.atomic():
        known = known_rows(source, list(largest.values()))
        fresh = [row_of(source, total, now) for key, total in largest.items() if key not in known]
        SeenCount.objects.bulk_create(fresh, ignore_conflicts=True)
        if fresh:
            # Another call may have made some of them meanwhile: those are rows to grow.
            known |= known_rows(source, [largest[key_of(row)] for row in fresh])
        grown = [grow(known[key], total, now) for key, total in largest.items()]
    return len(fresh) + sum(grown)


def known_rows(source: Source, totals: list[Total]) -> dict[tuple[Any, ...], SeenCount]:
    hours = {total.hour for total in totals}
    rows = SeenCount.objects.filter(source=source, hour__in=hours)
    wanted = {total.key for total in totals}
    return {key: row for row in rows if (key := key_of(row)) in wanted}


def key_of(row: SeenCount) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in KEY)


def row_of(source: Source, total: Total, now: datetime) -> SeenCount:
    names = dict(zip(KEY, total.key, strict=True))
    return SeenCount(site_id=source.site_id, source=source, received_at=now, **names, **figures(total))


def figures(total: Total) -> dict[str, Any]:
    return {"histogram": list(total.histogram), "objects_seen": sum(total.histogram), "frames": total.frames}


def grow(row: SeenCount, total: Total, now: datetime) -> bool:
    """Replace a total by a larger one; whether it was larger. Conditional, so that two at once end with the larger."""
    if (row.frames, row.objects_seen) >= total.amount:
        return False
    smaller = SeenCount.objects.filter(pk=row.pk, frames__lte=total.frames, objects_seen__lte=sum(total.histogram))
    return smaller.update(**figures(total), received_at=now) == 1
