"""A folder of pictures, in the order of their names, or a single picture."""

import hashlib
import threading
import time
from pathlib import Path

from inference.edge import clock, log
from inference.edge.capture.base import Pace, hand_over
from inference.edge.config import SourceConfig
from inference.edge.exceptions import SourceError
from inference.edge.frames import Captured, Footage, Latest
from inference.vision import images
from inference.vision.exceptions import ImageError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


class Folder:
    """Each picture is a scene of its own, so each begins with a cut; unreadable ones are logged and passed over."""

    def __init__(self, path: Path, config: SourceConfig) -> None:
        self._path = path
        self._config = config

    def run(self, latest: Latest, stop: threading.Event) -> None:
        """See `Source.run`. Raises `SourceError` when there is no picture that can be read."""
        paths = self._pictures()
        footage = _footage(self._path, paths) if self._config.loop else None
        pace = Pace(self._config.fps or 1.0) if self._config.realtime else None
        shown = 0
        while True:
            before = shown
            for position, path in enumerate(paths):
                if stop.is_set():
                    return
                shown += self._show(path, position, shown, footage, pace, latest, stop)
            if shown == before:
                raise SourceError(f"no picture in {self._path} can be decoded")
            if not self._config.loop:
                return

    def _show(
        self, path: Path, position: int, shown: int, footage: Footage | None, pace: Pace | None, latest: Latest,
        stop: threading.Event,
    ) -> bool:  # fmt: skip
        if position % self._config.infer_every:
            return False
        if pace is not None:
            pace.wait(stop)
        started = time.perf_counter()
        try:
            image = images.decode(path.read_bytes())
        except (OSError, ImageError) as error:
            log.warn("picture_skipped", file=path.name, problem=str(error))
            return False
        now = time.monotonic()
        at_s = now if self._config.realtime else shown / (self._config.fps or 1.0)
        capture_ms = (time.perf_counter() - started) * 1e3
        latest.put(Captured(image, clock.now(), now, at_s, capture_ms, True, footage, position))
        if pace is None:
            hand_over(latest, stop)
        return True

    def _pictures(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        if not self._path.is_dir():
            raise SourceError(f"there is no folder {self._path}")
        paths = sorted(path for path in self._path.iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise SourceError(f"{self._path} holds no picture ({', '.join(sorted(SUFFIXES))})")
        return paths


def _footage(folder: Path, paths: list[Path]) -> Footage:
    """A folder is the same footage while names and sizes stay."""
    listing = "\n".join(f"{path.name} {path.stat().st_size}" for path in paths)
    return Footage(hashlib.sha256(listing.encode()).hexdigest(), folder.name, len(paths))
