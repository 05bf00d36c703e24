"""The demo as a process: what it leaves behind."""

import time
from pathlib import Path

import psutil
import pytest

from deploy.demo_process import DemoProcess
from tests import prepared

pytestmark = pytest.mark.slow


def children_of(demo: DemoProcess) -> list[psutil.Process]:
    """The demo's edge agent and its decoding process, once both run."""
    assert demo.process is not None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = psutil.Process(demo.process.pid).children(recursive=True)
        lines = [" ".join(child.cmdline()) for child in found]
        if all(any(part in line for line in lines) for part in ("inference.edge.cli", "spawn_main")):
            return found
        time.sleep(0.1)
    raise AssertionError("the device or the decoding process never started")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_no_child_outlives_its_demo(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, end: str) -> None:
    with DemoProcess(prepared.demo(tmp_path_factory, tmp_path / "data")) as demo:
        children = children_of(demo)
        getattr(demo, end)()
        _gone, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_it_starts_again_with_its_people_and_their_passwords(tmp_path: Path) -> None:
    with DemoProcess(tmp_path / "data", "demo", "--no-agent") as demo:
        first = demo.people()
    with DemoProcess(tmp_path / "data", "demo", "--no-agent") as demo:
        assert demo.people() == first
