"""The connector between a real broker, a server in Frigate's place and one in Second Look's."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest

from inference.edge.outbox import Outbox, figures
from inference.frigate import body
from inference.frigate.inbox import Inbox
from inference.frigate.rules import Reason
from inference.frigate.tracked import from_message
from tests.inference.edge.stub import Said, Stub

from .conftest import TOKEN, Mosquitto, Running, heard, lines, wait_until
from .messages import START, frigate_id, listed, message, picture
from .nvr_stub import NvrStub

type Start = Callable[..., Running]
type Configured = Callable[..., dict[str, Any]]


def posted(stub: Stub, events: int = 1) -> list[dict[str, Any]]:
    stub.wait_for(lambda: len(stub.events) >= events)
    return stub.bodies()


def counters(running: Running) -> dict[str, int]:
    running.end()
    return dict(figures(running.data)["counters"])


def test_an_object_becomes_an_event_when_it_ends(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub
) -> None:
    start(configured(context={"line": "4"}))
    broker.publish(message("new"))
    broker.publish(message("update"))
    broker.publish(message("end"))
    [event] = posted(stub)
    assert event["event_id"] == str(body.event_id("frigate", frigate_id(1)))
    assert (event["camera"], event["kind"], event["rule"]) == ("cam-1", "unsure", "unsure")
    assert event["captured_at"] == "2026-11-26T08:00:02.250Z"
    assert event["model"] == {"name": "frigate", "version": "1"}
    [prediction] = event["predictions"]
    assert (prediction["class"], prediction["confidence"]) == ("person", 0.62)
    assert prediction["box"] == [320.0, 180.0, 160.0, 360.0]
    assert event["context"]["frigate_id"] == prediction["track"] == frigate_id(1)
    assert (event["context"]["zones"], event["context"]["line"]) == ("driveway", "4")
    assert stub.parts[event["event_id"]]["frame"] == picture()


def test_boxes_are_scaled_to_the_size_of_the_picture(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub
) -> None:
    nvr.always["snapshot.jpg"] = picture(640, 360)
    seen = {"attributes": [{"label": "face", "score": 0.8, "box": [400, 200, 440, 240]}, {"label": "face"}, 7]}
    start(configured())
    broker.publish(message(snapshot=seen))
    [event] = posted(stub)
    assert event["frame"] == {"width": 640, "height": 360}
    assert [one["box"] for one in event["predictions"]] == [[160.0, 90.0, 80.0, 180.0], [200.0, 100.0, 20.0, 20.0]]
    assert event["subject"] == ["p1"]


def test_a_picture_without_drawings_comes_first(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub
) -> None:
    nvr.always["snapshot-clean.png"] = picture(kind=".png")
    start(configured())
    broker.publish(message())
    [event] = posted(stub)
    assert event["evidence"][0]["content_type"] == "image/png"
    pictures = [path for path in nvr.asked if "/events/" in path]
    assert [path.split("?")[0].rsplit("/", 1)[1] for path in pictures] == ["snapshot-clean.webp", "snapshot-clean.png"]


def test_a_cropped_picture_is_shown_beside_the_frame(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub
) -> None:
    nvr.always["snapshot.jpg"] = picture(300, 300)
    start(configured())
    broker.publish(message())
    [event] = posted(stub)
    assert event["frame"] == {"width": 1280, "height": 720}
    assert [one["role"] for one in event["evidence"]] == ["context"]
    assert event["flags"] == ["picture_cropped"]
    assert event["predictions"][0]["box"] == [320.0, 180.0, 160.0, 360.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"snapshot": {"score": 0.81}},
        {"snapshot": {"score": 0.4}},
        {"label": "cat"},
    ],
)
def test_what_no_rule_wants_is_passed(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, changes: dict[str, Any]
) -> None:
    running = start(configured())
    broker.publish(message(number=1, **changes))
    broker.publish(message(number=2))
    assert [event["context"]["frigate_id"] for event in posted(stub)] == [frigate_id(2)]
    said = counters(running)
    assert (said["frigate_passed"], said["frigate_taken"]) == (1, 1)


def test_an_object_told_of_again_is_posted_once(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub
) -> None:
    rules = [{"name": "now", "when": "now", "event": {"kind": "flagged"}}]
    running = start(configured(rules=rules))
    broker.publish(message("new"))
    posted(stub)
    for payload in (message("update"), message("end"), message("end")):
        broker.publish(payload)
    broker.publish(message(number=2))
    posted(stub, 2)
    assert (len(stub.posts), stub.conflicts) == (2, [])
    assert counters(running)["frigate_known"] == 3


def test_who_lost_the_disk_says_the_same_again(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, tmp_path: Any
) -> None:
    running = start(configured())
    broker.publish(message())
    posted(stub)
    running.end()
    (tmp_path / "data").rename(tmp_path / "lost")
    start(configured())
    broker.publish(message())
    stub.wait_for(lambda: len(stub.posts) == 2)
    assert (len(stub.events), stub.conflicts) == (1, [])


def test_junk_is_ignored_and_counted(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    broker.publish(message(number=9), retain=True)
    running = start(configured())
    junk = [
        b"", b"\xff\xfe", b"null", b"[" * 100_000, b'{"type": "end"}', b'{"type": "end", "after": {}}',
        message(id="a/../../config"), message(camera="a\nb"), message(snapshot={"score": 7}),
        message(snapshot={"box": [1, 2, 3]}), message(snapshot={"box": [5, 5, 5, 5]}), message(start_time=-1),
        message("gone"), message()[:-9], message(label="x" * 300_000),
        message().replace(b"0.62", b"NaN"), message().replace(b"0.62", b"1e999"),
    ]  # fmt: skip
    for payload in junk:
        broker.publish(payload)
    broker.publish(message(number=2))
    assert [event["context"]["frigate_id"] for event in posted(stub)] == [frigate_id(2)]
    said = counters(running)
    # The broker itself keeps back what is larger than we take.
    assert sum(count for name, count in said.items() if name.startswith("frigate_junk_")) == len(junk) - 1 + 1
    assert said["frigate_junk_retained"] == 1
    assert lines(caplog).count("junk_ignored") < len(junk)


def test_a_message_that_the_disk_refused_is_not_acknowledged(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Inbox.put, []

    def fails_twice(self: Inbox, *given: Any) -> bool:
        if len(failures) < 2:
            failures.append(given)
            raise sqlite3.OperationalError("database or disk is full")
        return real(self, *given)

    monkeypatch.setattr(Inbox, "put", fails_twice)
    start(configured())
    broker.publish(message())
    posted(stub)
    assert len(failures) == 2


def test_a_session_waits_for_a_connector_that_is_away(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub
) -> None:
    for number, version in enumerate(("5", "3.1.1"), 1):
        start(configured(mqtt={"version": version})).end()
        broker.publish(message(number=number))
        running = start(configured(mqtt={"version": version}))
        assert len(posted(stub, number)) == number
        running.end()


def test_a_broker_that_forgot_everything_costs_nothing(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub, caplog: pytest.LogCaptureFixture
) -> None:
    start(configured(frigate={"catch_up_every_s": 3600}))
    wait_until(lambda: any(path.startswith("/api/events?") for path in nvr.asked), "Frigate's list was not asked for")
    broker.stop()
    wait_until(lambda: "broker_waiting" in lines(caplog), "nobody missed the broker")
    nvr.listed = [listed(1, start_time=time.time() + 1, end_time=time.time() + 2)]
    broker.start()
    wait_until(lambda: heard(caplog) == 2, "the connector never came back")
    broker.publish(message(number=2))
    assert {event["context"]["frigate_id"] for event in posted(stub, 2)} == {frigate_id(1), frigate_id(2)}


def test_what_no_message_told_of_is_found_in_frigates_list(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.frigate.pictures.time.time", lambda: START)
    nvr.always["snapshot.jpg"] = picture(640, 360)
    nvr.listed = [listed(number) for number in range(1, 251)]
    nvr.listed += [
        listed(301, end_time=None), listed(302, data={"type": "audio"}), listed(303, data={"box": None}), listed(-5),
        listed(304) | {"id": "../x"},
    ]  # fmt: skip
    running = start(configured(frigate={"catch_up_every_s": 3600}, outbox={"quota_mb": 100}))
    broker.publish(message(number=7))
    events = posted(stub, 250)
    wait_until(lambda: len([path for path in nvr.asked if "/api/events?" in path]) >= 3, "pages were left out")
    assert {event["context"]["frigate_id"] for event in events} == {frigate_id(number) for number in range(1, 251)}
    assert {tuple(event["predictions"][0]["box"]) for event in events} == {(160.0, 90.0, 80.0, 180.0)}
    assert counters(running)["frigate_junk_listed_malformed"] >= 1


def test_a_picture_that_is_late_is_waited_for(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub
) -> None:
    nvr.always.clear()
    start(configured(frigate={"picture_wait_s": 600}))
    broker.publish(message())
    nvr.wait_for(lambda: sum("snapshot.jpg" in path for path in nvr.asked) >= 2)
    assert stub.posts == []
    nvr.always["snapshot.jpg"] = picture()
    [event] = posted(stub)
    assert event["evidence"][0]["name"] == "frame"


@pytest.mark.parametrize(
    "kind, flag", [(None, "not_there"), (b"GIF89a", "unreadable"), (b"\xff\xd8\xff" * 400_000, "too_large")]
)
def test_without_a_picture_the_event_says_why(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub, kind: bytes | None, flag: str
) -> None:
    nvr.always = {"snapshot.jpg": kind} if kind else {}
    start(configured(frigate={"max_picture_mb": 1}))
    broker.publish(message())
    [event] = posted(stub)
    assert (event["evidence"], event["flags"]) == ([], [f"picture_{flag}"])
    assert event["frame"] == {"width": 1280, "height": 720}


def test_without_a_picture_an_object_can_be_dropped(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub
) -> None:
    nvr.always.clear()
    nvr.pictures[frigate_id(2), "snapshot.jpg"] = picture()
    running = start(configured(frigate={"without_picture": "drop"}))
    broker.publish(message(number=1))
    broker.publish(message(number=2))
    assert [event["context"]["frigate_id"] for event in posted(stub)] == [frigate_id(2)]
    assert counters(running)["frigate_dropped_without_picture"] == 1


@pytest.mark.parametrize("status", [503, 401, 302])
def test_frigate_away_holds_up_and_loses_nothing(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub, status: int,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("inference.frigate.pictures._AGAIN_S", 0.0)
    nvr.status, nvr.location = status, f"{stub.url}/elsewhere"
    start(configured())
    for number in (1, 2):
        broker.publish(message(number=number))
    nvr.wait_for(lambda: len(nvr.asked) >= 3)
    assert stub.posts == []
    assert stub.asked == 0
    nvr.status = None
    posted(stub, 2)
    assert "frigate_answers" in lines(caplog)


def test_one_picture_that_frigate_cannot_read_holds_up_no_other(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub
) -> None:
    nvr.always.clear()
    nvr.pictures[frigate_id(2), "snapshot.jpg"] = picture()
    nvr.statuses["snapshot-clean.webp"] = 500
    start(configured(frigate={"picture_wait_s": 600}))
    broker.publish(message(number=1))
    broker.publish(message(number=2))
    assert [event["context"]["frigate_id"] for event in posted(stub)] == [frigate_id(2)]


def test_one_object_that_frigate_never_answers_about_holds_up_no_other(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub
) -> None:
    nvr.statuses[frigate_id(1)] = 503
    start(configured())
    broker.publish(message(number=1))
    broker.publish(message(number=2))
    assert [event["context"]["frigate_id"] for event in posted(stub)] == [frigate_id(2)]


def test_a_camera_whose_size_frigate_does_not_tell_waits_alone(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, nvr: NvrStub, caplog: pytest.LogCaptureFixture
) -> None:
    cameras = {"front_door": {}, "yard": {"detect": [640, 360]}}
    start(configured(cameras=cameras))
    nvr.sizes = {"front_door": (None, 720)}
    broker.publish(message(number=1))
    broker.publish(message(number=2, camera="yard", snapshot={"box": [160, 90, 240, 270]}))
    [event] = posted(stub)
    assert (event["camera"], event["predictions"][0]["box"]) == ("yard", [320.0, 180.0, 160.0, 360.0])
    assert "detect_size_unknown" in lines(caplog)
    assert "frigate_waiting" not in lines(caplog)


def test_second_look_away_loses_nothing(start: Start, configured: Configured, broker: Mosquitto, stub: Stub) -> None:
    stub.always = Said(503)
    running = start(configured())
    for number in range(1, 6):
        broker.publish(message(number=number))
    stub.wait_for(lambda: len(stub.posts) >= 3)
    running.end()
    stub.always = None
    start(configured())
    assert len(posted(stub, 5)) == 5
    assert stub.conflicts == []


def test_a_full_inbox_lets_the_oldest_go(tmp_path: Any) -> None:
    outbox = Outbox(tmp_path, quota_bytes=10**6)
    times = iter(range(1000))
    inbox = Inbox(outbox, 2, now=lambda: float(next(times)))
    for number in (1, 2, 3):
        assert inbox.put(from_message(message(number=number)), Reason("r", "unsure", (), 1.0))
    assert inbox.waiting() == 2
    assert inbox.due().tracked.id == frigate_id(2)
    assert not inbox.put(from_message(message(number=1)), Reason("r", "unsure", (), 1.0))
    outbox.close()
    assert figures(tmp_path)["counters"]["dropped_inbox_full"] == 1


def test_an_object_that_another_version_stored_holds_up_no_other(tmp_path: Any) -> None:
    outbox = Outbox(tmp_path, quota_bytes=10**6)
    inbox = Inbox(outbox, 10)
    for number in (1, 2):
        inbox.put(from_message(message(number=number)), Reason("r", "unsure", (), 1.0))
    with outbox.writing() as db:
        db.execute("UPDATE frigate_object SET tracked = '{}', due_at = 0 WHERE id = ?", (frigate_id(1),))
    assert inbox.due() is None
    assert inbox.due().tracked.id == frigate_id(2)
    outbox.close()


def test_no_secret_is_logged(
    start: Start, configured: Configured, broker: Mosquitto, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    start(configured())
    broker.publish(message())
    posted(stub)
    assert stub.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in "\n".join(str(record.__dict__) for record in caplog.records)
