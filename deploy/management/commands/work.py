"""Background work in production: tasks, and what is done once a second."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from deploy.worker import EmbeddedWorker


class Command(BaseCommand):
    help = "Run background tasks and periodic work until SIGTERM or Ctrl-C; the task in hand is finished first."

    def handle(self, *args: Any, **options: Any) -> None:
        stopping, worker = threading.Event(), EmbeddedWorker()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stopping.set())
        worker.start()
        stopping.wait()
        worker.stop()
