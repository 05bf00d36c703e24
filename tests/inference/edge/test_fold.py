from datetime import UTC, datetime

import numpy as np

from inference.edge.config import EventConfig, FoldConfig, RuleConfig
from inference.edge.fold import Fold, Sighting
from inference.edge.frames import Captured
from inference.edge.rules import Match, Seen
from inference.vision.session import Detection, Look
from inference.vision.tracker import Track

UNSURE = RuleConfig(name="unsure", event=EventConfig(kind="unsure"))
FLAGGED = RuleConfig(name="flagged", event=EventConfig(kind="flagged"))
ACTS_ONLY = RuleConfig(name="acts", action="horn")
BOX = (0.0, 0.0, 10.0, 10.0)


def see(track, confidence):
    return Seen(Detection(0, "person", confidence, BOX), Track(track, "person", BOX))


def frame_at(at_s):
    frame = Captured(np.zeros((1, 1, 3), np.uint8), datetime.now(UTC), at_s, at_s, 0.0)
    return Sighting(frame, Look([], 0, 0), (), 0.0, None)


def play(fold, at_s, *matches, alive):
    ripe = fold.update(frame_at(at_s), [Match(rule, order, tuple(seen)) for rule, order, *seen in matches], alive)
    return [(c.rule.name, c.subject.track.id, c.confidence, c.sighting.frame.at_s) for c in ripe]


def test_a_track_becomes_one_candidate_with_its_best_frame_when_the_window_is_over():
    fold = Fold(FoldConfig(window_s=3), "salt")
    confidences = [0.4, 0.5, 0.45]
    assert all(play(fold, t, (UNSURE, 0, see(1, c)), alive=[1]) == [] for t, c in enumerate(confidences))
    assert play(fold, 3, (UNSURE, 0, see(1, 0.41)), alive=[1]) == [("unsure", 1, 0.5, 1)]
    assert all(play(fold, t, (UNSURE, 0, see(1, 0.59)), alive=[1]) == [] for t in range(4, 30))


def test_a_track_that_ends_is_ripe_at_once():
    fold = Fold(FoldConfig(window_s=3), "salt")
    play(fold, 0, (UNSURE, 0, see(1, 0.4)), alive=[1])
    assert play(fold, 1, alive=[]) == [("unsure", 1, 0.4, 0)]


def test_an_earlier_rule_of_the_file_wins_over_a_clearer_view():
    fold = Fold(FoldConfig(window_s=2), "salt")
    play(fold, 0, (UNSURE, 1, see(1, 0.59)), alive=[1])
    play(fold, 1, (FLAGGED, 0, see(1, 0.41)), alive=[1])
    assert play(fold, 2, (UNSURE, 1, see(1, 0.58)), alive=[1]) == [("flagged", 1, 0.41, 1)]


def test_two_tracks_are_two_candidates():
    fold = Fold(FoldConfig(window_s=0), "salt")
    assert len(play(fold, 0, (UNSURE, 0, see(1, 0.4), see(2, 0.5)), alive=[1, 2])) == 2


def test_a_thing_that_stays_is_posted_again_only_after_the_time_for_it():
    fold = Fold(FoldConfig(window_s=0, again_s=10), "salt")
    posted = [t for t in range(25) if play(fold, t, (UNSURE, 0, see(1, 0.4)), alive=[1])]
    assert posted == [0, 10, 20]


def test_a_rule_without_an_event_gives_no_candidate():
    fold = Fold(FoldConfig(window_s=0), "salt")
    assert play(fold, 0, (ACTS_ONLY, 0, see(1, 0.4)), alive=[1]) == []


def test_a_cut_gives_what_is_open_and_forgets_every_track():
    fold = Fold(FoldConfig(window_s=9), "salt")
    play(fold, 0, (UNSURE, 0, see(1, 0.4)), alive=[1])
    assert [c.subject.track.id for c in fold.flush()] == [1]
    assert fold.flush() == []


def test_a_track_outside_the_sample_can_still_become_an_event_by_another_rule():
    sample = RuleConfig(name="sample", sample=0.02, event=EventConfig(kind="sample"))
    fold = Fold(FoldConfig(window_s=0), "salt")
    posted = [track for track in range(1000) if play(fold, 0, (sample, 1, see(track, 0.9)), alive=range(1000))]
    assert 5 <= len(posted) <= 45
    outside = next(track for track in range(1000) if track not in posted)
    assert play(fold, 1, (UNSURE, 0, see(outside, 0.5)), alive=range(1000)) == [("unsure", outside, 0.5, 1)]
