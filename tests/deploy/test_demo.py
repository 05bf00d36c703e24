"""The demo as a process: what it leaves behind."""

import time
from pathlib import Path

import psutil
import pytest

from deploy.demo_process import DemoProcess

pytestmark = pytest.mark.slow


def device_of(demo: DemoProcess) -> psutil.Process:
    """The demo's edge agent, once it runs."""
    assert demo.process is not None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in psutil.Process(demo.process.pid).children(recursive=True):
            if "inference.edge.cli" in child.cmdline():
                return child
        time.sleep(0.1)
    raise AssertionError("the device never started")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_no_device_outlives_its_demo(tmp_path: Path, end: str) -> None:
    with DemoProcess(tmp_path / "data") as demo:
        device = device_of(demo)
        getattr(demo, end)()
        _gone, alive = psutil.wait_procs([device], timeout=30)
    assert not alive


def test_it_starts_again_with_its_people_and_their_passwords(tmp_path: Path) -> None:
    with DemoProcess(tmp_path / "data", "demo", "--no-agent") as demo:
        first = demo.people()
    with DemoProcess(tmp_path / "data", "demo", "--no-agent") as demo:
        assert demo.people() == first
