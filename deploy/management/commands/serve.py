"""The whole product in one process: Daphne, the task worker and the periodic work."""

import errno
import gc
import os
import signal
import socket
from argparse import ArgumentParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.actions import system
from accounts.seal.standing import start_lines
from deploy.first_start import first_person
from deploy.listening import Listening
from deploy.tls.authority import CannotCertify

# Bytes of a request's body that go to its thread at once: a photo is one piece and not eight.
BODY_PIECE = 1 << 18


class Command(BaseCommand):
    help = "Run Second Look on this machine: migrate, then serve pages, API and background work until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="default: 8000, with --lan 8443")
        parser.add_argument("--host", help="address to listen on (default: this machine only)")
        parser.add_argument("--lan", action="store_true", help="on the local network, with TLS")
        parser.add_argument("--name", action="append", default=[], help="another host name or address of this server")
        parser.add_argument("--certificate", type=Path, help="your own certificate with its chain, PEM; needs --key")
        parser.add_argument("--key", type=Path)
        parser.add_argument("--redirect-port", type=int, help="send plain HTTP on this port to the TLS one")

    def handle(self, *args: Any, **options: Any) -> None:
        listening, lines = on_network(options) if options["lan"] else (this_machine(options), [])
        for host in listening.hosts:
            require_free(host, listening.port)
        before = system.applied()
        call_command("migrate", verbosity=0, interactive=False)
        system.record_migrated(before=before, version=version("secondlook"))
        for line in [*first_person(), *lines, *start_lines()]:
            self.stdout.write(line)
        run(listening, ready=lambda: self.stdout.write(f"Second Look: {listening.address}  (stop with Ctrl-C)"))


def this_machine(options: dict[str, Any]) -> Listening:
    return Listening((options["host"] or "127.0.0.1",), options["port"] or 8000)


def on_network(options: dict[str, Any]) -> tuple[Listening, list[str]]:
    """Where to listen with TLS, and what to tell people. Raises CommandError when no certificate fits."""
    from deploy.tls import lan

    try:
        return lan.prepare(
            host=options["host"],
            port=options["port"] or 8443,
            names=options["name"],
            own=lan.own_files(options["certificate"], options["key"]),
            redirect_port=options["redirect_port"],
        )
    except CannotCertify as error:
        raise CommandError(str(error)) from None


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


def run(listening: Listening, *, ready: Any, works: bool = True) -> None:
    """Serve until a signal stops the reactor; then let the worker finish what it has in hand."""
    os.environ.setdefault("ASGI_THREADS", "8")
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)

    from deploy.limits.server import with_bounds  # isort: skip  # chooses the reactor, so it comes first
    from deploy.asgi import application
    from deploy.worker import EmbeddedWorker

    worker = EmbeddedWorker(beside_server=True) if works else None
    server = with_bounds(
        listening,
        application=application,
        http_timeout=120,
        request_buffer_size=BODY_PIECE,
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
    if worker:
        worker.start()
    try:
        system.record_started(version=version("secondlook"))
        server.run()
    finally:
        system.record_stopped(version=version("secondlook"))
        if worker:
            worker.stop()
