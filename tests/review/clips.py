"""Clips for tests: real ones, and containers that lie."""

import struct
import tempfile
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np


@lru_cache
def clip(codec: str = "VP80", ending: str = "webm", frames: int = 20, size: tuple[int, int] = (160, 120)) -> bytes:
    """A real clip in which a bright square moves to the right; ten frames a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"clip.{ending}"
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 10, size)
        assert writer.isOpened()
        for number in range(frames):
            frame = np.full((size[1], size[0], 3), 40, np.uint8)
            cv2.rectangle(frame, (number * 4, 30), (number * 4 + 30, 70), (0, 200, 250), -1)
            writer.write(frame)
        writer.release()
        return path.read_bytes()


def webm(**more: int) -> bytes:
    return clip("VP80", "webm", **more)


def mp4(**more: int) -> bytes:
    return clip("mp4v", "mp4", **more)


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def made_mp4(
    *, width: int = 160, height: int = 120, seconds: int = 2, frames: int = 20, turned: bool = False, flags: int = 1
) -> bytes:
    """An MP4 header that says what it is told, with nothing behind it."""
    matrix = (
        [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30] if turned else [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30]
    )
    head = bytes(12) + struct.pack(">II", 1000, seconds * 1000)
    tkhd = bytes(40) + struct.pack(">9i", *matrix) + struct.pack(">II", width << 16, height << 16)
    stts = bytes(4) + struct.pack(">III", 1, frames, 100)
    dref = bytes(4) + struct.pack(">I", 1) + box(b"url ", struct.pack(">I", flags), b"file:///etc/passwd\0")
    media = box(
        b"mdia",
        box(b"mdhd", head + bytes(4)),
        box(b"hdlr", bytes(8) + b"vide" + bytes(12)),
        box(b"minf", box(b"dinf", box(b"dref", dref)), box(b"stbl", box(b"stts", stts))),
    )
    movie = box(b"moov", box(b"mvhd", head + bytes(80)), box(b"trak", box(b"tkhd", tkhd), media))
    return box(b"ftyp", b"isom" + bytes(4)) + movie
