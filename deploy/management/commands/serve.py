"""The whole product in one process: Daphne, the task worker and the periodic work."""

import errno
import gc
import os
import signal
import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from deploy.first_start import first_person


class Command(BaseCommand):
    help = "Run Second Look on this machine: migrate, then serve pages, API and background work until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")

    def handle(self, *args: Any, port: int, host: str, **options: Any) -> None:
        require_free(host, port)
        call_command("migrate", verbosity=0, interactive=False)
        for line in first_person():
            self.stdout.write(line)
        run(host, port, ready=lambda: self.stdout.write(f"Second Look: http://localhost:{port}  (stop with Ctrl-C)"))


def require_free(host: str, port: int) -> None:
    """Raise CommandError when the port cannot be had, and say what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is taken. Stop what uses it, or choose another: PORT={port + 1}"
                ) from None
            raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}.") from None


def run(host: str, port: int, *, ready: Any) -> None:
    """Serve until a signal stops the reactor; then let the worker finish what it has in hand."""
    os.environ.setdefault("ASGI_THREADS", "8")
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    from daphne.endpoints import build_endpoint_description_strings

    from deploy.limits.server import with_bounds  # isort: skip  # chooses the reactor, so it comes first
    from deploy.asgi import application
    from deploy.uploads import leave_forms_to_django
    from deploy.worker import EmbeddedWorker

    leave_forms_to_django()

    worker = EmbeddedWorker()
    server = with_bounds(
        application=application,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        http_timeout=120,
        websocket_max_message_size=65536,
        websocket_max_frame_size=65536,
        application_close_timeout=5,
        server_name="secondlook",
        ready_callable=ready,
        verbosity=1,
    )
    # In the background of a shell a server inherits an ignored SIGINT; `kill -INT` stops it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What is loaded by now stays: without it in its way, the collector runs less often and looks at less.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    worker.start()
    try:
        server.run()
    finally:
        worker.stop()
