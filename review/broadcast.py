"""Telling open pages that something changed: ids only, on commit, and the page asks for the fragment itself.

Messages are hints. A page that misses one is right again after its next one, or after it reconnects.
"""

import asyncio
import logging
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)
# The event loop of the server in this process. The in-memory layer belongs to it, so other threads hop onto it.
server_loop: asyncio.AbstractEventLoop | None = None


def queue_changed(queue_id: UUID) -> None:
    """Items of a queue came, went or changed hands."""
    on_commit(f"queue.{queue_id}", {"type": "changed", "kind": "queue", "id": str(queue_id)})


def release_changed(release_id: UUID) -> None:
    """A release moved on."""
    on_commit(f"release.{release_id}", {"type": "changed", "kind": "release", "id": str(release_id)})


def source_changed(source_id: UUID) -> None:
    """A source posted something."""
    on_commit(f"source.{source_id}", {"type": "changed", "kind": "source", "id": str(source_id)})


def on_commit(group: str, message: dict[str, Any]) -> None:
    transaction.on_commit(lambda: send(group, message), robust=True)


def send(group: str, message: dict[str, Any]) -> None:
    """Hand a message to the channel layer. A layer that is down costs the hint and nothing else."""
    layer = get_channel_layer()
    if layer is None:
        return
    if isinstance(layer, InMemoryChannelLayer):
        if server_loop is not None and server_loop.is_running():
            server_loop.call_soon_threadsafe(lambda: server_loop.create_task(layer.group_send(group, message)))
        return
    try:
        async_to_sync(layer.group_send)(group, message)
    except OSError:
        logger.warning("channel layer is out of reach; pages catch up by themselves")
