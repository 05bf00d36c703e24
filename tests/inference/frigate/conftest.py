import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from inference.frigate import connector
from inference.frigate.config import parse
from tests.inference.edge.stub import Stub

from .messages import picture
from .nvr_stub import NvrStub

TOKEN = "sls_secret-token"


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()


@pytest.fixture
def nvr() -> Iterator[NvrStub]:
    server = NvrStub()
    server.always["snapshot.jpg"] = picture()
    yield server
    server.close()


class Mosquitto:
    """A broker of the test's own, on a free port; `lines` are added to its configuration."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self.lines = ["allow_anonymous true"]
        self.port = free_port()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        ours = [f"user {getpass.getuser()}", f"listener {self.port} 127.0.0.1", f"persistence_location {self.folder}/"]
        config.write_text("\n".join([*ours, *self.lines, ""]))
        self._process = subprocess.Popen(
            [self._program, "-c", str(config)], stderr=(self.folder / "mosquitto.log").open("ab")
        )
        wait_until(self._listens, "mosquitto never listened")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def publish(
        self, payload: bytes | str, topic: str = "frigate/events", *, qos: int = 1, retain: bool = False
    ) -> None:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        said = client.publish("frigate/events", payload, qos=1, retain=retain)
        said.wait_for_publish(20)
        assert said.is_published()
        client.disconnect()
        client.loop_stop()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], problem: str, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, problem
        time.sleep(0.02)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("mosquitto is not installed")
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    mosquitto = Mosquitto(folder, program)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def configured(nvr: NvrStub, broker: Mosquitto) -> Callable[..., dict[str, Any]]:
    """A configuration that posts doubtful persons, with changes by section."""

    def build(**changes: Any) -> dict[str, Any]:
        data: dict[str, Any] = {
            "frigate": {"url": nvr.url, "picture_wait_s": 0, "catch_up_every_s": 0},
            "mqtt": {"host": "127.0.0.1", "port": broker.port, "retry_min_s": 0.05, "retry_max_s": 0.2},
            "server": {"retry_min_s": 0.01, "retry_max_s": 0.05, "timeout_s": 10},
            "cameras": {"front_door": {"name": "cam-1"}},
            "rules": [{"name": "unsure", "labels": ["person"], "confidence": [0.5, 0.8], "event": {"kind": "unsure"}}],
        }
        for key, value in changes.items():
            data[key] = {**data[key], **value} if isinstance(value, dict) and key in data else value
        return data

    return build


class Running:
    """A connector in a thread of the test."""

    def __init__(self, setup: connector.Setup) -> None:
        self.stop = threading.Event()
        self.data = setup.data
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(setup,))
        self._thread.start()

    def _run(self, setup: connector.Setup) -> None:
        try:
            connector.run(setup, self.stop)
        except Exception as error:  # noqa: BLE001  given to the test by `end`
            self.error = error

    def end(self) -> None:
        self.stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error


@pytest.fixture
def start(tmp_path: Path, stub: Stub, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Running]]:
    """Starts a connector and waits until the broker has its subscription."""
    caplog.set_level("INFO", logger="secondlook.edge")
    started: list[Running] = []

    def start(data: dict[str, Any], *, url: str | None = None, token: str = TOKEN, listening: bool = True) -> Running:
        before = heard(caplog)
        setup = connector.Setup(parse(data), Path(), tmp_path / "data", url or stub.url, token)
        started.append(Running(setup))
        if listening:
            wait_until(lambda: heard(caplog) > before, "the connector never listened")
        return started[-1]

    yield start
    for running in started:
        running.stop.set()
        running._thread.join(30)


def heard(caplog: pytest.LogCaptureFixture) -> int:
    return lines(caplog).count("broker_listening")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]
