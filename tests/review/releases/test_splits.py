"""Splits: no near-duplicates on both sides, nothing moves, and nothing depends on order or chance."""

import random

from hypothesis import given
from hypothesis import strategies as st

from review.releases.splits import Pin, Sighting, assign, draw

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
GAP = 30.0


def digest(number):
    return f"{number:064x}"


def place(pictures, pinned=None, pinned_sightings=(), seed="seed"):
    return assign(pictures, pinned or {}, pinned_sightings, seed=seed, gap_s=GAP, shares=SHARES)


sightings = st.lists(
    st.builds(Sighting, st.sampled_from(["a", "b"]), st.integers(0, 600).map(float)), min_size=1, max_size=3
)
scenes = st.dictionaries(st.integers(0, 60).map(digest), sightings, max_size=25)


def straddling(scene, pins):
    """Pairs of near-duplicates in different splits, found by looking at every pair."""
    seen = [(name, one) for name in pins for one in scene[name]]
    return [
        (first, second)
        for first, here in seen
        for second, there in seen
        if here.camera == there.camera
        and abs(here.at_s - there.at_s) <= GAP
        and pins[first].split != pins[second].split
    ]


@given(scenes)
def test_no_two_splits_hold_near_duplicates(scene):
    placed = place(scene)
    assert straddling(scene, placed.pins) == []
    assert placed.bridges == []
    assert set(placed.pins) == set(scene)


@given(scenes, st.randoms(use_true_random=False))
def test_the_order_of_the_pictures_does_not_matter(scene, dice: random.Random):
    shuffled = list(scene.items())
    dice.shuffle(shuffled)
    assert place(dict(shuffled)) == place(scene)


@given(scenes, scenes)
def test_from_release_to_release_pictures_stay_and_no_new_one_straddles(first, more):
    pinned = place(first).pins
    scene = first | {name: seen for name, seen in more.items() if name not in first}
    earlier = [(name, seen) for name in pinned for seen in first[name]]
    placed = place(scene, pinned, earlier)
    assert {name: placed.pins[name] for name in pinned} == pinned
    assert straddling(scene, placed.pins) == []
    assert set(placed.pins) | set(placed.bridges) == set(scene)
    for name in placed.bridges:
        assert name not in first


@given(scenes, scenes)
def test_only_what_would_bridge_is_left_out(first, more):
    pinned = {name: Pin(("train", "val", "test")[place % 3], name) for place, name in enumerate(place(first).pins)}
    new = {name: seen for name, seen in more.items() if name not in first}
    placed = place(new, pinned, [(name, seen) for name in pinned for seen in first[name]])
    everything = first | new
    for bridge in placed.bridges:
        near = {
            pin.split
            for name, pin in (pinned | placed.pins).items()
            for there in everything[name]
            for here in everything[bridge]
            if here.camera == there.camera and abs(here.at_s - there.at_s) <= GAP
        }
        assert len(near) > 1


def test_one_group_goes_to_training():
    for seed in map(str, range(30)):
        scene = {digest(number): [Sighting("a", 10.0 * number)] for number in range(5)}
        placed = place(scene, seed=seed)
        assert {pin.split for pin in placed.pins.values()} == {"train"}
        assert {pin.group for pin in placed.pins.values()} == {digest(0)}


def test_a_gap_of_exactly_the_limit_still_joins_and_more_does_not():
    scene = {digest(0): [Sighting("a", 0)], digest(1): [Sighting("a", 30)], digest(2): [Sighting("a", 60.001)]}
    groups = [place(scene).pins[name].group for name in scene]
    assert groups == [digest(0), digest(0), digest(2)]


def test_two_cameras_do_not_join():
    scene = {digest(0): [Sighting("a", 0)], digest(1): [Sighting("b", 0)]}
    assert len({pin.group for pin in place(scene).pins.values()}) == 2


def test_the_shares_come_out_and_a_seed_changes_them():
    drawn = [draw(digest(number), seed="s", shares=SHARES) for number in range(5000)]
    assert 0.77 < drawn.count("train") / 5000 < 0.83
    assert 0.08 < drawn.count("val") / 5000 < 0.12
    assert drawn != [draw(digest(number), seed="t", shares=SHARES) for number in range(5000)]


def test_training_is_not_left_empty_when_a_new_group_can_go_there():
    pinned = {digest(0): Pin("test", digest(0))}
    scene = {digest(0): [Sighting("a", 0)], digest(1): [Sighting("a", 1000)], digest(2): [Sighting("a", 1010)]}
    for seed in map(str, range(30)):
        placed = place(scene, pinned, seed=seed)
        assert placed.pins[digest(0)].split == "test"
        assert placed.pins[digest(1)].split == placed.pins[digest(2)].split == "train"
