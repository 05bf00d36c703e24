import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inference.edge.outbox import figures

ROOT = Path(__file__).parents[3]

CONFIG = """
camera = "yard-1"
data = "data"
[source]
file = "{video}"
loop = {loop}
[model]
path = "{model}"
[server]
url = "{url}"
retry_min_s = 0.01
retry_max_s = 0.05
[[rules]]
name = "unsure"
confidence = [0.25, 0.6]
event = {{ kind = "unsure" }}
"""


@pytest.fixture
def launch(tmp_path, stub, model, video):
    started = []

    def launch(loop=True):
        config = tmp_path / "agent.toml"
        config.write_text(CONFIG.format(video=video, model=model, url=stub.url, loop=str(loop).lower()))
        process = subprocess.Popen(
            [sys.executable, "-m", "inference.edge.cli", "run", "--config", str(config)],
            cwd=ROOT,
            env={**os.environ, "SECONDLOOK_TOKEN": "t"},
            stderr=(tmp_path / f"log-{len(started)}").open("wb"),
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_kill_9_loses_and_doubles_nothing_even_when_answers_get_lost(launch, stub, tmp_path):
    stub.drop_every = 3
    for wanted in (1, 2, 7, 20, 3):
        process = launch()
        before = len(stub.posts)
        stub.wait_for(lambda before=before, wanted=wanted: len(stub.posts) >= before + wanted)
        process.kill()
        process.wait()
    stub.drop_every = 0
    last = launch(loop=False)
    assert last.wait(60) == 0, (tmp_path / "log-5").read_text()
    said = figures(tmp_path / "data")
    assert said["waiting"] == said["dead"] == 0
    bodies = stub.bodies()
    assert sorted(body["stamps"]["seq"] for body in bodies) == list(range(1, said["last_seq"] + 1))
    assert stub.conflicts == []
    assert len({body["stamps"]["boot_id"] for body in bodies}) >= 3
    assert len(stub.posts) > len(stub.events)


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_agent_cleanly(launch, stub, name, tmp_path):
    process = launch()
    stub.wait_for(lambda: stub.events)
    process.send_signal(name)
    status = process.wait(20)
    log = [json.loads(line) for line in (tmp_path / "log-0").read_text().splitlines()]
    assert status == 0, log
    assert log[-1]["event"] == "agent_stopped"
