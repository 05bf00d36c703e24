from datetime import UTC, datetime

import numpy as np

from inference.edge.frames import Captured, Latest


def frame(number, cut=False):
    return Captured(np.zeros((1, 1, 3), np.uint8), datetime.now(UTC), 0.0, 0.0, 0.0, cut, None, number)


def test_a_new_frame_replaces_one_that_nobody_fetched_and_is_counted():
    latest = Latest()
    for number in range(3):
        latest.put(frame(number))
    assert latest.get(0).position == 2
    assert latest.dropped == 2
    assert latest.get(0) is None


def test_a_cut_is_not_lost_with_the_frame_that_carried_it():
    latest = Latest()
    latest.put(frame(0, cut=True))
    latest.put(frame(1))
    assert latest.get(0).cut


def test_the_last_frame_is_still_given_after_the_end():
    latest = Latest()
    latest.put(frame(0))
    latest.close()
    assert not latest.ended
    assert latest.get(0).position == 0
    assert latest.ended
