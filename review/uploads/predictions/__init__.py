"""What a model predicted, read from files. One module per format; `FORMATS` lists them.

A format is an object with `fits` and `read` (see `Format`). Adding one: a module here, and a line in
`review/uploads/predictions/formats.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_FAULTS = 5
FAULT_LETTERS = 100


class Faulty(Exception):
    """One thing in a file that cannot be used: where it stands (line or JSON path), and what is wrong."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(f"{place}: {fault}")
        self.place, self.fault = place, fault


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class with its confidence, and a box or polygon: pixels of the upright picture, or shares of its sides.

    Boxes are `[x, y, width, height]` from the top left corner.
    """

    name: str
    confidence: float
    box: tuple[float, float, float, float] | None = None
    polygon: tuple[tuple[float, float], ...] | None = None
    relative: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "class": self.name,
            "confidence": self.confidence,
            "box": self.box and list(self.box),
            "polygon": self.polygon and [list(point) for point in self.polygon],
            "relative": self.relative,
        }


@dataclass(slots=True)
class Said:
    """What a file says about one picture. `size` is the picture's width and height, when the file names them."""

    picture: str
    predictions: list[Prediction] = field(default_factory=list)
    faults: list[Faulty] = field(default_factory=list)
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Pictures and categories by their numbers, as COCO files list them for others."""

    pictures: dict[int, tuple[str, tuple[int, int] | None]] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the person said, and what other files of the upload say: needed to read one of them.

    `confidence` stands in where a file has none; without it that is a fault.
    """

    task: str
    classes: tuple[str, ...] = ()
    confidence: float | None = None
    listing: Listing = field(default_factory=Listing)
    has_results: bool = False


class Format(Protocol):
    """A format of predictions."""

    def fits(self, name: str) -> bool:
        """Whether a file of this name is read by this format."""

    def read(self, name: str, data: bytes, expected: Expected) -> Iterator[Said]:
        """What a file says about each picture that it names. Raises Faulty when nothing of it can be used."""


def told(faults: list[Faulty]) -> str:
    """The first faults of a file as one text with their places."""
    shown = [f"{fault.place}: {fault.fault}"[:FAULT_LETTERS] for fault in faults[:MOST_FAULTS]]
    return "; ".join(shown) + (f"; … ({len(faults)})" if len(faults) > MOST_FAULTS else "")
