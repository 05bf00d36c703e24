"""Frigate's formats as versions differ, and boxes wherever they are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.frigate.body import placed
from inference.frigate.config import parse
from inference.frigate.rules import reason_for
from inference.frigate.tracked import Junk, Tracked, from_api, from_message

from .messages import START, listed, message


def read(**changes: Any) -> Tracked:
    return from_message(message(**changes))


def test_the_box_is_that_of_the_picture_and_not_of_the_moment() -> None:
    tracked = read()
    assert (tracked.box, tracked.confidence, tracked.captured_s) == ((320, 180, 480, 540), 0.62, START + 2)


def test_an_old_version_without_the_picture_s_frame_is_read() -> None:
    old = json.loads(message())
    del old["after"]["snapshot"]
    old["after"] |= {"snapshot_time": START, "thumbnail": None}
    tracked = from_message(json.dumps(old).encode())
    assert (tracked.box, tracked.confidence) == ((700, 200, 800, 500), 0.55)


@pytest.mark.parametrize(
    "said, name", [(None, None), ("amy", "amy"), (["amy", 0.9], "amy"), ([], None), (7, None), ("a\nb", None)]
)
def test_sub_labels_of_all_versions(said: Any, name: str | None) -> None:
    assert read(sub_label=said).sub_label == name


def test_the_list_says_the_same_in_shares_of_the_frame() -> None:
    told, found = read(), from_api(listed())
    assert found is not None
    assert found.relative
    assert [side * size for side, size in zip(found.box, (1280, 720) * 2, strict=True)] == list(told.box)
    assert (found.id, found.zones, found.top_score, found.ended_s) == (told.id, told.zones, 0.71, told.ended_s)
    assert from_api(listed(data={"snapshot_frame_time": START + 2})).captured_s == told.captured_s


@pytest.mark.parametrize("entry", [None, 7, [], {}, {"id": "x"}, listed(data={"box": [0, 0, 0, 0.1]})])
def test_an_entry_that_is_none_is_junk(entry: Any) -> None:
    with pytest.raises(Junk):
        from_api(entry)


@given(payload=st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "after", "id"]), inner),
    max_leaves=9,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_comes_is_an_object_or_junk(payload: bytes) -> None:
    with pytest.raises(Junk):
        from_message(payload)


@given(
    corners=st.tuples(*[st.floats(-1e6, 1e6)] * 4),
    scale=st.tuples(*[st.floats(0.001, 8)] * 2),
    frame=st.tuples(*[st.integers(1, 65535)] * 2),
)
def test_a_box_always_lies_in_its_frame(
    corners: tuple[float, float, float, float], scale: tuple[float, float], frame: tuple[int, int]
) -> None:
    x, y, width, height = placed(corners, scale, frame)
    assert x >= 0
    assert y >= 0
    assert width > 0
    assert height > 0
    assert x + width <= frame[0] + 0.01
    assert y + height <= frame[1] + 0.01


def rules(*given: dict[str, Any], floor: float = 0.5) -> Any:
    of = [{"name": f"rule {number}", "event": {"kind": "unsure"}} | one for number, one in enumerate(given)]
    return parse({"frigate": {"url": "http://nvr"}, "mqtt": {"host": "nvr"}, "rules": of, "reporting_floor": floor})


@pytest.mark.parametrize(
    "conditions, holds",
    [
        ({}, True),
        ({"cameras": ["front_door"], "labels": ["person"], "zones": ["yard", "driveway"]}, True),
        ({"cameras": ["yard"]}, False),
        ({"labels": ["car"]}, False),
        ({"zones": ["yard"]}, False),
        ({"confidence": [0.62, 0.7]}, True),
        ({"confidence": [0.5, 0.62]}, False),
        ({"top_score": [0.6, 0.7]}, False),
        ({"top_score": [0.71, 1.0]}, True),
        ({"false_positive": True}, False),
        ({"false_positive": False}, True),
        ({"sample": 1e-9}, False),
    ],
)
def test_a_rule_holds_when_all_its_conditions_do(conditions: dict[str, Any], holds: bool) -> None:
    assert (reason_for(rules(conditions), read()) is not None) == holds


def test_nothing_below_the_reporting_floor_is_sent() -> None:
    assert reason_for(rules({}, floor=0.62), read()) is not None
    assert reason_for(rules({}, floor=0.63), read()) is None


def test_the_first_rule_that_holds_gives_the_reason() -> None:
    config = rules({"labels": ["car"]}, {"sample": 1e-9}, {"event": {"kind": "sample", "flags": ["night"]}}, {})
    reason = reason_for(config, read())
    assert (reason.rule, reason.kind, reason.flags, reason.sample) == ("rule 2", "sample", ("night",), 1.0)


def test_an_object_that_goes_on_waits_for_its_end_unless_a_rule_says_now() -> None:
    going_on = from_message(message("update"))
    assert reason_for(rules({}), going_on) is None
    assert reason_for(rules({}, {"when": "now"}), going_on).rule == "rule 1"
    assert reason_for(rules({"when": "now"}), read()) is not None
