"""Sources of frames: one file per kind behind one interface, run in a thread of its own."""

import threading
from pathlib import Path

from inference.edge import log
from inference.edge.capture.base import Source
from inference.edge.capture.folder import Folder
from inference.edge.capture.live import Live
from inference.edge.capture.video_file import VideoFile
from inference.edge.config import SourceConfig
from inference.edge.exceptions import SourceError
from inference.edge.frames import Latest

__all__ = ["CaptureThread", "Source", "source_of"]


def source_of(config: SourceConfig, base: Path) -> Source:
    """The source that a configuration names; relative paths start at `base`."""
    if config.file is not None:
        return VideoFile(base / config.file, config)
    if config.folder is not None:
        return Folder(base / config.folder, config)
    assert config.live is not None
    return Live(config.live, config)


class CaptureThread:
    """Runs a source; what stops it is kept in `error`."""

    def __init__(self, source: Source) -> None:
        self.latest = Latest()
        self.error: SourceError | None = None
        self._source = source
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to capture."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Ask the source to end; a read that hangs in a driver is left behind."""
        self._stop.set()
        self.latest.close()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._source.run(self.latest, self._stop)
        except SourceError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  top of a thread: OpenCV raises whatever its back ends raise
            self.error = SourceError(f"the source failed: {type(error).__name__}: {error}")
        finally:
            self.latest.close()
            log.write("source_ended", dropped=self.latest.dropped)
