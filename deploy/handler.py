"""Django's ASGI handler with one change of threads per request instead of four.

Our middleware and views are synchronous. Django's own handler walks from the event loop to a fresh thread, back to the
loop for the innermost step, and to the thread again for the view; each request also gets a new database connection,
because its thread is new. Here the whole synchronous side runs in one thread of the server's pool, which keeps its
connection where CONN_MAX_AGE allows that.
"""

import asyncio
import os
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from deploy.hints import hints
from deploy.limits.fair import FairTurns, caller_of
from review import problems
from review.waiting import Pause, pause_of

logger = structlog.get_logger(__name__)
# As many as `serve` starts, where nothing else is said.
THREADS = 8
GIVEN_UP = "secondlook_given_up"


class OneThreadHandler(ASGIHandler):
    def __init__(self) -> None:
        super().__init__()
        self.turns = FairTurns(int(os.environ.get("ASGI_THREADS", THREADS)))

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain for synchronous use, whatever the server speaks."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        response = await self.in_a_thread(request)
        pause = pause_of(response)
        return response if pause is None else await self.after_a_pause(request, pause)

    async def after_a_pause(self, request: HttpRequest, pause: Pause) -> HttpResponseBase:
        """The answer to a view that had none yet: asked again at each hint, without a thread in between."""
        clock = asyncio.get_running_loop().time
        ends = clock() + pause.most_s
        async with hints(pause.group) as wait:
            while True:
                # The first time at once: the hint may have come before anybody listened.
                response = await self.in_a_thread(request)
                again, left = pause_of(response), ends - clock()
                if again is None or left <= 0:
                    return response
                await wait(min(left, again.look_s))

    async def in_a_thread(self, request: HttpRequest) -> HttpResponseBase:
        working = asyncio.ensure_future(self.work(request))
        try:
            done, _late = await asyncio.wait([working], timeout=settings.SECONDLOOK["ANSWER_SECONDS"])
            response: HttpResponseBase = working.result() if done else self.give_up(request, working)
        except asyncio.CancelledError:
            # The client hung up. The thread cannot be stopped, and it still reads the body, which is closed as soon as
            # this returns: so what was asked for is finished. Giving a claim back while a page closes depends on it.
            await asyncio.wait([working])
            raise
        return response

    async def work(self, request: HttpRequest) -> HttpResponseBase:
        """One whole request in a thread, when it is its caller's turn."""
        answer: Any = sync_to_async(self.answer, thread_sensitive=False)
        async with self.turns.turn(caller_of(request.META)):
            response: HttpResponseBase = await answer(request)
        return response

    def give_up(self, request: HttpRequest, working: asyncio.Future[Any]) -> HttpResponseBase:
        """Answer in place of a thread that hangs, as with a database that takes questions and answers none.

        The thread cannot be stopped. Should it still come to an end, then as if the answer had been lost: whoever asks
        again with the same key gets what was kept.
        """
        setattr(request, GIVEN_UP, True)
        working.add_done_callback(lambda late: late.cancelled() or late.exception())
        logger.error("answer_timed_out", path=request.path_info, method=request.method)
        return problems.problem(problems.Busy())

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """The response, with connections that are too old or broken closed before and after, in this thread."""
        if hasattr(request, GIVEN_UP):
            # It waited for a thread for so long that somebody else has answered: nothing is begun any more.
            return HttpResponse(status=503)
        close_old_connections()
        try:
            return self.get_response(request)
        finally:
            close_old_connections()
