"""The demo: the server with the cordoned yard, and a device that watches it as a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from deploy import credentials
from deploy.listening import Listening
from deploy.management.commands.seed_demo import KEPT
from deploy.management.commands.serve import require_free, run

STOP_S = 10


class Command(BaseCommand):
    help = "Run the demo on this machine until Ctrl-C: server, and one edge agent that talks to it over HTTP only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-agent", action="store_true", help="without the device, to look at what is there")

    def handle(self, *args: Any, port: int, no_agent: bool, **options: Any) -> None:
        require_free("127.0.0.1", port)
        call_command("migrate", verbosity=0, interactive=False)
        call_command("seed_demo", stdout=self.stdout)
        device = Device(port)

        def ready() -> None:
            self.stdout.write(f"\nSecond Look: http://localhost:{port}  (stop with Ctrl-C)")
            if not no_agent:
                device.start()
                self.stdout.write(f"The yard's device runs; its log: {device.log}")

        try:
            run(Listening(("127.0.0.1",), port), ready=ready)
        finally:
            device.stop()


class Device:
    """The edge agent as a child process, started again should it fall over."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.log = Path(settings.DATA_DIR) / "agent.log"
        self.stopping = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.keeper = threading.Thread(target=self.keep, name="device", daemon=True)

    def start(self) -> None:
        self.keeper.start()

    def keep(self) -> None:
        while not self.stopping.is_set():
            with self.log.open("ab") as log:
                # Its standard input closes with this process, however that ends: no device is left behind. A session
                # of its own keeps the terminal's Ctrl-C from it; it stops when we say so.
                self.process = subprocess.Popen(
                    self.command(),
                    env=self.environment(),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                self.process.wait()
            self.stopping.wait(2)

    def command(self) -> list[str]:
        config = Path(settings.BASE_DIR) / "deploy" / "demo" / "agent.toml"
        server = f"http://127.0.0.1:{self.port}"
        data = str(Path(settings.DATA_DIR) / "agent")
        return [
            sys.executable,
            "-m",
            "inference.edge.cli",
            "run",
            "--config",
            str(config),
            "--server",
            server,
            "--data",
            data,
            "--stop-with-stdin",
        ]

    def environment(self) -> dict[str, str]:
        """The token travels in the environment, so that no process list and no log shows it."""
        token = credentials.load(KEPT)["source"]["token"]
        kept = {name: value for name, value in os.environ.items() if name != "SECONDLOOK_SECRET_KEY"}
        return kept | {"SECONDLOOK_TOKEN": token, "PYTHONPATH": str(settings.BASE_DIR)}

    def stop(self) -> None:
        """Ask the device to stop, and insist after a while."""
        self.stopping.set()
        process = self.process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
