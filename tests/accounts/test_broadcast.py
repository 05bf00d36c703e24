"""Hints to open pages: a channel layer that hangs or is gone costs the hint, never the work."""

import asyncio
from typing import Any

import pytest
from channels.layers import BaseChannelLayer

from accounts import broadcast


class Hanging(BaseChannelLayer):
    """Takes a message and never says anything."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.asked += 1
        await asyncio.Event().wait()


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Hanging:
    found = Hanging()
    monkeypatch.setattr(broadcast, "get_channel_layer", lambda: found)
    monkeypatch.setattr(broadcast, "SEND_S", 0.01)
    monkeypatch.setattr(broadcast, "away_until", 0.0)
    return found


def test_a_layer_that_hangs_is_left_after_a_moment_and_not_asked_again_at_once(layer: Hanging) -> None:
    for _time in range(3):
        broadcast.send("queue.1", {"type": "changed"})
    assert layer.asked == 1


def test_it_is_asked_again_after_the_pause(layer: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    broadcast.send("queue.1", {"type": "changed"})
    # The pause is over; the clock itself is the event loop's too.
    monkeypatch.setattr(broadcast, "away_until", 0.0)
    broadcast.send("queue.1", {"type": "changed"})
    assert layer.asked == 2
