"""Turns for the server's threads: callers are served one after the other, however many requests each of them has.

Without this, whoever sends the most requests fills the line in front of the threads, and everybody else waits behind
all of them. With it a caller waits for at most one request of each other caller.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

Turn = asyncio.Future[None]


class FairTurns:
    """At most `places` at once; those who wait go round by caller, each caller's own ones in their order."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.waiting: OrderedDict[str, deque[Turn]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        await self.wait(caller)
        try:
            yield
        finally:
            self.pass_on()

    async def wait(self, caller: str) -> None:
        if self.free > 0 and not self.waiting:
            self.free -= 1
            return
        mine: Turn = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(caller, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            # Whoever gave us the place did not know that we had gone: it goes on to the next.
            if mine.done() and not mine.cancelled():
                self.pass_on()
            raise

    def pass_on(self) -> None:
        """Give a place that is free again to the caller whose last turn is the longest ago."""
        while self.waiting:
            caller, line = self.waiting.popitem(last=False)
            mine = line.popleft()
            if line:
                # To the end of the round; its others wait until everybody else had a turn.
                self.waiting[caller] = line
            if not mine.done():
                mine.set_result(None)
                return
        self.free += 1


def caller_of(meta: Mapping[str, Any]) -> str:
    """Who asks, as far as it shows before anything is read: the credential, the browser, or else the address.

    A guess at one gets a turn of its own, but no more of them than the bounds of its address allow.
    """
    return str(meta.get("HTTP_AUTHORIZATION") or meta.get("HTTP_COOKIE") or meta.get("REMOTE_ADDR") or "")
