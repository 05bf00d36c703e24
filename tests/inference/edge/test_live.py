import logging
import socket
import threading

import pytest

from inference.edge.capture.live import Live
from inference.edge.config import SourceConfig
from inference.edge.frames import Latest


class Lines(logging.Handler):
    """Collects log lines and lets a test wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict] = []
        self.changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self.changed:
            self.lines.append({"event": record.getMessage(), **record.edge_fields})
            self.changed.notify_all()

    def wait(self, event: str) -> dict:
        with self.changed:
            assert self.changed.wait_for(lambda: any(line["event"] == event for line in self.lines), 20)
            return next(line for line in self.lines if line["event"] == event)


@pytest.fixture
def lines():
    handler = Lines()
    logger = logging.getLogger("secondlook.edge")
    # The suite's own level is higher than these lines have.
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.fixture
def run():
    threads = []

    def run(address, **settings):
        stop, latest = threading.Event(), Latest()
        live = Live(address, SourceConfig(live=address, **settings))
        thread = threading.Thread(target=live.run, args=(latest, stop))
        thread.start()
        threads.append((thread, stop))
        return latest, stop

    yield run
    for thread, stop in threads:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_a_stream_gives_frames_and_its_end_is_a_lost_camera_that_is_opened_again(run, lines, video):
    latest, _ = run(str(video), infer_every=7)
    frame = latest.get(10)
    assert frame.image.shape == (64, 64, 3)
    assert frame.cut
    assert frame.footage is None
    assert lines.wait("source_lost")["frames"] == 20


def test_a_camera_that_accepts_and_never_answers_is_given_up_after_its_time(run, lines):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        run(f"rtsp://watcher:hunter2@127.0.0.1:{port}/top", open_timeout_s=0.3, read_timeout_s=0.3)
        lost = lines.wait("source_lost")
    assert lost["source"] == "rtsp://127.0.0.1/top"
    assert lost["frames"] == 0
    assert "hunter2" not in str(lines.lines)
