"""Waiting for a hint of the channel layer, on the server's event loop. Without a layer the time passes all the same."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
AWAY = (OSError, RedisError)
# How often to look when no hints can be heard.
DEAF_LOOK_S = 0.5

Wait = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def hints(group: str) -> AsyncIterator[Wait]:
    """Listen to `group`; `await wait(seconds)` returns at the next message, or after that time."""
    layer = get_channel_layer()
    try:
        channel = await layer.new_channel() if layer else ""
        if layer:
            await layer.group_add(group, channel)
    except AWAY:
        logger.warning("channel layer is out of reach; looking instead of listening")
        layer = None

    async def wait(seconds: float) -> None:
        if layer is None:
            await asyncio.sleep(min(seconds, DEAF_LOOK_S))
            return
        try:
            await asyncio.wait_for(layer.receive(channel), seconds)
        except TimeoutError:
            return
        except AWAY:
            await asyncio.sleep(min(seconds, DEAF_LOOK_S))

    try:
        yield wait
    finally:
        if layer is not None:
            try:
                await layer.group_discard(group, channel)
            except AWAY:
                logger.warning("channel layer is out of reach; a subscription ends by itself")
