"""Pictures as sources really send them, and those that must never be decoded."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def encoded(kind: str, *, mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A plain picture in any format that Pillow writes."""
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **options)
    return out.getvalue()


def animated(kind: str, frames: int = 3) -> bytes:
    """A moving picture: each frame has its own colour, so that none is dropped as a repeat."""
    pictures = [Image.new("RGB", (32, 32), (40 * number, 10, 200)) for number in range(frames)]
    out = io.BytesIO()
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], duration=50)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises `width` x `height` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def turned(orientation: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A JPEG whose EXIF says how it must be turned to stand upright, with a GPS position beside it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "camera of somebody"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 90)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def with_exif(payload: bytes) -> bytes:
    """A JPEG with these bytes as its EXIF block."""
    return encoded("JPEG", exif=b"Exif\0\0" + payload)
