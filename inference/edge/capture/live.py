"""A live camera: an RTSP or HTTP address, or the number of a USB camera."""

import threading
import time
from urllib.parse import urlsplit

import cv2
import numpy as np

from inference.edge import clock, log
from inference.edge.backoff import Backoff
from inference.edge.config import SourceConfig
from inference.edge.frames import Captured, Latest

_RETRY_MIN_S, _RETRY_MAX_S = 1.0, 60.0


class Live:
    """Opens the camera again whenever it is lost, with growing pauses; never gives up by itself."""

    def __init__(self, address: str | int, config: SourceConfig) -> None:
        self._address = address
        self._config = config
        self._backoff = Backoff(_RETRY_MIN_S, _RETRY_MAX_S)

    def run(self, latest: Latest, stop: threading.Event) -> None:
        """See `Source.run`."""
        while not stop.is_set():
            video = self._open()
            frames = self._watch(video, latest, stop) if video.isOpened() else 0
            video.release()
            if stop.is_set():
                return
            if frames:
                self._backoff.succeeded()
            wait_s = self._backoff.failed()
            log.warn("source_lost", source=self._name(), frames=frames, retry_in_s=round(wait_s, 1))
            stop.wait(wait_s)

    def _watch(self, video: cv2.VideoCapture, latest: Latest, stop: threading.Event) -> int:
        """Read until the camera fails; how many frames came."""
        count = 0
        while not stop.is_set():
            started = time.perf_counter()
            if not video.grab():
                break
            if count % self._config.infer_every == 0:
                ok, image = video.retrieve()
                if not ok:
                    break
                now = time.monotonic()
                capture_ms = (time.perf_counter() - started) * 1e3
                latest.put(Captured(np.asarray(image, np.uint8), clock.now(), now, now, capture_ms, count == 0))
            count += 1
        return count

    def _open(self) -> cv2.VideoCapture:
        if isinstance(self._address, int):
            return cv2.VideoCapture(self._address)
        # Without these OpenCV waits 30 s for a camera that does not answer.
        timeouts = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(self._config.open_timeout_s * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(self._config.read_timeout_s * 1000),
        ]  # fmt: skip
        return cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, timeouts)

    def _name(self) -> str:
        """For the log: an address often carries a password, so only host and path."""
        if isinstance(self._address, int):
            return f"camera {self._address}"
        parts = urlsplit(self._address)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"
