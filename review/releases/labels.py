"""From a person's answer to frozen labels: validation, scaling, ignore regions, and whether two answers agree."""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review import names
from review.models import Answer, Event, Verdict

from .contents import DECIMALS, Box, ClassRow, Label, Point


class LeftOut(Exception):
    """An outcome cannot be in a release; `reason` is a key of `words.REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Judged:
    """What one verdict says about one picture, in pixels of that picture.

    `rejected` are the doubtful predictions that the person did not keep; `clipped` counts boxes that were cut at the
    border.
    """

    labels: tuple[Label, ...]
    ignore: tuple[Label, ...]
    rejected: tuple[Label, ...]
    complete: bool
    clipped: int


@dataclass(frozen=True, slots=True)
class Canvas:
    """The stored picture in relation to the frame that was judged; sizes in pixels."""

    width: int
    height: int
    scale_x: float
    scale_y: float

    @classmethod
    def of(cls, event: Event, width: int, height: int) -> "Canvas":
        """Raises LeftOut `frame_size` when the proportions differ by more than a rounded pixel."""
        aspect = event.frame_width_px / event.frame_height_px
        if abs(height * aspect - width) > max(1.0, aspect):
            raise LeftOut("frame_size")
        scale_x, scale_y = width / event.frame_width_px, height / event.frame_height_px
        return cls(width, height, scale_x, scale_y)

    def point(self, x: float, y: float) -> Point:
        """A point of the frame as a point of the picture, moved onto the picture if it lies outside."""
        return (
            round(min(max(x * self.scale_x, 0.0), self.width), DECIMALS),
            round(min(max(y * self.scale_y, 0.0), self.height), DECIMALS),
        )

    def box(self, x: float, y: float, width: float, height: float) -> Box:
        """A box of the frame, cut at the picture's border. Raises LeftOut `bad_box` when nothing is left of it."""
        left, top = self.point(x, y)
        right, bottom = self.point(x + width, y + height)
        cut = (left, top, round(right - left, DECIMALS), round(bottom - top, DECIMALS))
        if cut[2] <= 0 or cut[3] <= 0:
            raise LeftOut("bad_box")
        return cut

    def reaches_over(self, x: float, y: float, width: float, height: float) -> bool:
        right, bottom = (x + width) * self.scale_x, (y + height) * self.scale_y
        return min(x, y) < -0.5 or right > self.width + 0.5 or bottom > self.height + 0.5


def judge(verdict: Verdict, event: Event, classes: Sequence[ClassRow], canvas: Canvas) -> Judged:
    """What `verdict` says about the picture of `event`.

    Raises LeftOut with `unknown_class` (detail: the name), `no_box` or `bad_box`.
    """
    ours = indexes(classes)
    words = in_words_of(event, ours)
    # People speak in the site's words, a model in its own.
    by_people, by_model = words | ours, ours | words
    said = [] if verdict.answer == Answer.EMPTY else verdict.labels
    known = {row.index for row in classes}
    labels = tuple(_label(label, _index(label, by_people), known, canvas) for label in said)
    complete = verdict.complete is not False
    ignore = () if complete else tuple(_ignored(event, said, by_model, classes, canvas))
    rejected = tuple(_rejected(event, said, by_model, canvas))
    clipped = sum(canvas.reaches_over(*_frame_box(label)) for label in said)
    return Judged(labels, ignore, rejected, complete, clipped)


def indexes(classes: Sequence[ClassRow]) -> dict[str, int]:
    """The index of a class by every name that it has or had."""
    return {name: row.index for row in classes for name in row.former} | {row.name: row.index for row in classes}


def in_words_of(event: Event, by_name: Mapping[str, int]) -> dict[str, int]:
    """The index of a class by what the event's model calls it; a word may be another class's name at the site."""
    mapped = names.class_names(event.site_id, event.model_name)
    return {said: by_name[name] for said, name in mapped.items() if name in by_name}


def _index(said: Mapping[str, Any], by_name: Mapping[str, int]) -> int | None:
    """The class of a label: its permanent index; by name for labels from before they carried one."""
    index = said.get("index")
    return index if isinstance(index, int) else by_name.get(said["class"])


def _label(said: Mapping[str, Any], index: int | None, known: Container[int], canvas: Canvas) -> Label:
    if index is None or index not in known:
        raise LeftOut("unknown_class", str(said["class"]))
    polygon = tuple(canvas.point(x, y) for x, y in _points(said))
    return Label(index, canvas.box(*_frame_box(said)), polygon, said.get("attributes") or {})


def _points(said: Mapping[str, Any]) -> list[Point]:
    points = [(float(x), float(y)) for x, y in said.get("polygon") or ()]
    if 0 < len(points) < 3 or not all(math.isfinite(value) for point in points for value in point):
        raise LeftOut("bad_box")
    return points


def _frame_box(said: Mapping[str, Any]) -> Box:
    """The box as it was said, or the one around the polygon."""
    if points := _points(said):
        left, top = min(x for x, _ in points), min(y for _, y in points)
        return left, top, max(x for x, _ in points) - left, max(y for _, y in points) - top
    if not said.get("box"):
        raise LeftOut("no_box")
    x, y, width, height = (float(value) for value in said["box"])
    if not all(math.isfinite(value) for value in (x, y, width, height)):
        raise LeftOut("bad_box")
    return x, y, width, height


def _ignored(
    event: Event,
    said: Sequence[Mapping[str, Any]],
    by_name: Mapping[str, int],
    classes: Sequence[ClassRow],
    canvas: Canvas,
) -> Iterable[Label]:
    """Regions that the model reported and nobody judged.

    A prediction of a class that the taxonomy does not have is ignored for every live class: nobody looked at it, so
    nothing may count as background there.
    """
    judged = {prediction["id"] for prediction in event.subject_predictions}
    judged |= {label["prediction"] for label in said if label.get("prediction")}
    live = [row.index for row in classes if not row.retired]
    for prediction in event.predictions:
        if prediction["id"] in judged:
            continue
        try:
            box = canvas.box(*_frame_box(prediction))
        except LeftOut:
            continue
        known = by_name.get(prediction["class"])
        for index in live if known is None else [known]:
            yield Label(index, box)


def _rejected(
    event: Event, said: Sequence[Mapping[str, Any]], by_name: Mapping[str, int], canvas: Canvas
) -> Iterable[Label]:
    """The doubtful predictions, as labels, that no label of the answer refers to with the same class."""
    kept = {(label.get("prediction"), _index(label, by_name)) for label in said}
    for prediction in event.subject_predictions:
        index = by_name.get(prediction["class"])
        if index is None or (prediction["id"], index) in kept:
            continue
        try:
            yield Label(index, canvas.box(*_frame_box(prediction)))
        except LeftOut:
            continue


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


def agree(first: Judged, second: Judged, *, at_least: float) -> bool:
    """Whether two answers on the same picture say the same.

    Each label needs a partner of its own with the same class and an IoU of `at_least`. Where one of the two judged only
    a part of the picture, the other may say more, but nothing that the first one rejected.
    """
    if first.complete == second.complete:
        return len(first.labels) == len(second.labels) and _covers(first.labels, second.labels, at_least)
    whole, part = (first, second) if first.complete else (second, first)
    denied = any(
        _covers(whole.labels, [label], at_least) and not _covers(part.labels, [label], at_least)
        for label in part.rejected
    )
    return not denied and _covers(whole.labels, part.labels, at_least)


def _covers(these: Iterable[Label], those: Iterable[Label], at_least: float) -> bool:
    """Whether every one of `those` has a partner among `these`."""
    free = list(these)
    for label in those:
        rated = [
            (iou(label.box, one.box), place) for place, one in enumerate(free) if one.class_index == label.class_index
        ]
        best, place = max(rated, default=(0.0, -1))
        if best < at_least:
            return False
        free.pop(place)
    return True
