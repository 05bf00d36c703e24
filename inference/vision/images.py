"""Pictures as bytes: decoding within bounds, encoding, drawing."""

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np

from inference.vision.exceptions import ImageTooLarge, ImageUnreadable
from inference.vision.image_header import image_size
from inference.vision.preprocess import Frame, check_frame
from inference.vision.session import Detection

MAX_BYTES = 32 * 2**20
MAX_PIXELS = 50_000_000


def decode(data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Frame:
    """The upright BGR frame of a JPEG, PNG, BMP or WebP file (EXIF orientation applied).

    Bytes and pixels are bounded before anything is decoded. Raises `ImageTooLarge` and `ImageUnreadable`.
    """
    if len(data) > max_bytes:
        raise ImageTooLarge(f"the picture has {len(data)} bytes, at most {max_bytes} are read")
    width, height = image_size(data)
    if width * height > max_pixels:
        raise ImageTooLarge(f"the picture has {width} x {height} pixels, at most {max_pixels} are decoded")
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageUnreadable(f"the picture cannot be decoded: {error.err}") from error
    if frame is None:
        raise ImageUnreadable("the picture is damaged: it cannot be decoded")
    return np.asarray(frame, np.uint8)


def encode_jpeg(frame: Frame, quality: int = 88) -> bytes:
    """A baseline JPEG of a BGR frame; the same frame and quality (1..100) always give the same bytes."""
    check_frame(frame)
    settings = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_PROGRESSIVE, 0,
        cv2.IMWRITE_JPEG_OPTIMIZE, 0,
        cv2.IMWRITE_JPEG_RST_INTERVAL, 0,
    ]  # fmt: skip
    ok, data = cv2.imencode(".jpg", frame, settings)
    if not ok:
        raise ImageUnreadable("the frame cannot be encoded as JPEG")
    return data.tobytes()


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def draw(frame: Frame, detections: Sequence[Detection]) -> Frame:
    """A copy of a BGR frame with each box, its class and its confidence."""
    drawn = frame.copy()
    for detection in detections:
        colour = _colour(detection.class_index)
        x, y, width, height = (round(side) for side in detection.box)
        cv2.rectangle(drawn, (x, y), (x + width, y + height), colour, 2)
        _label(drawn, f"{detection.name} {detection.confidence:.2f}", x, y, colour)
    return drawn


def _label(frame: Frame, text: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    bottom = max(y, height + base)
    cv2.rectangle(frame, (x, bottom - height - base), (x + width, bottom), colour, cv2.FILLED)
    cv2.putText(frame, text, (x, bottom - base + 1), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)


def _colour(index: int) -> tuple[int, int, int]:
    """A light colour per class; steps by the golden angle keep neighbours apart."""
    pixel = np.array([[[index * 111 % 180, 140, 255]]], np.uint8)
    blue, green, red = cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red
