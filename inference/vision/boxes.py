"""Boxes as arrays: overlap, suppression, clipping, and the way between a frame and a model's input.

All boxes here are float32 `[N, 4]`, `x1, y1, x2, y2` in pixels, with `x1 <= x2` and `y1 <= y2`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float32]
type Indexes = NDArray[np.intp]


def iou_matrix(a: Floats, b: Floats) -> Floats:
    """Intersection over union of every box of `a` [N, 4] with every box of `b` [M, 4]: [N, M], 0..1.

    The Jaccard index as the PASCAL VOC evaluation uses it (Everingham et al. 2010); two empty boxes overlap by 0.
    """
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = areas(a)[:, None] + areas(b)[None, :] - shared
    # Where the union is empty so is the intersection: dividing by the smallest number gives the 0 that is meant.
    return np.asarray(shared / np.maximum(union, np.finfo(np.float32).tiny), np.float32)


def areas(boxes: Floats) -> Floats:
    """Area of each box [N, 4] in square pixels: [N]."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def nms(boxes: Floats, scores: Floats, classes: Indexes, threshold: float, limit: int) -> Indexes:
    """Greedy non-maximum suppression within each class: the indexes [K] that stay, best score first.

    A box goes when a better one of its class overlaps it by more than `threshold` (0..1). Equal scores keep their
    order, so the result is the same on every machine. At most `limit` stay.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, classes = boxes[order], classes[order]
    beaten_by = (iou_matrix(boxes, boxes) > threshold) & (classes[:, None] == classes[None, :])
    gone = np.zeros(len(order), dtype=bool)
    kept: list[int] = []
    for index in range(len(order)):
        if gone[index]:
            continue
        kept.append(index)
        if len(kept) == limit:
            break
        gone |= beaten_by[index]
    return order[kept]


def clip(boxes: Floats, width: int, height: int) -> Floats:
    """The part of each box [N, 4] that lies inside a frame of `width` x `height` pixels."""
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float32))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a frame lies inside a model's input: `input = frame * scale + offset`, per axis, in pixels.

    `width` and `height` are the resized frame's; what remains of the input is padding.
    """

    scale_x: float
    scale_y: float
    offset_x: int
    offset_y: int
    width: int
    height: int

    def to_input(self, boxes: Floats) -> Floats:
        """Boxes [N, 4] from frame pixels to input pixels."""
        return boxes * self._scales() + self._offsets()

    def to_frame(self, boxes: Floats) -> Floats:
        """Boxes [N, 4] from input pixels to frame pixels; not clipped."""
        return (boxes - self._offsets()) / self._scales()

    def _scales(self) -> Floats:
        return np.array([self.scale_x, self.scale_y] * 2, np.float32)

    def _offsets(self) -> Floats:
        return np.array([self.offset_x, self.offset_y] * 2, np.float32)


def stretch(frame_width: int, frame_height: int, width: int, height: int) -> Placement:
    """The frame fills the input; its proportions change."""
    return Placement(width / frame_width, height / frame_height, 0, 0, width, height)


def letterbox(frame_width: int, frame_height: int, width: int, height: int) -> Placement:
    """The frame keeps its proportions (to a pixel) and lies in the middle; the rest is padding.

    Rounds as Ultralytics' `LetterBox` does: half a pixel of padding goes to the right and the bottom.
    """
    ratio = min(width / frame_width, height / frame_height)
    inner_width = max(1, round(frame_width * ratio))
    inner_height = max(1, round(frame_height * ratio))
    left = max(0, round((width - inner_width) / 2 - 0.1))
    top = max(0, round((height - inner_height) / 2 - 0.1))
    return Placement(inner_width / frame_width, inner_height / frame_height, left, top, inner_width, inner_height)
