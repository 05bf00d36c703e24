from datetime import UTC, datetime

import numpy as np
import pytest

from inference.edge.config import EventConfig, PaceConfig, RuleConfig
from inference.edge.fold import Candidate, Sighting
from inference.edge.frames import Captured, Footage
from inference.edge.memory import Memory
from inference.edge.rules import Seen
from inference.vision.session import Detection, Look
from inference.vision.tracker import Track

RULE = RuleConfig(name="unsure", event=EventConfig(kind="unsure"))
YARD = Footage("a" * 64, "yard.mp4", 150)


def candidate(position=10, x=100.0, name="bird", footage=YARD):
    box = (x, 50.0, 20.0, 20.0)
    frame = Captured(np.zeros((1, 1, 3), np.uint8), datetime.now(UTC), 0, 0, 0, False, footage, position)
    seen = Seen(Detection(0, name, 0.5, box), Track(1, name, box))
    return Candidate(RULE, 0, Sighting(frame, Look([], 0, 0), (seen,), 0, None), seen, 0)


@pytest.fixture
def memory(outbox):
    memory = Memory(outbox, PaceConfig(repeat_every_s=15, repeat_frames=30, repeat_px=48))
    outbox.add("first", lambda seq: b"", (), memory.note(candidate(), None))
    return memory


@pytest.mark.parametrize(
    "changes", [{}, {"position": 40}, {"position": 0}, {"position": 135}, {"x": 148.0}, {"x": 52.0}]
)
def test_the_same_thing_near_the_same_place_and_moment_is_known(memory, changes):
    assert memory.recall(candidate(**changes)).posted == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"position": 41},
        {"position": 129},
        {"x": 149.0},
        {"name": "skis"},
        {"footage": Footage("b" * 64, "other.mp4", 150)},
    ],
)
def test_another_moment_place_class_or_footage_is_fresh(memory, changes):
    assert memory.recall(candidate(**changes)) is None


def test_a_repeat_is_counted(memory, outbox):
    known = memory.recall(candidate())
    outbox.add("second", lambda seq: b"", (), memory.note(candidate(), known))
    assert memory.recall(candidate()).posted == 2


def test_a_live_camera_is_not_remembered(memory):
    live = candidate(footage=None, position=None)
    assert memory.recall(live) is None
    assert memory.note(live, None) is None
