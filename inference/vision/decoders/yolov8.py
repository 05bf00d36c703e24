"""YOLOv8 and YOLO11 detection as Ultralytics exports it: one output `[1, 4 + classes, boxes]`.

The first four rows are centre x, centre y, width, height in input pixels, the others are scores in 0..1.
Source: Ultralytics' export documentation; names, task, stride and imgsz are in the metadata.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from inference.vision.decoders.base import Candidates, above, check_scores
from inference.vision.preprocess import InputSpec
from inference.vision.signature import Signature


@dataclass(frozen=True, slots=True)
class YoloV8:
    """One output [1, 4 + classes, boxes]."""

    name: ClassVar[str] = "yolov8"
    layout: ClassVar[str] = "one output [1, 4 + classes, boxes] (task detect, class names known)"
    nms_iou: ClassVar[float] = 0.7

    classes: int
    input: InputSpec

    @classmethod
    def recognise(cls, signature: Signature, classes: int | None) -> "YoloV8 | None":
        """By one output with room for four sides and every class; other tasks have other outputs."""
        if classes is None or len(signature.inputs) != 1 or len(signature.outputs) != 1:
            return None
        shape = signature.outputs[0].shape
        task = signature.metadata.get("task", "detect")
        if len(shape) != 3 or (isinstance(shape[0], int) and shape[0] != 1):
            return None
        size = _input_size(signature)
        if shape[1] != 4 + classes or task not in ("detect", "detection") or size is None:
            return None
        return cls(classes, InputSpec(*size, colour="RGB", scale=1 / 255, fit="letterbox", pad=114))

    def decode(self, outputs: Sequence[NDArray[Any]], floor: float) -> Candidates:
        """See `Decoder.decode`."""
        rows = outputs[0][0]
        scores = rows[4:]
        check_scores(scores)
        classes, at = above(scores, floor)
        centre, half = rows[:2, at].T.astype(np.float32), rows[2:4, at].T.astype(np.float32) / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1)
        return Candidates(boxes, scores[classes, at].astype(np.float32), classes)


def _input_size(signature: Signature) -> tuple[int, int] | None:
    """Width and height: from the input's shape, or `imgsz` ([height, width] or one number) when that is free."""
    shape = signature.inputs[0].shape
    if len(shape) != 4 or shape[1] != 3:
        return None
    _, _, height, width = shape
    if isinstance(height, int) and isinstance(width, int):
        return width, height
    size = signature.literal("imgsz")
    if isinstance(size, int) and not isinstance(size, bool):
        size = [size, size]
    if isinstance(size, list | tuple) and len(size) == 2 and all(isinstance(side, int) for side in size):
        return size[1], size[0]
    return None
