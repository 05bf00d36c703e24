"""A frame becomes a model's input, as an `InputSpec` describes it."""

from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.vision import boxes
from inference.vision.exceptions import FrameInvalid, InputInvalid

type Frame = NDArray[np.uint8]
type Tensor = NDArray[np.float32] | NDArray[np.float16] | NDArray[np.uint8]
type Triple = tuple[float, float, float]

_MAX_SIDE_PX = 8192


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a model wants to be fed.

    Each value becomes `(pixel * scale - mean) / std`, with `pixel` in 0..255 and `mean` and `std` in the order of
    `colour`. Sizes are pixels. `pad` is the grey level (0..255) around a letterboxed frame.
    """

    width: int
    height: int
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["BGR", "RGB"] = "RGB"
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    scale: float = 1.0
    fit: Literal["stretch", "letterbox"] = "stretch"
    pad: int = 114
    dtype: Literal["float32", "float16", "uint8"] = "float32"

    def __post_init__(self) -> None:
        if not (0 < self.width <= _MAX_SIDE_PX and 0 < self.height <= _MAX_SIDE_PX):
            raise InputInvalid(f"input size {self.width} x {self.height} is not between 1 and {_MAX_SIDE_PX} pixels")
        figures = (*self.mean, *self.std, self.scale)
        if not np.isfinite(figures).all() or 0.0 in self.std or self.scale == 0:
            raise InputInvalid(f"mean {self.mean}, std {self.std} and scale {self.scale} must be finite, std not 0")
        if not 0 <= self.pad <= 255:
            raise InputInvalid(f"pad {self.pad} is not a grey level between 0 and 255")
        if self.dtype == "uint8" and (any(self.mean) or self.std != (1.0, 1.0, 1.0) or self.scale != 1.0):
            raise InputInvalid("a uint8 input takes pixels as they are; leave out mean, std and scale")

    def placement(self, frame_width: int, frame_height: int) -> boxes.Placement:
        """Where a frame of this size (pixels) will lie in the input."""
        fit = boxes.letterbox if self.fit == "letterbox" else boxes.stretch
        return fit(frame_width, frame_height, self.width, self.height)


@dataclass(slots=True)
class Preprocessor:
    """Fills one reused input tensor; not for use by two threads at once.

    A pixel has 256 values, so normalisation is a table per channel, computed once in double precision.
    """

    spec: InputSpec
    _tables: list[NDArray[np.float32]] = field(init=False)
    _planes: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        spec = self.spec
        levels = np.arange(256, dtype=np.float64) * spec.scale
        tables = [((levels - m) / s).astype(np.float32) for m, s in zip(spec.mean, spec.std, strict=True)]
        self._tables = tables if spec.colour == "BGR" else tables[::-1]
        self._planes = np.empty((3, spec.height, spec.width), np.float32)

    def __call__(self, frame: Frame) -> tuple[Tensor, boxes.Placement]:
        """The input tensor ([1, 3, H, W] or [1, H, W, 3]) of a BGR frame, and where the frame lies in it.

        The tensor is overwritten by the next call. Raises `FrameInvalid`.
        """
        check_frame(frame)
        placement = self.spec.placement(frame.shape[1], frame.shape[0])
        canvas = self._place(frame, placement)
        return self._shape(self._normalise(canvas)), placement

    def _place(self, frame: Frame, placement: boxes.Placement) -> Frame:
        resized = cv2.resize(frame, (placement.width, placement.height), interpolation=cv2.INTER_LINEAR)
        spec = self.spec
        if (placement.width, placement.height) == (spec.width, spec.height):
            return np.asarray(resized, np.uint8)
        canvas = np.full((spec.height, spec.width, 3), spec.pad, np.uint8)
        top, left = placement.offset_y, placement.offset_x
        canvas[top : top + placement.height, left : left + placement.width] = resized
        return canvas

    def _normalise(self, canvas: Frame) -> NDArray[np.float32]:
        """Normalised planes [3, H, W] in the order of `spec.colour`."""
        order = range(3) if self.spec.colour == "BGR" else range(2, -1, -1)
        channels = cv2.split(canvas)
        for plane, channel in enumerate(order):
            cv2.LUT(channels[channel], self._tables[channel], dst=self._planes[plane])
        return self._planes

    def _shape(self, planes: NDArray[np.float32]) -> Tensor:
        tensor = planes if self.spec.layout == "NCHW" else np.ascontiguousarray(planes.transpose(1, 2, 0))
        return tensor[None].astype(self.spec.dtype, copy=False)


def check_frame(frame: Frame) -> None:
    """Raises `FrameInvalid` for anything that is not `uint8` [height, width, 3] with at least one pixel."""
    shape = getattr(frame, "shape", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or frame.dtype != np.uint8:
        found = f"{getattr(frame, 'dtype', type(frame).__name__)} {shape}"
        raise FrameInvalid(f"a frame is uint8 [height, width, 3] in BGR, this is {found}")
