import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from inference.edge import agent
from inference.edge.config import parse
from inference.edge.outbox import Outbox

from .stub import Stub

DEMO = Path(__file__).parents[3] / "deploy" / "demo"


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox", quota_bytes=10 * 2**20)
    yield box
    box.close()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YOLOv8-style model that always sees one doubtful cat (.5) and one certain dog (.9)."""
    rows = np.zeros((1, 6, 4), np.float32)
    rows[0, :, 0] = (16, 16, 10, 10, 0.5, 0)
    rows[0, :, 1] = (48, 48, 10, 10, 0, 0.9)
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "none"], ["nothing"]),
        helper.make_node("Add", ["rows", "nothing"], ["output0"]),
    ]
    constants = [numpy_helper.from_array(np.zeros((), np.float32), "none"), numpy_helper.from_array(rows, "rows")]
    graph = helper.make_graph(
        nodes,
        "fixed",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 6, 4])],
        constants,
    )
    proto = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
    helper.set_model_props(proto, {"names": "{0: 'cat', 1: 'dog'}", "task": "detect"})
    path = tmp_path_factory.mktemp("model") / "pets.onnx"
    onnx.save(proto, path)
    return path


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty frames of 64 x 64 px, each of another grey."""
    path = tmp_path_factory.mktemp("video") / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    assert writer.isOpened()
    for level in range(20):
        writer.write(np.full((64, 64, 3), level * 12, np.uint8))
    writer.release()
    return path


@pytest.fixture
def configured(model: Path, video: Path) -> Callable[..., dict[str, Any]]:
    """A configuration that posts the doubtful cat of each pass, with changes by section."""

    def build(**changes: Any) -> dict[str, Any]:
        data: dict[str, Any] = {
            "camera": "yard-1",
            "source": {"file": str(video)},
            "model": {"path": str(model)},
            "server": {"retry_min_s": 0.01, "retry_max_s": 0.05, "timeout_s": 5},
            "rules": [{"name": "unsure", "confidence": [0.25, 0.6], "event": {"kind": "unsure"}}],
        }
        for key, value in changes.items():
            data[key] = {**data[key], **value} if isinstance(value, dict) and key in data else value
        return data

    return build


class Running:
    """An agent in a thread of the test."""

    def __init__(self, setup: agent.Setup) -> None:
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(setup,))
        self._thread.start()

    def _run(self, setup: agent.Setup) -> None:
        try:
            agent.run(setup, self.stop)
        except Exception as error:  # noqa: BLE001  given to the test by `join`
            self.error = error

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error

    def end(self) -> None:
        self.stop.set()
        self.join()


@pytest.fixture
def start(tmp_path: Path, stub: Stub) -> Iterator[Callable[[dict[str, Any]], Running]]:
    started: list[Running] = []

    def start(data: dict[str, Any]) -> Running:
        setup = agent.Setup(parse(data), Path(), tmp_path / "data", stub.url, "secret-token")
        started.append(Running(setup))
        return started[-1]

    yield start
    for running in started:
        running.stop.set()
        running._thread.join(30)
