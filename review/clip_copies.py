"""What people see of a clip: a poster, and a copy that every browser plays and that carries nothing else of the file.

Runs in the decoding child. OpenCV opens a file of ours by its path and nothing that the file names: FFmpeg may use no
protocol but files, and playlists were refused by their bytes.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

# The copy: small, smooth enough to judge by, and bounded whatever the header said.
LONGEST_PX = 960
FRAMES_PER_SECOND = 10.0
MOST_SECONDS = 60.0
MOST_FRAMES = int(FRAMES_PER_SECOND * MOST_SECONDS)
# Frames that are read at all, and for how long: a clip of a million frames per second ends here.
MOST_READ = 40_000
MOST_WORK_S = 20.0
OPTIONS = "protocol_whitelist;file|threads;1"


class NoFrames(ValueError):
    """Nothing in the clip can be decoded."""


def first_frame(data: bytes) -> Image.Image:
    """The upright first frame. Raises NoFrames."""
    with frames_of(data) as (_rate, frames):
        first = next(frames, None)
    if first is None:
        raise NoFrames("no frame of the clip can be decoded")
    return first


def playable(data: bytes) -> tuple[bytes, int, int]:
    """The clip again as WebM (VP8), without sound, metadata or trailing bytes; with its width and height in pixels.

    Raises NoFrames.
    """
    with tempfile.TemporaryDirectory(prefix="secondlook-clip-") as folder, frames_of(data) as (rate, frames):
        path = Path(folder) / "copy.webm"
        size = write_copy(path, rate, frames)
        return path.read_bytes(), *size


def write_copy(path: Path, rate: float, frames: Iterator[Image.Image]) -> tuple[int, int]:
    import cv2
    import numpy as np

    step, writer, due, written, size = max(rate / FRAMES_PER_SECOND, 1.0), None, 0.0, 0, (0, 0)
    for number, frame in enumerate(frames):
        if number < due or written >= MOST_FRAMES:
            continue
        due += step
        copy = frame.copy()
        copy.thumbnail((LONGEST_PX, LONGEST_PX))
        if writer is None:
            size = even(copy.size)
            writer = cv2.VideoWriter(
                str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), min(rate, FRAMES_PER_SECOND), size
            )
        writer.write(np.asarray(copy.resize(size))[:, :, ::-1])
        written += 1
    if writer is None:
        raise NoFrames("no frame of the clip can be decoded")
    writer.release()
    return size


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The encoder wants even sides of at least two pixels."""
    width, height = (max(2, side - side % 2) for side in size)
    return width, height


class frames_of:  # noqa: N801
    """A clip's upright frames, read one by one within bounds, and how many there are in a second."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __enter__(self) -> tuple[float, Iterator[Image.Image]]:
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = OPTIONS
        import cv2

        cv2.setNumThreads(1)
        self.file = tempfile.NamedTemporaryFile(prefix="secondlook-clip-", suffix=".bin")
        self.file.write(self.data)
        self.file.flush()
        self.capture = cv2.VideoCapture(self.file.name, cv2.CAP_FFMPEG)
        rate = self.capture.get(cv2.CAP_PROP_FPS)
        return (rate if 0.1 <= rate <= 1000 else FRAMES_PER_SECOND), self.frames()

    def frames(self) -> Iterator[Image.Image]:
        ends = time.monotonic() + MOST_WORK_S
        for _number in range(MOST_READ):
            there, pixels = self.read()
            if not there or time.monotonic() > ends:
                return
            yield Image.fromarray(pixels[:, :, ::-1])

    def read(self) -> tuple[bool, Any]:
        import cv2

        try:
            return self.capture.read()
        except cv2.error:
            return False, None

    def __exit__(self, *_error: object) -> None:
        self.capture.release()
        self.file.close()
