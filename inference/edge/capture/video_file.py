"""A video file: once as fast as it is looked at, or looped at camera speed as if it were a camera."""

import hashlib
import threading
import time
from pathlib import Path

import cv2
import numpy as np

from inference.edge import clock
from inference.edge.capture.base import Pace, hand_over
from inference.edge.config import SourceConfig
from inference.edge.exceptions import SourceError
from inference.edge.frames import Captured, Footage, Latest

_DEFAULT_FPS = 25.0


class VideoFile:
    """Gives every `infer_every`-th frame; the file is opened anew for each pass, so each pass decodes the same."""

    def __init__(self, path: Path, config: SourceConfig) -> None:
        self._path = path
        self._config = config
        self._footage: Footage | None = None
        self._passed_s = 0.0

    def run(self, latest: Latest, stop: threading.Event) -> None:
        """See `Source.run`. Raises `SourceError` when the file cannot be read or holds no frame."""
        video = self._open()
        fps = self._config.fps or video.get(cv2.CAP_PROP_FPS) or _DEFAULT_FPS
        if self._config.loop:
            self._footage = Footage(_digest(self._path), self._path.name, _length(video))
        pace = Pace(fps) if self._config.realtime else None
        while True:
            if self._pass(video, fps, pace, latest, stop) == 0 and not stop.is_set():
                raise SourceError(f"{self._path} holds no frame that can be decoded")
            if stop.is_set() or not self._config.loop:
                break
            video = self._open()

    def _pass(
        self, video: cv2.VideoCapture, fps: float, pace: Pace | None, latest: Latest, stop: threading.Event
    ) -> int:
        """Play the file once; how many frames it had."""
        position = 0
        try:
            while not stop.is_set():
                if pace is not None:
                    pace.wait(stop)
                started = time.perf_counter()
                if not video.grab():
                    break
                if position % self._config.infer_every == 0:
                    self._put(video, position, fps, started, latest)
                    if pace is None:
                        hand_over(latest, stop)
                position += 1
        finally:
            video.release()
        self._passed_s += position / fps
        return position

    def _put(self, video: cv2.VideoCapture, position: int, fps: float, started: float, latest: Latest) -> None:
        ok, image = video.retrieve()
        if not ok:
            return
        now = time.monotonic()
        latest.put(
            Captured(
                image=np.asarray(image, np.uint8),
                captured_at=clock.now(),
                monotonic_s=now,
                at_s=now if self._config.realtime else self._passed_s + position / fps,
                capture_ms=(time.perf_counter() - started) * 1e3,
                cut=position == 0,
                footage=self._footage,
                position=position,
            )
        )

    def _open(self) -> cv2.VideoCapture:
        if not self._path.is_file():
            raise SourceError(f"there is no video file {self._path}")
        video = cv2.VideoCapture(str(self._path))
        if not video.isOpened():
            raise SourceError(f"{self._path} cannot be read as a video")
        return video


def _length(video: cv2.VideoCapture) -> int:
    return max(1, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
