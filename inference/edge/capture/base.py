"""The interface of a source, and what the kinds share: when a frame is due."""

import threading
import time
from typing import Protocol

from inference.edge.frames import Latest

# Further behind than this, a source goes on from now instead of hurrying after.
_MAX_LAG_S = 1.0


class Source(Protocol):
    """Something that gives frames."""

    def run(self, latest: Latest, stop: threading.Event) -> None:
        """Put frames until the source ends or `stop` is set. Raises `SourceError`."""
        ...


class Pace:
    """Waits between frames so that footage comes at camera speed."""

    def __init__(self, fps: float) -> None:
        self._period_s = 1 / fps
        self._due_s = time.monotonic()

    def wait(self, stop: threading.Event) -> None:
        """Until the next frame is due, or `stop` is set."""
        now = time.monotonic()
        if now < self._due_s:
            stop.wait(self._due_s - now)
        elif now - self._due_s > _MAX_LAG_S:
            self._due_s = now
        self._due_s += self._period_s


def hand_over(latest: Latest, stop: threading.Event) -> None:
    """Wait until the main loop has fetched the last frame: for footage of which no frame should be missed."""
    while not stop.is_set() and not latest.wait_taken(0.25):
        pass
