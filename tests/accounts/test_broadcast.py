"""Hints to open pages: a channel layer that hangs or is gone costs the hint, never the work."""

import asyncio
import os
import threading
from typing import Any

import pytest
from channels.layers import BaseChannelLayer

from accounts import broadcast
from accounts.broadcast import Courier

ENOUGH_S = 30.0
broadcast_courier = broadcast.courier


class Recording(BaseChannelLayer):
    """Writes down what it is given, by which thread; it waits while `gate` is shut, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.loops: set[int] = set()
        self.threads: set[int] = set()
        self.gate, self.fault = threading.Event(), None
        self.gate.set()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.asked.append((group, message))
        self.loops.add(id(asyncio.get_running_loop()))
        self.threads.add(threading.get_ident())
        while not self.gate.is_set():
            await asyncio.sleep(0.001)
        if self.fault:
            raise self.fault


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Recording:
    found = Recording()
    monkeypatch.setattr(broadcast, "get_channel_layer", lambda: found)
    monkeypatch.setattr(broadcast, "courier", Courier())
    return found


def say(number: int) -> None:
    broadcast.send(f"queue.{number}", {"type": "changed", "id": str(number)})


def test_hints_are_handed_over_in_order_by_one_thread_with_one_loop(layer: Recording) -> None:
    for number in range(20):
        say(number)
        if number % 7 == 0:
            assert broadcast.courier.flush(ENOUGH_S)
    assert broadcast.courier.flush(ENOUGH_S)
    assert [group for group, _message in layer.asked] == [f"queue.{number}" for number in range(20)]
    assert layer.asked[3][1] == {"type": "changed", "id": "3"}
    assert len(layer.loops) == len(layer.threads) == 1
    assert threading.get_ident() not in layer.threads


def test_what_is_said_again_while_it_waits_is_handed_over_once(layer: Recording) -> None:
    layer.gate.clear()
    say(0)
    while not layer.asked:
        pass
    for _time in range(50):
        say(1)
        broadcast.send("queue.1", {"type": "changed", "id": "1", "held": True})
    layer.gate.set()
    assert broadcast.courier.flush(ENOUGH_S)
    assert [group for group, _message in layer.asked] == ["queue.0", "queue.1", "queue.1"]


def test_nobody_waits_for_a_layer_that_hangs_and_its_hints_are_bounded(
    layer: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "SEND_S", ENOUGH_S)
    monkeypatch.setattr(broadcast, "MOST_WAITING", 5)
    layer.gate.clear()
    for number in range(100):
        say(number)
    assert len(broadcast.courier.waiting) <= 5
    assert not broadcast.courier.flush(0.01)
    layer.gate.set()
    assert broadcast.courier.flush(ENOUGH_S)


@pytest.mark.parametrize("fault", [None, ConnectionRefusedError()])
def test_a_layer_that_hangs_or_fails_is_left_alone_for_a_moment(
    layer: Recording, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "SEND_S", 0.01)
    layer.fault = fault
    if fault is None:
        layer.gate.clear()
    for number in range(3):
        say(number)
        assert broadcast.courier.flush(ENOUGH_S)
    assert len(layer.asked) == 1
    # The pause is over, and so is what was wrong.
    broadcast.courier.away_until, layer.fault = 0.0, None
    layer.gate.set()
    say(9)
    assert broadcast.courier.flush(ENOUGH_S)
    assert layer.asked[-1][0] == "queue.9"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own(layer: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "courier", broadcast_courier)
    say(1)
    assert broadcast.courier.flush(ENOUGH_S)
    child = os.fork()
    if not child:
        say(2)
        heard = broadcast.courier.flush(ENOUGH_S) and layer.asked[-1][0] == "queue.2" and len(layer.loops) == 2
        os._exit(0 if heard else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
