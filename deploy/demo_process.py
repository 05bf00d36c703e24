"""A demo of its own, started as a process on a free port with a fresh data folder: for tests and screenshots."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
START_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class DemoProcess:
    """`manage.py demo` (or another serving command) as a context manager."""

    def __init__(self, folder: Path, *command: str, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.command = command or ("demo",)
        self.environment = environment
        self.log = folder / "console.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready. Raises RuntimeError with its console when it does not come up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *self.command, "--port", str(self.port)],
                cwd=ROOT,
                env=self.surroundings(),
                stdout=log,
                stderr=log,
            )
        self.wait_ready()

    def surroundings(self) -> dict[str, str]:
        """The environment in which its commands run."""
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return kept | {"SECONDLOOK_DATA": str(self.folder)} | self.environment

    def run_command(self, *command: str) -> str:
        """Run another command on its data to the end; what it printed. Raises CalledProcessError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "manage.py", *command]
        done = subprocess.run(words, cwd=ROOT, env=self.surroundings(), capture_output=True, text=True, check=True)
        return done.stdout

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            if self.answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"it did not start:\n{self.log.read_text(encoding='utf-8')[-4000:]}")

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """`kill -9`: nothing is said, nothing is flushed."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def people(self) -> dict[str, Any]:
        """The demo people by sign-in name."""
        found: dict[str, Any] = json.loads((self.folder / "demo.json").read_text(encoding="utf-8"))["people"]
        return found
