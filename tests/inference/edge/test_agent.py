import hashlib
import json
import logging

import cv2
import numpy as np
import pytest

from inference.edge import outbox
from inference.edge.exceptions import ConfigError, OutboxBusy, SourceError
from inference.edge.outbox import Outbox
from inference.vision.exceptions import DigestMismatch

from .stub import Said


def test_a_file_is_watched_once_and_its_doubtful_track_is_one_event(start, configured, stub, model):
    start(configured(thresholds={"cat": 0.6}, context={"order": "4711"})).join()
    (event,) = stub.bodies()
    assert event["kind"] == "unsure"
    assert event["camera"] == "yard-1"
    assert event["frame"] == {"width": 64, "height": 64}
    assert event["model"] == {"name": "pets", "version": "1", "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    assert event["task"] == "detection"
    assert event["reporting_floor"] == 0.25
    assert event["thresholds"] == {"cat": 0.6}
    # All predictions go along, not only the doubtful one.
    assert [(p["class"], p["confidence"]) for p in event["predictions"]] == [("dog", 0.9), ("cat", 0.5)]
    (subject,) = [p for p in event["predictions"] if p["id"] in event["subject"]]
    assert subject["box"] == [11.0, 11.0, 10.0, 10.0]
    assert subject["track"].startswith("t")
    assert event["rule"] == "unsure"
    assert event["sampling_probability"] == 1.0
    assert event["context"] == {"order": "4711"}
    assert event["stamps"]["seq"] == 1
    assert event["stamps"]["config"] == 1
    assert event["stamps"]["rules"].startswith("sha256:")
    assert set(event["latency_ms"]) == {"capture", "preprocess", "inference", "rules"}
    assert "hold" not in event
    assert "action" not in event
    assert event["event_id"][14] == "7"


def test_the_evidence_is_the_frame_as_a_jpeg_with_its_digest(start, configured, stub):
    start(configured()).join()
    ((event_id, parts),) = stub.parts.items()
    (evidence,) = json.loads(stub.events[event_id])["evidence"]
    assert evidence == {
        "name": "frame", "role": "frame", "sha256": hashlib.sha256(parts["frame"]).hexdigest(),
        "content_type": "image/jpeg", "offset": [0, 0], "scale": 1.0, "level": 6,
    }  # fmt: skip
    assert cv2.imdecode(np.frombuffer(parts["frame"], np.uint8), cv2.IMREAD_COLOR).shape == (64, 64, 3)


def test_the_token_goes_into_the_header_and_never_into_the_log(start, configured, stub, caplog):
    logging.getLogger("secondlook.edge").propagate = True
    caplog.set_level(logging.DEBUG)
    start(configured()).join()
    assert stub.headers[0]["Authorization"] == "Bearer secret-token"
    assert "secret-token" not in caplog.text
    assert all("secret-token" not in str(record.__dict__) for record in caplog.records)


def test_a_looped_file_gives_the_same_digest_for_the_same_frame_on_every_pass(start, configured, stub):
    running = start(configured(source={"loop": True}))
    stub.wait_for(lambda: len(stub.events) >= 3)
    running.end()
    by_frame: dict[str, set[str]] = {}
    for event in stub.bodies():
        by_frame.setdefault(event["context"]["frame"], set()).add(event["evidence"][0]["sha256"])
    assert all(len(digests) == 1 for digests in by_frame.values())


def test_an_action_is_stamped_on_the_event_of_its_frame(start, configured, stub):
    rules = [
        {"name": "stop", "classes": ["dog"], "confidence": [0.6, 1.0], "action": "line-stop"},
        {"name": "unsure", "confidence": [0.25, 0.6], "event": {"kind": "flagged", "flags": ["odd"]}},
    ]
    start(configured(rules=rules, outputs=[{"name": "line-stop"}])).join()
    (event,) = stub.bodies()
    assert (event["kind"], event["flags"]) == ("flagged", ["odd"])
    assert event["action"]["name"] == "line-stop"
    assert event["action"]["done_at"] >= event["captured_at"]


def test_a_folder_of_pictures_is_a_source_and_a_broken_one_is_passed_over(start, configured, stub, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((64, 64, 3), number * 50, np.uint8))
    (folder / "1.png").write_bytes(b"broken")
    start(configured(source={"file": None, "folder": str(folder)})).join()
    assert len(stub.events) == 2


@pytest.mark.parametrize("content", [None, b"", b"not a video" * 100])
def test_a_video_that_cannot_be_read_ends_the_agent_with_a_clear_code(start, configured, tmp_path, content):
    path = tmp_path / "broken.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as refused:
        start(configured(source={"file": str(path)})).join()
    assert refused.value.code == "source_unreadable"
    assert "broken.mp4" in refused.value.message


def test_a_model_that_is_not_the_expected_one_is_not_run(start, configured, stub):
    with pytest.raises(DigestMismatch):
        start(configured(model={"sha256": "0" * 64})).join()
    assert stub.posts == []


def test_a_class_that_the_model_does_not_know_is_refused(start, configured):
    rules = [{"name": "r", "classes": ["unicorn"], "event": {"kind": "unsure"}}]
    with pytest.raises(ConfigError) as refused:
        start(configured(rules=rules)).join()
    assert (refused.value.code, refused.value.path) == ("class_unknown", "$.rules[0].classes")


def test_what_a_stopped_server_missed_is_sent_by_the_next_run(start, configured, stub, tmp_path):
    stub.always = Said(503)
    start(configured()).join()
    assert stub.events == {}
    assert outbox.figures(tmp_path / "data")["waiting"] == 1
    stub.always = None
    start(configured()).join()
    assert [event["stamps"]["seq"] for event in stub.bodies()] == [1, 2]
    assert len({event["stamps"]["boot_id"] for event in stub.bodies()}) == 2


def test_a_sample_is_posted_with_its_chance(start, configured, stub):
    rules = [{"name": "sample", "confidence": [0.6, 1.0], "sample": 0.5, "event": {"kind": "sample"}}]
    running = start(configured(rules=rules, source={"loop": True}))
    stub.wait_for(lambda: len(stub.events) >= 5)
    running.end()
    assert {event["sampling_probability"] for event in stub.bodies()} == {0.5}
    assert {event["kind"] for event in stub.bodies()} == {"sample"}


def test_repeating_footage_is_posted_once_and_then_only_as_a_flagged_repeat(start, configured, stub, tmp_path):
    looped = configured(source={"loop": True}, pace={"repeat_every_s": 0.5})
    running = start(looped)
    stub.wait_for(lambda: len(stub.events) >= 3)
    running.end()
    first, *others = sorted(stub.bodies(), key=lambda event: event["stamps"]["seq"])
    assert "repeat" not in first["flags"]
    assert first["sampling_probability"] == 1.0
    for event in others:
        assert "repeat" in event["flags"]
        assert "sampling_probability" not in event
    # It is remembered across a restart.
    before = len(stub.events)
    running = start(looped)
    stub.wait_for(lambda: len(stub.events) > before)
    running.end()
    assert all("repeat" in event["flags"] for event in stub.bodies()[before:])


def test_the_most_seldom_posted_sighting_is_repeated_next(start, configured, stub):
    rules = [{"name": "both", "event": {"kind": "unsure"}}]
    running = start(configured(rules=rules, source={"loop": True}, pace={"repeat_every_s": 0.3}))
    stub.wait_for(lambda: len(stub.events) >= 8)
    running.end()
    repeated = [
        prediction["class"]
        for event in stub.bodies()
        if "repeat" in event["flags"]
        for prediction in event["predictions"]
        if prediction["id"] in event["subject"]
    ]
    assert abs(repeated.count("cat") - repeated.count("dog")) <= 1


def test_it_stops_posting_at_the_limit_of_open_items_and_goes_on_below_it(start, configured, stub):
    stub.open_items = 7
    running = start(
        configured(
            source={"loop": True, "realtime": True, "fps": 50}, server={"pause_when_open": 7, "ask_every_s": 0.02}
        )
    )
    stub.wait_for(lambda: stub.asked >= 3)
    held = len(stub.events)
    stub.wait_for(lambda: stub.asked >= 12)
    assert len(stub.events) == held
    stub.open_items = 0
    stub.wait_for(lambda: len(stub.events) >= held + 2)
    running.end()


def test_a_server_that_does_not_know_the_question_sets_no_limit(start, configured, stub):
    running = start(configured(source={"loop": True}, server={"pause_when_open": 1, "ask_every_s": 0.02}))
    stub.wait_for(lambda: len(stub.events) >= 3)
    running.end()


def test_two_agents_cannot_share_a_folder(start, configured, stub, tmp_path):
    owner = Outbox(tmp_path / "data", quota_bytes=2**20)
    with pytest.raises(OutboxBusy):
        start(configured()).join()
    owner.close()
