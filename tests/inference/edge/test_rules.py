from inference.edge.actions import Actions
from inference.edge.config import parse
from inference.edge.rules import Rules, Seen, chosen, digest
from inference.vision.session import Detection
from inference.vision.tracker import Track


def config(*rules, **more):
    return parse(
        {
            "source": {"file": "x"},
            "model": {"path": "m"},
            "rules": [{"event": {"kind": "unsure"}, **rule} for rule in rules],
            "outputs": [{"name": "horn"}],
            **more,
        }
    )


def seen(track, name="person", confidence=0.5, box=(10.0, 10.0, 20.0, 40.0)):
    return Seen(Detection(0, name, confidence, box), Track(track, name, box))


def names(matches):
    return [(match.rule.name, [item.track.id for item in match.seen]) for match in matches]


def test_a_rule_holds_for_what_meets_its_classes_and_band():
    rules = Rules(config({"name": "r", "classes": ["person"], "confidence": [0.4, 0.6]}))
    frame = [seen(1), seen(2, "bird"), seen(3, confidence=0.39), seen(4, confidence=0.6), seen(5, confidence=0.4)]
    frame = [item for item in frame if item.detection.confidence >= 0.25]
    assert names(rules.evaluate(frame)) == [("r", [1, 5])]


def test_a_band_up_to_one_includes_one():
    rules = Rules(config({"name": "r", "confidence": [0.6, 1.0]}))
    assert names(rules.evaluate([seen(1, confidence=1.0)])) == [("r", [1])]


def test_a_zone_is_about_where_a_thing_stands():
    rules = Rules(config({"name": "r", "zone": "z"}, zones={"z": [[0, 40], [100, 40], [100, 100], [0, 100]]}))
    stands, hangs_over = (10.0, 10.0, 20.0, 40.0), (10.0, 0.0, 20.0, 39.0)
    assert names(rules.evaluate([seen(1, box=stands), seen(2, box=hangs_over)])) == [("r", [1])]


def test_dwell_counts_looks_in_a_row():
    rules = Rules(config({"name": "r", "dwell": 3}))
    results = [bool(rules.evaluate(frame)) for frame in ([seen(1)], [seen(1)], [], [seen(1)], [seen(1)], [seen(1)])]
    assert results == [False, False, False, False, False, True]


def test_count_needs_so_many_at_once():
    rules = Rules(config({"name": "r", "count": 2}))
    assert rules.evaluate([seen(1)]) == []
    assert names(rules.evaluate([seen(1), seen(2)])) == [("r", [1, 2])]


def test_every_rule_that_holds_is_told_in_the_order_of_the_file():
    rules = Rules(config({"name": "b"}, {"name": "a", "confidence": [0.4, 0.6]}))
    assert [name for name, _ in names(rules.evaluate([seen(1)]))] == ["b", "a"]


def test_an_action_fires_when_a_rule_begins_to_hold_and_again_after_a_pause():
    settings = config({"name": "r", "action": "horn", "rearm_s": 5})
    actions, (rule,) = Actions(settings.outputs), settings.rules
    fired = [actions.act([rule], at, fresh=True) is not None for at in (0, 1, 4, 9, 15)]
    assert fired == [True, False, False, False, True]
    assert actions.fired == 2


def test_nothing_acts_on_a_frame_that_is_too_old():
    settings = config({"name": "r", "action": "horn"})
    actions, (rule,) = Actions(settings.outputs), settings.rules
    assert actions.act([rule], 0, fresh=False) is None
    assert (actions.fired, actions.too_old) == (0, 1)
    assert actions.act([rule], 1, fresh=True).name == "horn"


def test_the_digest_changes_with_what_decides_and_with_nothing_else():
    base = config({"name": "r"})
    assert digest(base) == digest(config({"name": "r"}, camera="other"))
    assert digest(base) != digest(config({"name": "r", "dwell": 2}))
    assert digest(base) != digest(config({"name": "r"}, reporting_floor=0.3))


def test_a_small_sample_is_part_of_a_large_one():
    keys = [str(number) for number in range(5000)]
    small = {key for key in keys if chosen(key, 0.02)}
    large = {key for key in keys if chosen(key, 0.05)}
    assert small < large
    assert 60 < len(small) < 150
    assert all(chosen(key, 1.0) for key in keys[:100])
