"""Decoding in a process of its own: what breaks there breaks there alone, and no good picture is blamed for it."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from review import decoding
from review.decoding import Undecodable, Wanted, decode
from tests.factories import jpeg

THUMBNAIL = (Wanted("thumbnail", longest_px=32, quality=80),)


@pytest.fixture(autouse=True)
def in_a_child(settings: Any) -> Iterator[None]:
    settings.SECONDLOOK = settings.SECONDLOOK | {"DECODE_IN_CHILD": True}
    yield
    decoding._child.replace()


def child() -> int:
    """The process id of the decoding child, which has worked."""
    decode(jpeg(), THUMBNAIL)
    pool = decoding._child._pool
    assert pool is not None
    return next(iter(pool._processes))


def test_a_picture_is_decoded_in_another_process() -> None:
    assert child() != os.getpid()
    assert decode(jpeg(size=(64, 48)), THUMBNAIL).copies[0].width == 32


def test_what_is_no_picture_is_undecodable() -> None:
    with pytest.raises(Undecodable):
        decode(bytes(200), THUMBNAIL)


def test_a_good_picture_is_not_blamed_for_a_child_that_died_before_it() -> None:
    os.kill(child(), signal.SIGKILL)
    assert decode(jpeg(), THUMBNAIL).copies[0].name == "thumbnail"


def test_ctrl_c_at_the_terminal_leaves_the_child_alone() -> None:
    before = child()
    os.kill(before, signal.SIGINT)
    decode(jpeg(), THUMBNAIL)
    assert child() == before
