"""NanoDet: per stride one score tensor and one tensor of distance distributions.

Each side's distance from the cell's centre is a distribution over bins; its expectation times the stride is the
distance in pixels. Source: Generalized Focal Loss, Li et al. 2020 (arXiv 2006.04388), as NanoDet exports it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from inference.vision.boxes import Floats
from inference.vision.decoders.base import Candidates, above, check_scores
from inference.vision.preprocess import InputSpec
from inference.vision.signature import Signature, TensorInfo

STRIDES = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Level:
    """One stride: positions of its two outputs, and the centres of its cells [cells, 2] in input pixels."""

    stride: int
    scores_at: int
    distances_at: int
    centres: Floats


@dataclass(frozen=True, slots=True)
class NanoDet:
    """Outputs `scores` [1, cells, classes] in 0..1 and `distances` [1, cells, 4 * bins] for each stride."""

    name: ClassVar[str] = "nanodet"
    layout: ClassVar[str] = (
        "per stride 8, 16, 32 (64) a scores output [1, cells, classes] and a distances output [1, cells, 4 x bins]"
    )
    nms_iou: ClassVar[float] = 0.6

    levels: tuple[Level, ...]
    classes: int
    input: InputSpec

    @classmethod
    def recognise(cls, signature: Signature, classes: int | None) -> "NanoDet | None":
        """By two outputs for each of at least two strides, whose numbers of cells fit the input's size."""
        size = _input_size(signature)
        if size is None or len(signature.outputs) not in (4, 6, 8):
            return None
        width, height = size
        levels, widths = [], set()
        for stride in STRIDES[: len(signature.outputs) // 2]:
            cells = math.ceil(height / stride) * math.ceil(width / stride)
            pair = _pair(signature.outputs, cells, classes)
            if pair is None:
                return None
            widths.add(signature.outputs[pair[0]].shape[2])
            levels.append(Level(stride, *pair, _centres(width, height, stride)))
        found = widths.pop()
        if widths or not isinstance(found, int):
            return None
        return cls(tuple(levels), found, _preset(width, height))

    def decode(self, outputs: Sequence[NDArray[Any]], floor: float) -> Candidates:
        """See `Decoder.decode`."""
        parts = [self._decode_level(level, outputs, floor) for level in self.levels]
        return Candidates(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.classes for part in parts]),
        )

    def _decode_level(self, level: Level, outputs: Sequence[NDArray[Any]], floor: float) -> Candidates:
        scores = outputs[level.scores_at][0]
        check_scores(scores)
        cells, classes = above(scores, floor)
        distances = expected_distances(outputs[level.distances_at][0][cells]) * np.float32(level.stride)
        centres = level.centres[cells]
        boxes = np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], axis=1)
        return Candidates(boxes, scores[cells, classes].astype(np.float32), classes)


def expected_distances(logits: NDArray[Any]) -> Floats:
    """Distances [N, 4] (left, top, right, bottom) in strides from logits [N, 4 * bins]: softmax, then expectation."""
    bins = logits.reshape(len(logits), 4, logits.shape[1] // 4).astype(np.float32)
    weights = np.exp(bins - bins.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.asarray(weights @ np.arange(bins.shape[-1], dtype=np.float32), np.float32)


def _centres(width: int, height: int, stride: int) -> Floats:
    columns = (np.arange(math.ceil(width / stride), dtype=np.float32) + 0.5) * stride
    rows = (np.arange(math.ceil(height / stride), dtype=np.float32) + 0.5) * stride
    x, y = np.meshgrid(columns, rows)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _pair(outputs: Sequence[TensorInfo], cells: int, classes: int | None) -> tuple[int, int] | None:
    """Positions of the scores and distances output with this number of cells."""
    fitting = [i for i, o in enumerate(outputs) if len(o.shape) == 3 and o.shape[1] == cells]
    if len(fitting) != 2:
        return None
    first, second = fitting
    for scores, distances in ((first, second), (second, first)):
        if _is_scores(outputs[scores], classes) and _is_distances(outputs[distances]):
            return scores, distances
    return None


def _is_scores(output: TensorInfo, classes: int | None) -> bool:
    named = output.name.lower().startswith(("score", "cls"))
    return named if classes is None else output.shape[2] == classes and not output.name.lower().startswith("dis")


def _is_distances(output: TensorInfo) -> bool:
    width = output.shape[2]
    return isinstance(width, int) and width % 4 == 0 and width >= 8


def _input_size(signature: Signature) -> tuple[int, int] | None:
    if len(signature.inputs) != 1 or len(signature.inputs[0].shape) != 4:
        return None
    _, channels, height, width = signature.inputs[0].shape
    if channels != 3 or not isinstance(height, int) or not isinstance(width, int):
        return None
    return width, height


def _preset(width: int, height: int) -> InputSpec:
    """NanoDet is trained on BGR pixels with these means and deviations, and on stretched frames."""
    return InputSpec(
        width,
        height,
        colour="BGR",
        mean=(103.53, 116.28, 123.675),
        std=(57.375, 57.12, 58.395),
        fit="stretch",
    )
