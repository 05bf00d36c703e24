"""Frames on their way from a source to the main loop."""

import threading
from dataclasses import dataclass, replace
from datetime import datetime

from inference.vision.preprocess import Frame


@dataclass(frozen=True, slots=True)
class Footage:
    """Footage that repeats: its SHA-256 and its length in frames."""

    sha256: str
    name: str
    frames: int


@dataclass(frozen=True, slots=True)
class Captured:
    """One frame: BGR picture, wall clock, monotonic seconds, and where it lies in repeating footage.

    `at_s` is the source's own time: the monotonic clock for what comes at camera speed, else time in the footage.

    `cut` says that it does not follow the frame before: the footage began again or the camera was opened again.
    """

    image: Frame
    captured_at: datetime
    monotonic_s: float
    at_s: float
    capture_ms: float
    cut: bool = False
    footage: Footage | None = None
    position: int | None = None


class Latest:
    """A queue of one frame: a new frame replaces one that nobody fetched, which counts as dropped."""

    def __init__(self) -> None:
        self.dropped = 0
        self._frame: Captured | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, frame: Captured) -> None:
        """Never waits. The mark of a cut survives the frame that carried it."""
        with self._changed:
            if self._frame is not None:
                self.dropped += 1
                frame = frame if frame.cut or not self._frame.cut else replace(frame, cut=True)
            self._frame = frame
            self._changed.notify()

    def wait_taken(self, timeout_s: float) -> bool:
        """Wait until the frame was fetched: for sources that may wait, such as a folder. False after the timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: self._frame is None or self._closed, timeout_s)

    def get(self, timeout_s: float) -> Captured | None:
        """The newest frame, or None when none came in time or the source has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._closed, timeout_s)
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            return frame

    def close(self) -> None:
        """No more frames will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Closed, and the last frame was fetched."""
        with self._changed:
            return self._closed and self._frame is None
