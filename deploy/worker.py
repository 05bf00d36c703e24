"""The task worker and the tick as threads beside the embedded server."""

import threading
import time

import structlog
from django.db import close_old_connections, connections
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker

from accounts import giving_way
from review.tick import tick

logger = structlog.get_logger(__name__)
POLL_S = 0.25
TICK_S = 1.0


class EmbeddedWorker:
    """Runs background tasks and periodic work until it is stopped; one that fails is logged and taken up again.

    `beside_server`: in the process of a server, whose requests go first.
    """

    def __init__(self, *, beside_server: bool = False) -> None:
        self.beside_server = beside_server
        self.stopping = threading.Event()
        self.worker = Worker(
            queue_names=["*"],
            interval=POLL_S,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
            excluded_queue_names=[],
        )
        self.threads = [
            threading.Thread(target=self.run_tasks, name="tasks", daemon=True),
            threading.Thread(target=self.run_ticks, name="tick", daemon=True),
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self, timeout_s: float = 10) -> None:
        """Let the task in hand finish, for a while; what is cut off is taken up at the next start."""
        self.stopping.set()
        self.worker.running = False
        for thread in self.threads:
            thread.join(timeout_s)

    def run_tasks(self) -> None:
        self.begin()
        while not self.stopping.is_set():
            try:
                self.worker.run()
            except Exception:
                logger.exception("task_worker_failed")
                time.sleep(1)
        connections.close_all()

    def begin(self) -> None:
        """In each thread, first of all."""
        if self.beside_server:
            giving_way.begin()

    def run_ticks(self) -> None:
        self.begin()
        while not self.stopping.wait(TICK_S):
            try:
                close_old_connections()
                tick()
            except Exception:
                logger.exception("tick_failed")
        connections.close_all()
