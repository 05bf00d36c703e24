"""What was asked for: the part of a release that could be run again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from review.models import Queue, Release, Taxonomy

from .contents import ClassRow

BURST_GAP_S = 30.0
AGREEMENT_IOU = 0.9
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


@dataclass(frozen=True, slots=True)
class Recipe:
    """The choices behind a selection. `since` and `until` bound the instant of the decision, both included."""

    queues: tuple[Queue, ...]
    taxonomy: Taxonomy
    classes: tuple[ClassRow, ...]
    since: datetime | None
    until: datetime
    formats: tuple[str, ...]
    seed: str
    burst_gap_s: float = BURST_GAP_S
    agreement_iou: float = AGREEMENT_IOU

    def as_json(self) -> dict[str, Any]:
        """The recipe with the taxonomy as it is now, so that a class renamed later does not rename it in here."""
        return {
            "queues": [{"id": str(queue.pk), "slug": queue.slug} for queue in self.queues],
            "from": self.since.isoformat() if self.since else None,
            "to": self.until.isoformat(),
            "formats": list(self.formats),
            "seed": self.seed,
            "burst_gap_s": self.burst_gap_s,
            "agreement_iou": self.agreement_iou,
            "shares": SHARES,
            "pictures": "upright full size, JPEG, metadata stripped",
            "taxonomy": {
                "id": str(self.taxonomy.pk),
                "slug": self.taxonomy.slug,
                "name": self.taxonomy.name,
                "classes": [{"index": row.index, "name": row.name, "retired": row.retired} for row in self.classes],
            },
        }


def classes_of(taxonomy: Taxonomy) -> tuple[ClassRow, ...]:
    """The classes of a taxonomy by index, retired ones too, with the names that they had."""
    former: dict[int, list[str]] = {}
    for pk, name in taxonomy.former_names.order_by("pk").values_list("named_id", "name"):
        former.setdefault(pk, []).append(name)
    rows = taxonomy.classes.order_by("index").values_list("pk", "index", "name", "retired_at")
    return tuple(
        ClassRow(index, name, retired_at is not None, tuple(former.get(pk, ()))) for pk, index, name, retired_at in rows
    )


@dataclass(frozen=True, slots=True)
class Head:
    """What every file of a release may need to know about it."""

    title: str
    number: int
    site: str
    created_at: datetime
    classes: Sequence[ClassRow]
    formats: Sequence[str]

    @classmethod
    def of(cls, release: Release) -> "Head":
        classes = [ClassRow(row["index"], row["name"], row["retired"]) for row in release.recipe["taxonomy"]["classes"]]
        return cls(
            str(release), release.number, release.site.slug, release.created_at, classes, release.recipe["formats"]
        )
