"""The system calls of a running server, as strace sees them, and faults put into them."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.faults.product import Product

STARTED = re.compile(r"^(\d+) +(\w+)\((.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
RESULT = re.compile(r"\) += (-?\d+)")
CALLS = "fsync,fdatasync,rename,mkdir,write,pwrite64,sendto"
# As much of what is written as one page of SQLite holds.
SHOWN = 4200
DETACH_S = 10


@dataclass
class Call:
    """One system call: `began` and `ended` are places in the order of everything that was seen."""

    thread: int
    name: str
    arguments: str
    began: int
    ended: int = -1
    result: int = -1

    def is_on(self, path: Path) -> bool:
        """Whether its first argument is a descriptor of `path`."""
        return f"<{path}>" in self.arguments.partition(",")[0]


def require_strace() -> None:
    if shutil.which("strace") is None and os.environ.get("CI") != "true":
        pytest.skip("needs strace")


@contextmanager
def strace(pid: int, *options: str) -> Iterator[None]:
    """Attached to every thread of a process meanwhile, and to what it starts."""
    command = ["strace", "-f", *options, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        try:
            assert "attached" in first, first
            yield
        finally:
            let_go(process, pid)


def let_go(process: subprocess.Popen[str], pid: int) -> None:
    """End strace; one whose process was killed may wait for ever for threads that are no more."""
    if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
        process.kill()
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=DETACH_S)
    except subprocess.TimeoutExpired:
        process.kill()


@contextmanager
def traced(product: Product, file: Path) -> Iterator[list[Call]]:
    """The calls that were made meanwhile; the list is filled at the end."""
    calls: list[Call] = []
    with strace(pid_of(product), "-y", "-s", str(SHOWN), "-e", f"trace={CALLS}", "-o", str(file)):
        yield calls
    calls += parsed(file.read_text(encoding="utf-8", errors="replace"))


@contextmanager
def injected(pid: int, call: str, what: str) -> Iterator[None]:
    """Something happens at a system call meanwhile: `error=EIO`, or `signal=KILL:when=3`."""
    with strace(pid, "-e", f"trace={call}", "-e", f"inject={call}:{what}", "-o", os.devnull):
        yield


def pid_of(product: Product) -> int:
    assert product.process is not None
    return product.process.pid


def parsed(text: str) -> list[Call]:
    """A call that another thread's interrupts in the output is one call again."""
    calls: list[Call] = []
    running: dict[int, Call] = {}
    for number, line in enumerate(text.splitlines()):
        if found := STARTED.match(line):
            thread, name, rest = found.groups()
            calls.append(Call(int(thread), name, rest, number))
            running[int(thread)] = calls[-1]
        elif found := RESUMED.match(line):
            thread, _name, rest = found.groups()
        else:
            continue
        if (ended := list(RESULT.finditer(rest))) and (call := running.pop(int(thread), None)):
            call.ended, call.result = number, int(ended[-1][1])
    return calls
