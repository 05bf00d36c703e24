"""kill -9 of server and agent while events come in: an independent ledger and the database agree to the event."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from deploy.demo_process import ROOT, DemoProcess
from inference.edge.outbox import figures
from tests.factories import event_body, jpeg

pytestmark = pytest.mark.slow
KILLS = 20
AGENT = """
camera = "camera-1"
data = "agent-data"
reporting_floor = 0.4
[source]
file = "{root}/deploy/demo/yard.mp4"
loop = {loop}
realtime = false
infer_every = 5
[model]
path = "{root}/deploy/demo/nanodet-coco80-416.onnx"
[server]
url = "{url}"
retry_min_s = 0.05
retry_max_s = 0.3
[[rules]]
name = "unsure"
confidence = [0.4, 0.6]
event = {{ kind = "unsure" }}
"""


class Ledger(threading.Thread):
    """A source of its own that posts until it is told to stop, and writes down what was acknowledged.

    An event without a good answer is posted again, unchanged, until it has one, as any source must.
    """

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=5)
        self.acknowledged: dict[str, str] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            picture = jpeg((number % 256, number // 256, 7))
            self.post_until_acknowledged(event_body(picture=picture, camera="camera-1"), picture)

    def post_until_acknowledged(self, body: dict[str, Any], picture: bytes) -> None:
        files = {"event": (None, json.dumps(body)), "frame": ("frame.jpg", picture, "image/jpeg")}
        while True:
            try:
                answer = self.client.post(f"{self.url}/api/v1/events", files=files)
            except httpx.TransportError:
                self.stopping.wait(0.05)
                continue
            if answer.status_code in {200, 201}:
                self.acknowledged[body["event_id"]] = hashlib.sha256(picture).hexdigest()
                return
            assert answer.status_code in {429, 503}, answer.text


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoProcess]:
    with DemoProcess(tmp_path / "server", "serve") as running:
        yield running


def issue_token(server: DemoProcess, name: str) -> str:
    command = [
        sys.executable,
        "manage.py",
        "issue_token",
        "--site=site-1",
        "--camera=camera-1",
        f"--name={name}",
        "--json",
    ]
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    environment["SECONDLOOK_DATA"] = str(server.folder)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    token: str = json.loads(done.stdout)["token"]
    return token


def start_agent(folder: Path, server: DemoProcess, token: str, *, loop: bool) -> subprocess.Popen[bytes]:
    config = folder / "agent.toml"
    config.write_text(AGENT.format(root=ROOT, url=server.address, loop=str(loop).lower()), encoding="utf-8")
    with (folder / "agent.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "inference.edge.cli", "run", "--config", str(config)],
            cwd=ROOT,
            env=os.environ | {"SECONDLOOK_TOKEN": token},
            stdout=log,
            stderr=log,
        )


def test_kill_9_of_server_and_agent_loses_and_doubles_nothing(server: DemoProcess, tmp_path: Path) -> None:
    dice = Random(4711)
    ledger = Ledger(f"http://127.0.0.1:{server.port}", issue_token(server, "ledger"))
    agent_token = issue_token(server, "agent")
    agent = start_agent(tmp_path, server, agent_token, loop=True)
    ledger.start()
    for kill in range(KILLS):
        wanted = len(ledger.acknowledged) + dice.randint(1, 25)
        while len(ledger.acknowledged) < wanted:
            assert ledger.is_alive()
            ledger.join(0.01)
        if kill % 2:
            agent.kill()
            agent.wait()
            agent = start_agent(tmp_path, server, agent_token, loop=True)
        server.kill()
        server.start()
    agent.kill()
    agent.wait()
    last = start_agent(tmp_path, server, agent_token, loop=False)
    ledger.stopping.set()
    ledger.join(30)
    assert last.wait(120) == 0, (tmp_path / "agent.log").read_text(encoding="utf-8")[-2000:]
    what_the_ledger_says(server, ledger)
    what_the_agent_counted(server, tmp_path)


def what_the_ledger_says(server: DemoProcess, ledger: Ledger) -> None:
    """Every acknowledged event is there once, with its bytes; nothing else of this source is."""
    stored = rows(server, "ledger", "event_id")
    assert sorted(stored) == sorted(event_id.replace("-", "") for event_id in ledger.acknowledged)
    for sha256 in ledger.acknowledged.values():
        found = list((server.folder / "media" / "evidence").glob(f"*/{sha256[:2]}/{sha256}"))
        assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in found] == [sha256]


def what_the_agent_counted(server: DemoProcess, folder: Path) -> None:
    """The device numbers its events without a gap: the server has each number once, and none waits."""
    said = figures(folder / "agent-data")
    numbers = [json.loads(stamps)["seq"] for stamps in rows(server, "agent", "stamps")]
    assert said["waiting"] == said["dead"] == 0
    assert len(numbers) > KILLS / 2
    assert sorted(numbers) == list(range(1, said["last_seq"] + 1))


def rows(server: DemoProcess, source: str, column: str) -> list[str]:
    query = f"""
        SELECT review_event.{column} FROM review_event
        JOIN inference_source ON inference_source.id = review_event.source_id WHERE inference_source.name = ?
    """
    with sqlite3.connect(server.folder / "secondlook.sqlite3") as connection:
        return [value for (value,) in connection.execute(query, (source,))]
