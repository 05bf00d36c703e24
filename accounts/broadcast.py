"""Telling open pages that something changed: ids only, on commit, and the page asks for the fragment itself.

Messages are hints. A page that misses one is right again after its next one, or after it reconnects.
"""

import asyncio
import logging
import time
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
# The event loop of the server in this process. The in-memory layer belongs to it, so other threads hop onto it.
server_loop: asyncio.AbstractEventLoop | None = None
# How long a hint may take: whoever changed something waits for it. After one that took longer, or failed, none is tried
# for a moment, so that a layer that hangs costs a request this time once, however much it has to tell.
SEND_S = 0.5
PAUSE_S = 2.0
away_until = 0.0


def rights_changed(person_id: int) -> None:
    """Roles, sessions or the account of a person changed: the open sockets look at the rights again at once."""
    on_commit(f"person.{person_id}", {"type": "rights_changed"})


def on_commit(group: str, message: dict[str, Any]) -> None:
    transaction.on_commit(lambda: send(group, message), robust=True)


def send(group: str, message: dict[str, Any]) -> None:
    """Hand a message to the channel layer. A layer that is down or hangs costs the hint and nothing else."""
    global away_until
    layer = get_channel_layer()
    if layer is None:
        return
    if isinstance(layer, InMemoryChannelLayer):
        if server_loop is not None and server_loop.is_running():
            server_loop.call_soon_threadsafe(lambda: server_loop.create_task(layer.group_send(group, message)))
        return
    if time.monotonic() < away_until:
        return
    try:
        async_to_sync(deliver)(layer, group, message)
    except (OSError, RedisError):
        away_until = time.monotonic() + PAUSE_S
        logger.warning("channel layer is out of reach; pages catch up by themselves")


async def deliver(layer: Any, group: str, message: dict[str, Any]) -> None:
    """Send within `SEND_S`. Raises OSError (a time-out is one) or RedisError."""
    async with asyncio.timeout(SEND_S):
        await layer.group_send(group, message)
