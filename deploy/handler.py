"""Django's ASGI handler with one change of threads per request instead of four.

Our middleware and views are synchronous. Django's own handler walks from the event loop to a fresh thread, back to the
loop for the innermost step, and to the thread again for the view; each request also gets a new database connection,
because its thread is new. Here the whole synchronous side runs in one thread of the server's pool, which keeps its
connection where CONN_MAX_AGE allows that.
"""

import asyncio
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from review import problems

logger = structlog.get_logger(__name__)
GIVEN_UP = "secondlook_given_up"


class OneThreadHandler(ASGIHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain for synchronous use, whatever the server speaks."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        answer: Any = sync_to_async(self.answer, thread_sensitive=False)
        working = asyncio.ensure_future(answer(request))
        try:
            done, _late = await asyncio.wait([working], timeout=settings.SECONDLOOK["ANSWER_SECONDS"])
            response: HttpResponseBase = working.result() if done else self.give_up(request, working)
        except asyncio.CancelledError:
            # The client hung up. The thread cannot be stopped, and it still reads the body, which is closed as soon as
            # this returns: so what was asked for is finished. Giving a claim back while a page closes depends on it.
            await asyncio.wait([working])
            raise
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
