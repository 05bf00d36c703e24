from hypothesis import given
from hypothesis import strategies as st

from inference.vision.session import Detection
from inference.vision.tracker import Tracker


def person(x, y=0.0, name="person"):
    return Detection(0, name, 0.9, (float(x), float(y), 20.0, 40.0))


def ids(tracks):
    return [track.id for track in tracks]


def test_what_moves_a_little_keeps_its_id():
    tracker = Tracker()
    seen = [ids(tracker.update([person(x)]))[0] for x in range(0, 100, 4)]
    assert set(seen) == {1}


def test_two_things_that_pass_keep_their_ids_whatever_their_order():
    tracker = Tracker()
    assert ids(tracker.update([person(0), person(200)])) == [1, 2]
    assert ids(tracker.update([person(196), person(4)])) == [2, 1]


def test_another_class_in_the_same_place_is_another_thing():
    tracker = Tracker()
    tracker.update([person(0)])
    assert ids(tracker.update([person(0, name="bird")])) == [2]


def test_a_thing_is_remembered_for_a_while_and_then_forgotten():
    tracker = Tracker(max_lost=2)
    tracker.update([person(0)])
    for _ in range(2):
        tracker.update([])
    assert [(t.id, t.lost) for t in tracker.tracks] == [(1, 2)]
    (track,) = tracker.update([person(0)])
    assert (track.id, track.age, track.lost) == (1, 4, 0)
    for _ in range(3):
        tracker.update([])
    assert tracker.tracks == []
    assert ids(tracker.update([person(0)])) == [2]


def test_the_best_overlap_wins():
    tracker = Tracker()
    tracker.update([person(0), person(10)])
    assert ids(tracker.update([person(9), person(1)])) == [2, 1]


def test_after_a_cut_ids_go_on():
    tracker = Tracker()
    tracker.update([person(0)])
    tracker.reset()
    assert ids(tracker.update([person(0)])) == [2]


spots = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["a", "b"])), max_size=6)


@given(st.lists(spots, max_size=8))
def test_ids_are_unique_in_a_frame_and_the_same_on_every_run(frames):
    def play():
        tracker = Tracker()
        return [ids(tracker.update([person(x, name=name) for x, name in frame])) for frame in frames]

    first = play()
    assert first == play()
    for frame in first:
        assert len(set(frame)) == len(frame)
