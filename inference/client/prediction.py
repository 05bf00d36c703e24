"""What a model said of one thing in a frame, in the coordinates of the contract."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inference.client.exceptions import BadInput

# (class, confidence) or (class, confidence, [x, y, width, height]).
Plain = tuple[str, float] | tuple[str, float, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction; pixels of the upright frame, origin top left, y down.

    `box` is [x, y, width, height], `polygon` [[x, y], ...]; `confidence` is 0..1.
    """

    class_name: str
    confidence: float
    box: Sequence[float] | None = None
    polygon: Sequence[Sequence[float]] | None = None
    track: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse with BadInput what no server would take: it is clearer here, where it was made."""
        if not isinstance(self.class_name, str) or not self.class_name:
            raise BadInput(f"a class has a name, not {self.class_name!r}")
        if not 0 <= float(self.confidence) <= 1:
            raise BadInput(f"{self.class_name}: a confidence is 0 to 1, not {self.confidence!r}")
        corners = [*(self.box or ()), *(value for point in self.polygon or () for value in point)]
        if not all(math.isfinite(float(value)) for value in corners):
            raise BadInput(f"{self.class_name}: coordinates are finite numbers")

    @classmethod
    def of(cls, given: "Prediction | Plain") -> "Prediction":
        """A prediction as it is, or from a plain tuple. Raises BadInput."""
        if isinstance(given, Prediction):
            return given
        if not isinstance(given, tuple | list) or not 2 <= len(given) <= 3:
            raise BadInput("a prediction is (class, confidence) or (class, confidence, [x, y, width, height])")
        return cls(str(given[0]), float(given[1]), given[2] if len(given) == 3 else None)

    def document(self, number: int) -> dict[str, Any]:
        """As the contract has it, with an id of its own among those of one event."""
        found: dict[str, Any] = {"id": f"p{number}", "class": self.class_name, "confidence": float(self.confidence)}
        if self.box is not None:
            found["box"] = [float(value) for value in self.box]
        if self.polygon is not None:
            found["polygon"] = [[float(x), float(y)] for x, y in self.polygon]
        if self.track is not None:
            found["track"] = self.track
        if self.attributes:
            found["attributes"] = dict(self.attributes)
        return found


def task_of(predictions: Sequence[Prediction]) -> str:
    """`segmentation`, `detection` or `classification`, by the geometry that is there. Raises BadInput for a mixture."""
    kinds = {"segmentation" if one.polygon else "detection" if one.box else "classification" for one in predictions}
    if len(kinds) > 1:
        raise BadInput("predictions of one event have the same geometry: boxes, polygons, or none")
    return kinds.pop() if kinds else "detection"
