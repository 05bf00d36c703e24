"""Turns for the server's threads: callers are served one after the other, however many requests each of them has.

Without this, whoever sends the most requests fills the line in front of the threads, and everybody else waits behind
all of them. With it a caller waits for at most one request of each other caller. Threads share one interpreter, so a
caller at work in all of them would still slow everybody else: as long as others ask, nobody has more than a few.
"""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

Turn = asyncio.Future[None]
# Places that one caller may have at a time while others are about.
BESIDE_OTHERS = 2
# Somebody who has asked within this time is about.
ABOUT_S = 2.0


class FairTurns:
    """At most `places` at once; those who wait go round by caller, each caller's own ones in their order."""

    def __init__(self, places: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.free, self.most, self.clock = places, places, clock
        self.waiting: OrderedDict[str, deque[Turn]] = OrderedDict()
        self.busy: Counter[str] = Counter()
        # The two callers that asked last, and when: enough to know whether there is somebody else.
        self.heard: OrderedDict[str, float] = OrderedDict()

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        await self.wait(caller)
        try:
            yield
        finally:
            self.done(caller)

    async def wait(self, caller: str) -> None:
        self.hear(caller)
        mine: Turn = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(caller, deque()).append(mine)
        self.hand_out()
        try:
            await mine
        except asyncio.CancelledError:
            # Whoever gave us the place did not know that we had gone: it goes on to the next.
            if mine.done() and not mine.cancelled():
                self.done(caller)
            raise

    def hear(self, caller: str) -> None:
        self.heard[caller] = self.clock()
        self.heard.move_to_end(caller)
        while len(self.heard) > 2:
            self.heard.popitem(last=False)

    def done(self, caller: str) -> None:
        self.free += 1
        self.busy[caller] -= 1
        if not self.busy[caller]:
            del self.busy[caller]
        self.hand_out()

    def hand_out(self) -> None:
        """Give free places to the callers whose last turn is the longest ago, and to none more than it may have."""
        while self.free > 0:
            caller = next((one for one in self.waiting if self.busy[one] < self.allowed(one)), None)
            if caller is None:
                return
            line = self.waiting.pop(caller)
            mine = line.popleft()
            if line:
                # To the end of the round; its others wait until everybody else had a turn.
                self.waiting[caller] = line
            if not mine.done():
                self.free -= 1
                self.busy[caller] += 1
                mine.set_result(None)

    def allowed(self, caller: str) -> int:
        """How many places a caller may have now."""
        since = self.clock() - ABOUT_S
        others = any(other != caller and at >= since for other, at in self.heard.items())
        return BESIDE_OTHERS if others else self.most


def caller_of(meta: Mapping[str, Any]) -> str:
    """Who asks, as far as it shows before anything is read: the credential, the browser, or else the address.

    A guess at one gets a turn of its own, but no more of them than the bounds of its address allow.
    """
    return str(meta.get("HTTP_AUTHORIZATION") or meta.get("HTTP_COOKIE") or meta.get("REMOTE_ADDR") or "")
