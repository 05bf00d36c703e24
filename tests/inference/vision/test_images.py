import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.vision import images
from inference.vision.exceptions import ImageTooLarge, ImageUnreadable
from inference.vision.image_header import image_size
from inference.vision.session import Detection

RANDOM = np.random.default_rng(3)
FRAME = RANDOM.integers(0, 256, (30, 50, 3), dtype=np.uint8)


def encoded(suffix, *settings):
    return cv2.imencode(suffix, FRAME, list(settings))[1].tobytes()


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg"),
        encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".png"),
        encoded(".bmp"),
        encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
        encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    ],
)
def test_size_and_picture_are_read_from_every_format(data):
    assert image_size(data) == (50, 30)
    assert images.decode(data).shape == (30, 50, 3)


def test_a_bomb_is_refused_before_it_is_decoded():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(ImageTooLarge):
        images.decode(data)


def test_too_many_bytes_are_refused():
    with pytest.raises(ImageTooLarge):
        images.decode(encoded(".png"), max_bytes=100)


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"\0" * 50, b"<svg/>", encoded(".png")[:30], encoded(".jpg")[:8]])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ImageUnreadable):
        images.decode(data)


@given(st.binary(max_size=120), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF1234WEBP", b""]))
def test_damaged_headers_end_in_a_clear_answer(tail, head):
    try:
        width, height = image_size(head + tail)
    except ImageUnreadable:
        return
    assert width > 0
    assert height > 0


def test_exif_orientation_is_applied():
    jpeg = encoded(".jpg")
    tiff = b"MM\x00\x2a\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\x00\x00" + tiff
    rotated = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    assert images.decode(rotated).shape == (50, 30, 3)


def test_the_same_frame_always_gives_the_same_bytes():
    assert images.encode_jpeg(FRAME) == images.encode_jpeg(FRAME.copy())
    assert images.encode_jpeg(FRAME, 85) != images.encode_jpeg(FRAME, 90)


def test_drawing_changes_a_copy_only_and_only_near_the_box():
    frame = np.zeros((100, 200, 3), np.uint8)
    drawn = images.draw(frame, [Detection(0, "person", 0.8, (10.0, 40.0, 50.0, 30.0))])
    assert not frame.any()
    assert drawn[40, 20].any()
    assert not drawn[:, 170:].any()
