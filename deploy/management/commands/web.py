"""Pages and the live socket in production, behind the proxy."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from deploy.listening import Listening
from deploy.management.commands.serve import require_free, run


class Command(BaseCommand):
    help = "Serve pages and the live socket (production; the API has workers of its own). Migrates nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")

    def handle(self, *args: Any, port: int, host: str, **options: Any) -> None:
        require_free(host, port)
        run(Listening((host,), port), ready=lambda: self.stdout.write(f"pages on http://{host}:{port}"), works=False)
