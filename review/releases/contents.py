"""What a release says: classes, labels and pictures, as dataclasses and as the JSON of `ReleaseRow.content`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from review.models import Split

# [x, y, width, height] in pixels of the upright picture, origin top left, y down.
type Box = tuple[float, float, float, float]
type Point = tuple[float, float]

SPLITS: tuple[str, ...] = (Split.TRAIN, Split.VAL, Split.TEST)
# Frozen coordinates have this many decimals: far below what a person can draw, and equal in every file.
DECIMALS = 3


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of the frozen taxonomy with its permanent index; `former` are names that it had before."""

    index: int
    name: str
    retired: bool
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """One thing that a person marked. With a polygon, `box` encloses it."""

    class_index: int
    box: Box
    polygon: tuple[Point, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"class": self.class_index, "box": list(self.box)}
        if self.polygon:
            said["polygon"] = [list(point) for point in self.polygon]
        if self.attributes:
            said["attributes"] = self.attributes
        return said

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Label":
        x, y, width, height = said["box"]
        polygon = tuple((x, y) for x, y in said.get("polygon", ()))
        return cls(said["class"], (x, y, width, height), polygon, said.get("attributes") or {})


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a release.

    `path` is relative to the release's root. `complete` says that everything in it is marked; otherwise `ignore` holds
    the regions that a model reported and nobody judged.
    """

    position: int
    split: str
    path: str
    width: int
    height: int
    outcome: str
    complete: bool
    labels: Sequence[Label] = ()
    ignore: Sequence[Label] = ()

    @property
    def stem(self) -> str:
        return self.path.rpartition("/")[2].removesuffix(".jpg")

    def as_json(self) -> dict[str, Any]:
        """The content of a ReleaseRow; position and split are columns."""
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "outcome": self.outcome,
            "complete": self.complete,
            "labels": [label.as_json() for label in self.labels],
            "ignore": [label.as_json() for label in self.ignore],
        }

    @classmethod
    def from_json(cls, position: int, split: str, said: dict[str, Any]) -> "Picture":
        return cls(
            position,
            split,
            said["path"],
            said["width"],
            said["height"],
            said["outcome"],
            said["complete"],
            [Label.from_json(label) for label in said["labels"]],
            [Label.from_json(label) for label in said["ignore"]],
        )


def picture_path(split: str, name: str, *, complete: bool) -> str:
    """Where a picture lies in a release.

    Trainers take every picture of `images/<split>` that has no label file for a negative, so pictures that were judged
    in part only lie beside that tree.
    """
    return f"{'images' if complete else 'partial'}/{split}/{name}.jpg"
