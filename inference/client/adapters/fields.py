"""Anything else: where its JSON keeps what, said once.

```python
mapping = FieldMapping(items="result.objects", class_name="label", confidence="score", box="bbox", box_format="xyxy")
predictions = mapping.predictions_of(document, frame=(1280, 720))
```
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.client.exceptions import BadInput
from inference.client.prediction import Prediction

FORMATS = ("xywh", "xyxy", "cxcywh")


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Paths with dots (`result.0.objects`) into a document; those of a prediction begin at one of the `items`.

    `box` names a list of four numbers, or four paths separated by commas. `relative`: they are shares of the frame.
    `scale`: what a confidence of 1 is written as (100 for per cent).
    """

    class_name: str
    confidence: str
    items: str = ""
    box: str | None = None
    box_format: str = "xywh"
    relative: bool = False
    scale: float = 1.0
    track: str | None = None
    names: Mapping[str, str] | None = None

    def predictions_of(self, document: Any, *, frame: tuple[int, int]) -> list[Prediction]:
        """The predictions of a document about a frame of (width, height). Raises BadInput with the wrong path."""
        if self.box_format not in FORMATS:
            raise BadInput(f"box_format is one of {', '.join(FORMATS)}")
        items = at(document, self.items, "")
        if not isinstance(items, Sequence) or isinstance(items, str):
            raise BadInput(f"{self.items or '(the document)'}: a list is wanted")
        return [self.one(item, f"{self.items}.{number}", frame) for number, item in enumerate(items)]

    def one(self, item: Any, where: str, frame: tuple[int, int]) -> Prediction:
        name = str(at(item, self.class_name, where))
        return Prediction(
            class_name=(self.names or {}).get(name, name),
            confidence=number(at(item, self.confidence, where), where, self.confidence) / self.scale,
            box=self.box_of(item, where, frame) if self.box else None,
            track=str(at(item, self.track, where)) if self.track else None,
        )

    def box_of(self, item: Any, where: str, frame: tuple[int, int]) -> list[float]:
        """The box of a prediction as [x, y, width, height] in pixels. Raises BadInput, also without a place for it."""
        if not self.box:
            raise BadInput("this mapping does not say where the box is: give box")
        paths = [path.strip() for path in self.box.split(",")]
        raw = [at(item, path, where) for path in paths] if len(paths) == 4 else at(item, paths[0], where)
        if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) != 4:
            raise BadInput(f"{where}.{self.box}: four numbers are wanted")
        a, b, c, d = (number(value, where, self.box) for value in raw)
        if self.relative:
            a, b, c, d = a * frame[0], b * frame[1], c * frame[0], d * frame[1]
        if self.box_format == "xyxy":
            return [a, b, c - a, d - b]
        return [a - c / 2, b - d / 2, c, d] if self.box_format == "cxcywh" else [a, b, c, d]


def at(value: Any, path: str, where: str) -> Any:
    """What lies at `path`. Raises BadInput with the place where the way ends."""
    gone = where
    for part in path.split(".") if path else []:
        gone = f"{gone}.{part}".lstrip(".")
        try:
            value = value[int(part)] if isinstance(value, Sequence) and not isinstance(value, str) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise BadInput(f"{gone}: there is nothing") from None
    return value


def number(value: Any, where: str, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadInput(f"{where}.{path}: a number is wanted")
    try:
        return float(value)
    except ValueError:
        raise BadInput(f"{where}.{path}: a number is wanted") from None
