"""The handler: a request whose client hung up is finished all the same."""

import asyncio
import threading
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.http import HttpRequest, HttpResponse

from deploy.handler import GIVEN_UP, OneThreadHandler
from review import waiting


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


class Patient(OneThreadHandler):
    """Has an answer at the third look; counts them, and the threads that it runs in at once."""

    def __init__(self, *, at_look: int, most_s: float) -> None:
        super().__init__()
        self.looks, self.at_look, self.most_s = 0, at_look, most_s

    def answer(self, request: HttpRequest) -> HttpResponse:
        self.looks += 1
        response = HttpResponse(f"look {self.looks}")
        if self.looks < self.at_look:
            waiting.mark(response, waiting.Pause(group="hold.test", most_s=self.most_s, look_s=20))
        return response


def test_a_hint_ends_the_wait_for_an_answer() -> None:
    async def ask() -> Any:
        handler = Patient(at_look=3, most_s=30)
        asked = asyncio.ensure_future(handler.get_response_async(HttpRequest()))
        while handler.looks < 2:
            await asyncio.sleep(0.01)
        assert not asked.done()
        layer = get_channel_layer()
        while not asked.done():
            await layer.group_send("hold.test", {"type": "changed"})
            await asyncio.sleep(0.02)
        return asked.result().content

    assert asyncio.run(ask()) == b"look 3"


def test_a_wait_for_an_answer_ends_by_itself() -> None:
    async def ask() -> Any:
        return (await Patient(at_look=99, most_s=0.05).get_response_async(HttpRequest())).content

    assert asyncio.run(ask()) == b"look 3"


def test_an_answer_is_waited_for_without_a_channel_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        async def new_channel(self) -> str:
            raise ConnectionError

    monkeypatch.setattr("deploy.hints.get_channel_layer", Away)
    monkeypatch.setattr("deploy.hints.DEAF_LOOK_S", 0.01)

    async def ask() -> Any:
        return (await Patient(at_look=4, most_s=30).get_response_async(HttpRequest())).content

    assert asyncio.run(ask()) == b"look 4"
