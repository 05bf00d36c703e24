"""The size of a picture from its first bytes, before a decoder allocates anything."""

import struct

from inference.vision.exceptions import ImageUnreadable

# Start-of-frame markers: all of 0xC0..0xCF but tables (C4), the reserved one (C8) and arithmetic conditioning (CC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height in stored pixels of a JPEG, PNG, BMP or WebP file. Raises `ImageUnreadable`."""
    try:
        size = _size(data)
    except (struct.error, IndexError) as error:
        raise ImageUnreadable("the picture is cut off inside its header") from error
    if size is None:
        raise ImageUnreadable("this is not a JPEG, PNG, BMP or WebP picture")
    width, height = size
    if width <= 0 or height <= 0:
        raise ImageUnreadable(f"the picture says it has {width} x {height} pixels")
    return size


def _size(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    if data.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", data, 18)
        return width, abs(height)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def _jpeg(data: bytes) -> tuple[int, int]:
    """ITU-T T.81, annex B: segments up to the first start of frame."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ImageUnreadable("the JPEG is damaged: a segment does not begin with a marker")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]


def _webp(data: bytes) -> tuple[int, int] | None:
    """RFC 9649: extended, lossless and lossy files."""
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
