"""The handler: a request whose client hung up is finished all the same."""

import asyncio
import threading
from typing import Any

from django.http import HttpRequest, HttpResponse

from deploy.handler import GIVEN_UP, OneThreadHandler


def test_what_a_client_asked_for_is_finished_when_it_hangs_up() -> None:
    began, go_on, done = threading.Event(), threading.Event(), threading.Event()

    class Slow(OneThreadHandler):
        def answer(self, request: HttpRequest) -> HttpResponse:
            began.set()
            assert go_on.wait(10)
            done.set()
            return HttpResponse()

    async def hang_up() -> None:
        working: Any = asyncio.ensure_future(Slow().get_response_async(HttpRequest()))
        while not began.is_set():
            await asyncio.sleep(0.01)
        working.cancel()
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        await asyncio.wait([working])
        # The body is closed once this returns, so by then the thread must be through with it.
        assert done.is_set()
        assert working.cancelled()

    asyncio.run(hang_up())


def test_an_answer_that_does_not_come_is_503_and_its_late_end_troubles_nobody(settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"ANSWER_SECONDS": 0.05}
    go_on = threading.Event()

    class Hangs(OneThreadHandler):
        def get_response(self, request: HttpRequest) -> HttpResponse:
            assert go_on.wait(10)
            raise RuntimeError("nobody is there to hear this")

    async def ask() -> Any:
        answer = await Hangs().get_response_async(HttpRequest())
        go_on.set()
        return answer

    answer = asyncio.run(ask())
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_what_was_answered_for_is_not_begun_any_more() -> None:
    request = HttpRequest()
    setattr(request, GIVEN_UP, True)
    assert OneThreadHandler().answer(request).status_code == 503
