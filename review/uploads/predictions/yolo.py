"""YOLO text files: one per picture, one line per prediction, coordinates as shares of the picture's sides.

`class cx cy width height [confidence]` for detection, `class x1 y1 x2 y2 x3 y3 ... [confidence]` for segmentation:
an odd number of values after the class has its confidence at the end.
"""

import math
from collections.abc import Iterator

from django.utils.translation import gettext as _

from inference.models.registry import Task
from review.schemas import MAX_POINTS, MAX_PREDICTIONS
from review.uploads.predictions import Expected, Faulty, Prediction, Said

# Writers round; what lies further outside than this is in pixels, or of another picture.
TOLERANCE = 0.01


class Yolo:
    """Text files beside the pictures."""

    def fits(self, name: str) -> bool:
        return name.lower().endswith(".txt")

    def read(self, name: str, data: bytes, expected: Expected) -> Iterator[Said]:
        if expected.task == Task.CLASSIFICATION:
            raise Faulty(_("file"), _("text files hold boxes and polygons, and this is classification"))
        if not expected.classes and data.strip():
            raise Faulty(_("file"), _("nobody says what its classes are called"))
        said = Said(name)
        for number, line in enumerate(lines(data), start=1):
            if not line.strip():
                continue
            try:
                said.predictions.append(prediction(line, expected))
            except ValueError as error:
                said.faults.append(Faulty(_("line %d") % number, str(error)))
            if len(said.predictions) + len(said.faults) > MAX_PREDICTIONS:
                raise Faulty(_("line %d") % number, _("more than %d predictions") % MAX_PREDICTIONS)
        yield said


def lines(data: bytes) -> list[str]:
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Faulty(_("file"), _("it is no text")) from None


def prediction(line: str, expected: Expected) -> Prediction:
    """One line. Raises ValueError that says what is wrong with it."""
    first, *rest = line.split()
    name = class_name(first, expected)
    values = [number(text) for text in rest[: 2 * MAX_POINTS + 2]]
    if expected.task == Task.SEGMENTATION:
        return polygon(name, values, expected)
    if len(values) not in {4, 5}:
        raise ValueError(_("a box has 4 values and perhaps a confidence, this line has %d") % len(values))
    cx, cy, width, height = (share(value) for value in values[:4])
    if not (width > 0 and height > 0):
        raise ValueError(_("the box has no area"))
    box = (cx - width / 2, cy - height / 2, width, height)
    return Prediction(name, confidence(values[4:], expected), box=box, relative=True)


def polygon(name: str, values: list[float], expected: Expected) -> Prediction:
    odd = len(values) % 2
    points = [share(value) for value in values[: len(values) - odd]]
    if not 3 <= len(points) // 2 <= MAX_POINTS:
        raise ValueError(
            _("a polygon has 3 to %(most)d points, this line %(have)d")
            % {
                "most": MAX_POINTS,
                "have": len(points) // 2,
            }
        )
    pairs = tuple(zip(points[::2], points[1::2], strict=True))
    return Prediction(name, confidence(values[len(points) :], expected), polygon=pairs, relative=True)


def class_name(text: str, expected: Expected) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ValueError(_("%s is no number of a class") % repr(text[:20]))
    if int(text) >= len(expected.classes):
        raise ValueError(
            _("class %(index)s is not among the %(known)d names")
            % {
                "index": text,
                "known": len(expected.classes),
            }
        )
    return expected.classes[int(text)]


def number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(_("%s is no number") % repr(text[:20]))
    return value


def share(value: float) -> float:
    if not -TOLERANCE <= value <= 1 + TOLERANCE:
        raise ValueError(_("%g is no share between 0 and 1; are these pixels?") % value)
    return value


def confidence(rest: list[float], expected: Expected) -> float:
    if not rest:
        if expected.confidence is None:
            raise ValueError(_("there is no confidence"))
        return expected.confidence
    if not 0 <= rest[0] <= 1:
        raise ValueError(_("the confidence %g does not lie between 0 and 1") % rest[0])
    return rest[0]
