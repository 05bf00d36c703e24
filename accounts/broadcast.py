"""Telling open pages that something changed: ids only, on commit, and the page asks for the fragment itself.

Messages are hints. A page that misses one is right again after its next one, or after it reconnects. So nobody waits
for the channel layer: one thread of the process hands over what was said, with one connection that it keeps.
"""

import asyncio
import atexit
import logging
import os
import threading
import time
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
# The event loop of the server in this process. The in-memory layer belongs to it, so other threads hop onto it.
server_loop: asyncio.AbstractEventLoop | None = None
# How long one hint may take. After one that took longer, or failed, none is tried for a moment.
SEND_S = 0.5
PAUSE_S = 2.0
# Hints that wait; the same one said twice waits once. A layer that is slow must not fill the memory.
MOST_WAITING = 10_000


def rights_changed(person_id: int) -> None:
    """Roles, sessions or the account of a person changed: the open sockets look at the rights again at once."""
    on_commit(f"person.{person_id}", {"type": "rights_changed"})


def on_commit(group: str, message: dict[str, Any]) -> None:
    transaction.on_commit(lambda: send(group, message), robust=True)


def send(group: str, message: dict[str, Any]) -> None:
    """Have a message handed to the channel layer soon. A layer that is down or hangs costs the hint and nothing else.

    The values of a message are strings and flags.
    """
    layer = get_channel_layer()
    if layer is None:
        return
    if isinstance(layer, InMemoryChannelLayer):
        if server_loop is not None and server_loop.is_running():
            server_loop.call_soon_threadsafe(lambda: server_loop.create_task(layer.group_send(group, message)))
        return
    courier.put(group, message)


async def deliver(layer: Any, group: str, message: dict[str, Any]) -> None:
    """Hand a message over within `SEND_S`. Raises OSError (a time-out is one) or RedisError."""
    async with asyncio.timeout(SEND_S):
        await layer.group_send(group, message)


class Courier:
    """Hands over the hints of a process, in the order in which they were first said."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Nothing waits, and nobody is at work: also in a process that was just forked off, which has no thread."""
        self.waiting: dict[tuple[str, frozenset[Any]], dict[str, Any]] = {}
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = None
        self.busy = False
        self.away_until = 0.0

    def put(self, group: str, message: dict[str, Any]) -> None:
        with self.changed:
            if time.monotonic() < self.away_until or len(self.waiting) >= MOST_WAITING:
                return
            self.waiting[group, frozenset(message.items())] = message
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self.run, name="broadcast", daemon=True)
                self.thread.start()
            self.changed.notify_all()

    def run(self) -> None:
        with asyncio.Runner() as runner:
            while True:
                with self.changed:
                    self.busy = False
                    self.changed.notify_all()
                    self.changed.wait_for(lambda: self.waiting)
                    taken, self.waiting, self.busy = self.waiting, {}, True
                runner.run(self.hand_over(taken))

    async def hand_over(self, taken: dict[tuple[str, frozenset[Any]], dict[str, Any]]) -> None:
        layer = get_channel_layer()
        for (group, _content), message in taken.items():
            try:
                await deliver(layer, group, message)
            except (OSError, RedisError):
                self.away_until = time.monotonic() + PAUSE_S
                logger.warning("channel layer is out of reach; pages catch up by themselves")
                return

    def flush(self, within_s: float) -> bool:
        """Wait until everything is handed over; whether it was in time."""
        with self.changed:
            return self.changed.wait_for(lambda: not self.waiting and not self.busy, within_s)


courier = Courier()
os.register_at_fork(after_in_child=courier.begin)
# A command that ends right after its change tells it all the same.
atexit.register(courier.flush, SEND_S)
