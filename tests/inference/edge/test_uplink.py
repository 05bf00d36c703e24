import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from inference.edge.backoff import Backoff
from inference.edge.config import Server
from inference.edge.gate import Gate
from inference.edge.outbox import Blob, figures
from inference.edge.uplink import Ending, Uplink, judge, retry_after_s

from .stub import Said

QUICK = Server(retry_min_s=0.01, retry_max_s=0.02, timeout_s=5)


@pytest.fixture
def uplink(outbox, stub):
    link = Uplink(QUICK, stub.url, "t", outbox, Gate(None, outbox.waiting))
    link.start()
    yield link
    link.stop()


def put(outbox, name):
    sha256 = outbox.blobs.write(name.encode())
    body = {"event_id": name, "evidence": [{"name": "frame", "sha256": sha256}]}
    return outbox.add(name, lambda seq: json.dumps(body).encode(), (Blob("frame", name.encode(), "image/jpeg"),))


def wait(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.005)


def test_an_event_and_its_evidence_arrive_and_are_forgotten(outbox, stub, uplink):
    put(outbox, "a")
    stub.wait_for(lambda: stub.events)
    wait(lambda: outbox.waiting() == 0)
    assert stub.parts["a"] == {"frame": b"a"}
    assert figures(outbox.folder)["counters"]["sent_created"] == 1


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 302, 401, 403, 404])
def test_an_answer_that_is_not_about_the_event_keeps_it(outbox, stub, uplink, status):
    stub.prepared.append(Said(status))
    put(outbox, "a")
    stub.wait_for(lambda: stub.events)
    wait(lambda: outbox.waiting() == 0)
    assert stub.posts == ["a", "a"]
    assert figures(outbox.folder)["dead"] == 0


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refused_event_goes_to_the_dead_lane_and_the_next_one_passes(outbox, stub, uplink, status):
    stub.prepared.append(Said(status, {"code": "event_conflict", "detail": "another body"}))
    put(outbox, "a")
    put(outbox, "b")
    stub.wait_for(lambda: "b" in stub.events)
    wait(lambda: outbox.waiting() == 0)
    said = figures(outbox.folder)
    assert stub.posts == ["a", "b"]
    assert said["dead_lately"] == [{"seq": 1, "code": "event_conflict", "detail": "another body"}]


def test_a_decommissioned_device_stops_sending_and_keeps_its_events(outbox, stub, uplink):
    stub.always = Said(410, {"code": "decommissioned"})
    put(outbox, "a")
    wait(lambda: uplink.gone)
    put(outbox, "b")
    assert stub.posts == ["a"]
    assert outbox.waiting() == 2


def test_a_lost_answer_is_sent_again_and_counts_as_a_duplicate(outbox, stub, uplink):
    stub.prepared.append(Said(drop=True))
    put(outbox, "a")
    wait(lambda: figures(outbox.folder)["counters"].get("sent_duplicate") == 1)
    assert stub.posts == ["a", "a"]
    assert stub.conflicts == []


@pytest.mark.parametrize(
    "body", [None, {"status": "created"}, {"status": "created", "event_id": "b"}, {"status": "ok", "event_id": "a"}]
)
def test_a_friendly_answer_that_does_not_name_the_event_is_not_believed(outbox, stub, uplink, body):
    stub.prepared.append(Said(200, body))
    put(outbox, "a")
    stub.wait_for(lambda: stub.events)
    assert stub.posts == ["a", "a"]


def test_retry_after_is_obeyed(outbox, stub):
    stub.prepared.append(Said(429, headers={"Retry-After": "7"}))
    link = Uplink(QUICK, stub.url, "t", outbox, Gate(None, outbox.waiting))
    put(outbox, "a")
    assert link._step() == 7.0
    assert outbox.waiting() == 1
    assert link._step() == 0.0
    assert outbox.waiting() == 0


def test_an_unreachable_server_costs_one_try_per_wait_whatever_waits(outbox, stub):
    stub.close()
    link = Uplink(QUICK, stub.url, "t", outbox, Gate(None, outbox.waiting))
    for name in "abcdef":
        put(outbox, name)
    tried = []
    real = link._post
    link._post = lambda waiting: (tried.append(waiting.event_id), real(waiting))[1]
    assert not link.failing
    waits = [link._step() for _ in range(3)]
    assert link.failing
    assert tried == ["a", "a", "a"]
    assert all(0 <= wait_s <= 0.02 for wait_s in waits)


def test_evidence_that_vanished_does_not_block_the_rest(outbox, stub, uplink):
    stub.always = Said(503)
    put(outbox, "a")
    put(outbox, "b")
    outbox.blobs.remove(outbox.next().evidence[0][1])
    stub.always = None
    stub.wait_for(lambda: "b" in stub.events)
    wait(lambda: outbox.waiting() == 0)


@pytest.mark.parametrize(
    "text, expected",
    [("3", 3.0), ("0", 0.0), ("999999", 3600.0), ("", None), ("soon", None), ("-5", None), ("1.5", None)],
)
def test_retry_after_as_a_number(text, expected):
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": text})) == expected


def test_retry_after_as_a_date():
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 95 <= retry_after_s(httpx.Response(503, headers={"Retry-After": at})) <= 100
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"})) == 0


def test_a_page_instead_of_an_answer_is_kept_for_the_log():
    answer = judge(httpx.Response(200, text="<html>Please sign in"), "a")
    assert (answer.ending, answer.word, answer.detail) == (
        Ending.AGAIN,
        "answer_not_understood",
        "<html>Please sign in",
    )


def test_waits_are_random_below_a_bound_that_doubles_up_to_its_end():
    backoff = Backoff(1.0, 5.0)
    for bound in (1.0, 2.0, 4.0, 5.0, 5.0):
        backoff.failures, before = backoff.failures, backoff.failures
        drawn = []
        for _ in range(200):
            backoff.failures = before
            drawn.append(backoff.failed())
        assert 0 <= min(drawn) < bound * 0.2
        assert bound * 0.8 < max(drawn) <= bound
    backoff.succeeded()
    assert backoff.failed() <= 1.0
