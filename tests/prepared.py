"""Data folders that tests begin from, made once in a run of the suite by whichever worker needs one first."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.demo_process import DemoProcess


def empty(factory: pytest.TempPathFactory, into: Path) -> Path:
    """A folder for `serve` whose database has all tables, and nothing else; returns `into`."""
    return copied(factory, "empty", make_empty, into)


def demo(factory: pytest.TempPathFactory, into: Path) -> Path:
    """A folder for `demo` with its people and sites, as its first start leaves it; returns `into`."""
    return copied(factory, "demo", make_demo, into)


def make_empty(folder: Path) -> None:
    DemoProcess(folder).run_command("migrate", "--verbosity=0")


def make_demo(folder: Path) -> None:
    with DemoProcess(folder, "demo", "--no-agent"):
        pass


def copied(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None], into: Path) -> Path:
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    prepared = shared / f"prepared-{name}"
    with (shared / f"prepared-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not prepared.exists():
            make(shared / f"unfinished-{name}")
            (shared / f"unfinished-{name}").rename(prepared)
    shutil.copytree(prepared, into, dirs_exist_ok=True)
    return into
