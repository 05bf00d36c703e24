"""A picture to post: its bytes, its type, and the size of its upright frame."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from inference.client.exceptions import BadInput
from inference.vision import images
from inference.vision.exceptions import VisionError

TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"RIFF": "image/webp"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A file as it is sent; `width` and `height` are pixels of the upright frame (EXIF orientation applied)."""

    data: bytes
    content_type: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return images.digest(self.data)


def picture_of(given: "Picture | str | PathLike[str] | bytes | Any", *, colour: str = "bgr") -> Picture:
    """A picture from a path, from the bytes of a file, or from an array [height, width, 3] of uint8.

    An array is in `colour` order ("bgr" as OpenCV has it, or "rgb") and is sent as JPEG. Raises BadInput.
    """
    if isinstance(given, Picture):
        return given
    if isinstance(given, np.ndarray):
        return of_array(given, colour)
    if not isinstance(given, bytes):
        try:
            given = Path(given).read_bytes()
        except (OSError, TypeError) as error:
            raise BadInput(f"the picture cannot be read: {error}") from error
    content_type = next((kind for start, kind in TYPES.items() if given.startswith(start)), None)
    if content_type is None:
        raise BadInput("this is no JPEG, PNG or WebP picture")
    try:
        height, width = images.decode(given).shape[:2]
    except VisionError as error:
        raise BadInput(error.message) from error
    return Picture(given, content_type, width, height)


def of_array(array: "np.ndarray[Any, Any]", colour: str) -> Picture:
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
        raise BadInput(f"an array of uint8 [height, width, 3] is wanted, not {array.dtype} {list(array.shape)}")
    if colour not in {"bgr", "rgb"}:
        raise BadInput("colour is 'bgr' or 'rgb'")
    frame = np.ascontiguousarray(array if colour == "bgr" else array[:, :, ::-1])
    return Picture(images.encode_jpeg(frame), "image/jpeg", array.shape[1], array.shape[0])
