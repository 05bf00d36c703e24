"""Events over HTTP: what the contract shows, to the letter, and a clear answer to everything else."""

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.ids import new_id
from accounts.models import User
from inference.actions.sites import create_camera, create_source, register_model_version, revoke_source
from inference.models import Source
from review.actions.mapping import create_missing
from review.models import Event, EventEvidence, Evidence, Item, Parking, ParkingCause, Queue, Routing
from tests import factories
from tests.factories import Place, bearer, event_body, jpeg, make_token, sha256
from tests.review.api import pictures

EVENTS = "/api/v1/events"


@pytest.fixture
def http(place: Place) -> Client:
    """A client that carries the place's source token, and shows errors as the server would."""
    return Client(raise_request_exception=False, **bearer(place.token))


def send(http: Client, body: Any, **headers: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.generic("POST", EVENTS, data, content_type="application/json", **headers)


def send_files(http: Client, body: Any, **files: bytes) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    parts = {name: SimpleUploadedFile(f"{name}.jpg", data, "image/jpeg") for name, data in files.items()}
    return http.post(EVENTS, {"event": text, **parts})


def counts() -> tuple[int, ...]:
    """How many rows of everything that intake writes there are."""
    return tuple(model.objects.count() for model in (Event, EventEvidence, Evidence, Item, Parking))


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal, after checking that nothing was kept."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert counts() == (0, 0, 0, 0, 0)
    return problem


def paths(problem: dict[str, Any]) -> list[str]:
    return [fault["path"] for fault in problem["errors"]]


def changed(path: str, value: Any) -> dict[str, Any]:
    """A good event in which the member at `path` (dots and numbers) is `value`."""
    body = full_body()
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = body
    for part in way:
        target = target[part]
    target[last] = value
    return body


def full_body() -> dict[str, Any]:
    """An event that uses every field of the contract (but `hold`)."""
    return {
        "event_id": str(new_id()),
        "captured_at": "2026-11-23T08:15:30.120Z",
        "kind": "unsure",
        "camera": "cam-1",
        "frame": {"width": 1280, "height": 720},
        "model": {"name": "detector", "version": "1.0", "sha256": "a" * 64},
        "task": "detection",
        "reporting_floor": 0.25,
        "thresholds": {"person": 0.6},
        "predictions": [
            {
                "id": "p1",
                "class": "bird",
                "confidence": 0.42,
                "box": [412.0, 120.5, 88.0, 210.0],
                "alternatives": {"person": 0.31},
                "track": "t17",
                "attributes": {"hidden": True, "age": 3, "note": "x", "none": None},
            }
        ],
        "subject": ["p1"],
        "flags": ["implausible_class"],
        "rule": "implausible",
        "sampling_probability": 1.0,
        "evidence": [
            {
                "name": "frame",
                "role": "frame",
                "sha256": "b" * 64,
                "content_type": "image/jpeg",
                "offset": [0, 0],
                "scale": 1.0,
                "level": 6,
            }
        ],
        "action": {"name": "line_stop", "done_at": "2026-11-23T08:15:30.150Z"},
        "stamps": {
            "agent": "0.1.0",
            "config": 7,
            "rules": "sha256:...",
            "boot_id": "x",
            "seq": 4711,
            "clock": "synced",
        },
        "latency_ms": {"capture": 4.1, "preprocess": 2.3, "inference": 21.0, "rules": 0.1},
        "context": {"order": "4711"},
        "historical": False,
    }


# What goes well


def test_json_creates_an_event_and_says_what_it_waits_for(http: Client) -> None:
    body = full_body()
    answer = send(http, body)
    event = Event.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(event.pk),
        "event_id": body["event_id"],
        "status": "created",
        "evidence": {"frame": "pending"},
    }
    assert event.predictions[0]["alternatives"] == {"person": 0.31}
    assert event.stamps["seq"] == 4711
    assert event.context == {"order": "4711"}
    assert event.action["name"] == "line_stop"


def test_multipart_brings_the_evidence_along(http: Client) -> None:
    picture = jpeg()
    answer = send_files(http, event_body(picture=picture), frame=picture)
    assert (answer.status_code, answer.json()["evidence"]) == (201, {"frame": "stored"})
    assert EventEvidence.objects.get().evidence == Evidence.objects.get()


def test_the_event_part_may_be_a_file(http: Client) -> None:
    picture = jpeg()
    text = json.dumps(event_body(picture=picture)).encode()
    answer = http.post(
        EVENTS,
        {
            "event": SimpleUploadedFile("event.json", text, "application/json"),
            "frame": SimpleUploadedFile("a", picture),
        },
    )
    assert answer.status_code == 201, answer.content


def test_the_same_body_in_another_key_order_is_a_duplicate(http: Client) -> None:
    body = full_body()
    first = send(http, body).json()
    again = send(http, dict(reversed(list(body.items()))))
    assert (again.status_code, again.json()) == (200, first | {"status": "duplicate"})
    assert Event.objects.count() == 1


def test_a_duplicate_says_that_its_evidence_has_come_meanwhile(http: Client) -> None:
    picture = jpeg()
    body = event_body(picture=picture)
    assert send(http, body).json()["evidence"] == {"frame": "pending"}
    put(http, picture)
    assert send(http, body).json()["evidence"] == {"frame": "stored"}


def test_another_body_under_the_same_id_is_a_conflict_that_changes_nothing(http: Client) -> None:
    body = full_body()
    first = send(http, body).json()
    answer = send(http, body | {"kind": "flagged"})
    assert (answer.status_code, answer.json()["code"]) == (409, "event_conflict")
    assert answer.json()["id"] == first["id"]
    assert Event.objects.get().kind == "unsure"


def test_the_same_id_of_two_sources_is_two_events(http: Client, place: Place) -> None:
    other, token = create_source(site=place.site, name="second", maker=None)
    body = full_body()
    send(http, body)
    assert send(Client(**bearer(token)), body | {"camera": "cam-1"}).status_code == 201
    assert Event.objects.filter(source=other).count() == 1


def test_a_report_needs_no_model(http: Client) -> None:
    body = event_body(kind="report", predictions=[], subject=[])
    del body["model"]
    assert send(http, body).status_code == 201
    assert not Parking.objects.exists()


def test_the_camera_defaults_to_the_tokens(http: Client, place: Place) -> None:
    send(http, event_body())
    assert Event.objects.get().camera == place.camera


@pytest.mark.parametrize(
    "given,skewed", [(timedelta(minutes=10), True), (timedelta(days=-40), True), (timedelta(), False)]
)
def test_a_clock_that_is_off_is_flagged_and_kept(http: Client, given: timedelta, skewed: bool) -> None:
    body = event_body(captured_at=(datetime.now(UTC) + given).isoformat())
    assert send(http, body).status_code == 201
    event = Event.objects.get()
    assert event.clock_skewed is skewed
    assert event.captured_at == datetime.fromisoformat(body["captured_at"])


def test_what_is_marked_historical_may_be_old(http: Client) -> None:
    send(http, event_body(captured_at="2019-01-01T00:00:00Z", historical=True))
    assert not Event.objects.get().clock_skewed


# Evidence that follows


def put(http: Client, data: bytes, *, name: str | None = None, kind: str = "image/jpeg") -> Any:
    return http.generic("PUT", f"/api/v1/evidence/{name or sha256(data)}", data, content_type=kind)


def test_evidence_may_follow_its_event(http: Client) -> None:
    picture = jpeg()
    send(http, event_body(picture=picture))
    first, again = put(http, picture), put(http, picture)
    assert (first.status_code, first.json()) == (201, {"status": "stored"})
    assert (again.status_code, again.json()) == (200, {"status": "stored"})
    assert EventEvidence.objects.get().evidence is not None


def test_evidence_that_nothing_announced_is_not_taken(http: Client) -> None:
    refused(put(http, jpeg()), 404, "not_found")


def test_evidence_announced_by_another_site_does_not_exist(http: Client, elsewhere: Place) -> None:
    picture = jpeg()
    factories.post(elsewhere, picture=picture)
    assert put(http, picture).status_code == 404
    assert Evidence.objects.count() == 1


def test_equal_bytes_at_two_sites_are_kept_for_each(http: Client, elsewhere: Place, place: Place) -> None:
    picture = jpeg()
    factories.post(elsewhere, picture=picture)
    send(http, event_body(picture=picture))
    assert put(http, picture).status_code == 201
    assert set(Evidence.objects.values_list("site", flat=True)) == {place.site.pk, elsewhere.site.pk}


def test_other_bytes_than_announced_are_refused(http: Client) -> None:
    picture = jpeg()
    send(http, event_body(picture=picture))
    answer = put(http, jpeg((1, 2, 3)), name=sha256(picture))
    assert (answer.status_code, answer.json()["code"]) == (422, "digest_mismatch")
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("kind", ["image/png", "text/html", ""])
def test_evidence_of_another_type_than_announced_is_refused(http: Client, kind: str) -> None:
    picture = jpeg()
    send(http, event_body(picture=picture))
    assert put(http, picture, kind=kind).status_code == 415


@pytest.mark.parametrize("name", ["x", "A" * 64, "a" * 63, "a" * 64 + "%0a", "..%2f" + "a" * 60, "%00" * 64])
def test_a_name_that_is_no_digest_is_unknown(http: Client, name: str) -> None:
    assert http.generic("PUT", f"/api/v1/evidence/{name}", b"x", content_type="image/jpeg").status_code == 404


# Batches


def test_a_batch_answers_each_event_in_order(http: Client) -> None:
    known = full_body()
    first = send(http, known).json()
    bad, conflict = changed("predictions.0.confidence", 7), known | {"kind": "flagged"}
    good = event_body()
    answer = http.post(f"{EVENTS}/batch", {"events": [known, bad, conflict, 7, good]}, content_type="application/json")
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [row["status"] for row in results] == ["duplicate", "rejected", "rejected", "rejected", "created"]
    assert results[0]["id"] == first["id"]
    assert [row.get("code") for row in results[1:4]] == ["schema", "event_conflict", "schema"]
    assert results[4]["event_id"] == good["event_id"]
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    "body", [[], {}, {"events": []}, {"events": [{}] * 101}, {"events": {}}, {"events": [{}], "x": 1}]
)
def test_what_is_no_batch_is_refused(http: Client, body: Any) -> None:
    answer = http.post(f"{EVENTS}/batch", json.dumps(body), content_type="application/json")
    refused(answer, 422, "schema")


# Every field, wrong

WRONG_TYPES: list[Any] = [None, True, 7, -1, "", "x", 0.5, [], {}, [[]], [None], {"a": {}}, 10**400]
# What of WRONG_TYPES is right after all at each place; "[]" and () stand for an empty list and object.
FIELDS: dict[str, set[Any]] = {
    "event_id": set(),
    "captured_at": set(),
    "kind": set(),
    "frame": set(),
    "frame.width": {7},
    "frame.height": {7},
    "model": set(),
    "model.name": {"x"},
    "model.version": {"x"},
    "model.sha256": {None},
    "task": set(),
    "reporting_floor": {None, 0.5},
    "thresholds": {()},
    "thresholds.person": {0.5},
    "predictions": {"[]"},
    "predictions.0": set(),
    "predictions.0.id": {"x"},
    "predictions.0.class": {"x"},
    "predictions.0.confidence": {0.5},
    "predictions.0.box": set(),
    "predictions.0.box.0": {7, -1, 0.5},
    "predictions.0.box.2": {7, 0.5},
    "predictions.0.alternatives": {()},
    "predictions.0.track": {None, "x"},
    "predictions.0.attributes": {()},
    "predictions.0.attributes.note": {None, True, 7, -1, "", "x", 0.5},
    "subject": {"[]"},
    "subject.0": set(),
    "flags": {"[]"},
    "flags.0": {"x"},
    "rule": {None, "x"},
    "sampling_probability": {None, 0.5},
    "evidence": {"[]"},
    "evidence.0": set(),
    "evidence.0.name": {"x"},
    "evidence.0.role": set(),
    "evidence.0.sha256": set(),
    "evidence.0.offset": set(),
    "evidence.0.offset.0": {7, -1, 0.5},
    "evidence.0.scale": {7, 0.5},
    "evidence.0.level": set(),
    "action": {None},
    "action.name": {"x"},
    "action.done_at": set(),
    "stamps": {()},
    "stamps.agent": {None, "x"},
    "stamps.config": {None, 7, -1, "x"},
    "stamps.seq": {None, 7},
    "latency_ms": {()},
    "latency_ms.capture": {7, 0.5},
    "context": {()},
    "context.order": {None, True, 7, -1, "", "x", 0.5},
    "historical": {True},
}


def allowed(path: str, value: Any) -> bool:
    """Whether the contract takes `value` there."""
    if value == [] and isinstance(value, list):
        return "[]" in FIELDS[path]
    if value == {} and isinstance(value, dict):
        return () in FIELDS[path]
    if isinstance(value, list | dict):
        return False
    return any(value is good or (type(value) is type(good) and value == good) for good in FIELDS[path])


def forget_events() -> None:
    """Empty what intake writes, for the next value of one test."""
    for model in (Parking, Item, EventEvidence, Routing, Event):
        model.objects.all().delete()


@pytest.mark.parametrize("path", list(FIELDS))
def test_each_field_takes_its_own_type_only(http: Client, path: str) -> None:
    for value in WRONG_TYPES:
        body = changed(path, value)
        if path.startswith("frame.") or path == "predictions":
            body["predictions"] = value if path == "predictions" else []
        if not path.startswith("subject"):
            body["subject"] = []
        answer = send(http, body)
        if allowed(path, value):
            assert answer.status_code == 201, (path, value, answer.content)
            forget_events()
            continue
        problem = refused(answer, 422, "schema")
        expected = "$" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))
        within = (expected + ".", expected + "[")
        named = [place for place in paths(problem) if place == expected or place.startswith(within)]
        assert named or (path, value, paths(problem)) == ("subject.0", "x", ["$.subject"]), (value, problem)


@pytest.mark.parametrize("path", ["confidence", "box"])
@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 400, "1" + "0" * 5000]
)
def test_numbers_that_are_none_are_refused(http: Client, path: str, literal: str) -> None:
    body = changed(f"predictions.0.{path}", "@" if path == "confidence" else ["@", 1, 1, 1])
    answer = send(http, json.dumps(body).replace('"@"', literal).encode())
    assert answer.status_code == 422
    refused(answer, 422, answer.json()["code"])
    assert answer.json()["code"] in {"schema", "invalid_json"}


@pytest.mark.parametrize("member", ["context.order", "predictions.0.attributes.age", "stamps.config"])
@pytest.mark.parametrize("literal", ["NaN", "1e400", "1" + "0" * 400, "[1]", '{"a": 1}'])
def test_free_values_are_bounded_too_and_the_path_is_plain(http: Client, member: str, literal: str) -> None:
    answer = send(http, json.dumps(changed(member, "@")).replace('"@"', literal).encode())
    problem = refused(answer, 422, answer.json()["code"])
    if problem["code"] == "schema":
        expected = "$" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in member.split("."))
        assert paths(problem) == [expected]


def test_a_time_stamp_is_a_fair_context_value(http: Client) -> None:
    assert send(http, changed("context.order", 1764000000.25)).status_code == 201


LEVELS = ["", "frame", "model", "predictions.0", "evidence.0", "action", "stamps"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("key", ["surprise", "class_", "__proto__", "id\u0000"])
def test_unknown_keys_are_refused_with_their_path(http: Client, level: str, key: str) -> None:
    answer = send(http, changed(f"{level}.{key}" if level else key, 1))
    problem = refused(answer, 422, "schema")
    start = "$" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in level.split(".") if part)
    assert f"{start}.{key}" in paths(problem)


def test_hold_is_refused_where_nobody_answers_it(http: Client) -> None:
    Queue.objects.update(answers_held=False)
    refused(send(http, full_body() | {"hold": {"deadline_s": 8, "fallback": "reject"}}), 422, "hold_not_supported")


@pytest.mark.parametrize(
    "field", ["event_id", "captured_at", "kind", "model", "task", "frame", "predictions", "evidence"]
)
def test_a_required_field_that_is_missing_is_named(http: Client, field: str) -> None:
    body = full_body()
    del body[field]
    assert f"$.{field}" in paths(refused(send(http, body), 422, "schema"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"kind": 1, "kind": 2}', "$.kind"),
        ('{"frame": {"width": 1, "width": 2}}', "$.frame.width"),
        ('{"context": {"a": 1, "a": 1}}', "$.context.a"),
        ('{"predictions": [{}, {"box": 1, "id": 2, "box": 3}], "x": {"y": 1, "y": 2}}', "$.predictions[1].box"),
        ('{"a": ' * 300 + '{"b": 1, "b": 2}' + "}" * 300, "$" + ".a" * 300 + ".b"),
    ],
)
def test_a_key_that_stands_twice_is_refused(http: Client, text: str, path: str) -> None:
    assert paths(refused(send(http, text.encode()), 422, "duplicate_key")) == [path]


def test_a_key_that_stands_twice_in_one_event_costs_its_neighbours_nothing(http: Client) -> None:
    twice = http.post(f"{EVENTS}/batch", b'{"events": [], "events": [{}]}', content_type="application/json")
    assert paths(refused(twice, 422, "duplicate_key")) == ["$.events"]
    texts = [json.dumps(event_body()) for _three in range(3)]
    texts[1] = texts[1][:-1] + ', "kind": "unsure"}'
    body = f'{{"events": [{", ".join(texts)}]}}'.encode()
    answer = http.post(f"{EVENTS}/batch", body, content_type="application/json")
    results = [(one["status"], one.get("code")) for one in answer.json()["results"]]
    assert results == [("created", None), ("rejected", "duplicate_key"), ("created", None)]


@pytest.mark.parametrize(
    "path", ["camera", "rule", "predictions.0.class", "predictions.0.id", "context.order", "flags.0"]
)
@pytest.mark.parametrize("text", ["a\u0000b", "a\u001bb", "line\nbreak", "\ud800", "\udfff tail", "x" * 3000])
def test_text_that_no_database_carries_is_refused(http: Client, path: str, text: str) -> None:
    answer = send(http, changed(path, text))
    refused(answer, 422, "invalid_json" if text[0] >= "\ud800" else "schema")


@pytest.mark.parametrize("key", ["\ud800", "a\udc00"])
def test_half_a_character_in_a_key_is_refused(http: Client, key: str) -> None:
    for level in ("", "context", "frame"):
        refused(send(http, changed(f"{level}.{key}" if level else key, 1)), 422, "invalid_json")


def test_a_whole_pair_of_surrogates_is_a_character(http: Client) -> None:
    body = json.dumps(changed("rule", "@")).replace("@", "\\ud83d\\ude00")
    assert send(http, body.encode()).status_code == 201
    assert Event.objects.get().rule == "\U0001f600"


@pytest.mark.parametrize(
    "text", ["日本", "Ünïcode", "👩‍🔧", "<script>alert(1)</script>", "' OR 1=1 --", "%s%n", "a" * 60]
)
def test_strange_but_fair_text_is_kept_as_it_is(http: Client, text: str) -> None:
    assert send(http, changed("predictions.0.class", text)).status_code == 201
    assert Event.objects.get().predictions[0]["class"] == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"\xff\xfe{}",
        b'{"kind": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda body: f"{body[:8]!r}x{len(body)}",
)
def test_what_is_no_event_at_all_is_refused(http: Client, body: bytes) -> None:
    answer = send(http, body)
    refused(answer, 422, answer.json()["code"])


def test_nesting_within_a_free_value_is_refused(http: Client) -> None:
    deep: Any = 1
    for _level in range(500):
        deep = [deep]
    refused(send(http, changed("context.order", deep)), 422, "schema")


@pytest.mark.parametrize(
    "value,code",
    [
        ("2026-11-23T08:15:30", "schema"),
        ("2026-11-23", "schema"),
        ("1764000000", "schema"),
        ("yesterday", "schema"),
        ("2026-02-30T00:00:00Z", "schema"),
        ("2026-11-23T08:15:30+99:99", "schema"),
        ("0001-01-01T00:00:00Z", "time_out_of_range"),
        ("0001-01-01T00:00:00+14:00", "time_out_of_range"),
        ("9999-12-31T23:59:59Z", "time_out_of_range"),
        ("9999-12-31T23:59:59-14:00", "time_out_of_range"),
    ],
)
def test_times_that_nothing_carries_are_refused(http: Client, value: str, code: str) -> None:
    refused(send(http, changed("captured_at", value)), 422, code)
    refused(send(http, changed("action.done_at", value)), 422, code)


@pytest.mark.parametrize(
    "change",
    [
        {"predictions": [{"id": "p1", "class": "bird", "confidence": 0.4}]},
        {"predictions": [{"id": "p1", "class": "bird", "confidence": 0.4, "box": [2000, 0, 5, 5]}]},
        {"predictions": [{"id": "p1", "class": "bird", "confidence": 0.4, "box": [-10, 0, 5, 5]}]},
        {"predictions": [{"id": "p1", "class": "bird", "confidence": 0.4, "box": [0, 0, 0, 5]}]},
        {"predictions": [{"id": "p1", "class": "bird", "confidence": 0.4, "box": [0, 0, 5, 5]}] * 2},
        {"subject": ["p9"]},
        {"task": "segmentation"},
        {"task": "classification"},
        {
            "task": "segmentation",
            "predictions": [{"id": "p1", "class": "bird", "confidence": 0.4, "polygon": [[0, 0], [1, 1]]}],
        },
        {
            "task": "segmentation",
            "predictions": [
                {"id": "p1", "class": "bird", "confidence": 0.4, "polygon": [[2000, 0], [2001, 1], [2000, 5]]}
            ],
        },
        {"evidence": [{"name": "a", "role": "frame", "sha256": "b" * 64, "content_type": "image/jpeg"}] * 2},
        {"evidence": [{"name": "../a", "role": "frame", "sha256": "b" * 64, "content_type": "image/jpeg"}]},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(http: Client, change: dict[str, Any]) -> None:
    refused(send(http, full_body() | change), 422, "schema")


def test_a_registered_version_has_one_digest(http: Client, place: Place) -> None:
    register_model_version(site=place.site, name="pinned", version="2", maker=None, sha256="c" * 64)
    body = full_body() | {"model": {"name": "pinned", "version": "2", "sha256": "d" * 64}}
    refused(send(http, body), 422, "model_digest_mismatch")


def test_a_token_of_one_camera_speaks_for_no_other(place: Place) -> None:
    create_camera(site=place.site, slug="cam-2", name="Second", maker=None)
    _source, token = create_source(site=place.site, camera=place.camera, name="bound", maker=None)
    answer = send(Client(**bearer(token)), full_body() | {"camera": "cam-2"})
    refused(answer, 422, "camera_mismatch")


# Too big


def test_an_event_beyond_the_limit_is_refused(http: Client, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"MAX_EVENT_BYTES": 5000}
    refused(send(http, full_body() | {"context": {str(n): "x" * 400 for n in range(40)}}), 413, "too_large")


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/events/batch", "/api/v1/evidence/" + "a" * 64])
def test_a_huge_length_is_refused_before_it_is_read(http: Client, path: str) -> None:
    method = "PUT" if "evidence" in path else "POST"
    answer = http.generic(method, path, b"{}", content_type="application/json", CONTENT_LENGTH=str(50 * 10**6))
    refused(answer, 413, "too_large")


@pytest.mark.parametrize("length", ["", "x", "-5", "1e3", "9" * 30])
def test_a_length_that_lies_is_no_crash(http: Client, length: str) -> None:
    answer = http.generic(
        "POST", EVENTS, json.dumps(full_body()), content_type="application/json", CONTENT_LENGTH=length
    )
    assert answer.status_code in {201, 413, 422}


def test_a_picture_beyond_the_limit_is_refused(http: Client, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"MAX_EVIDENCE_BYTES": 1000}
    picture = jpeg(size=(640, 480))
    refused(send_files(http, event_body(picture=picture), frame=picture), 413, "too_large")
    send(http, event_body(picture=picture))
    assert put(http, picture).status_code == 413


def test_a_store_without_room_says_when_to_come_back(http: Client, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"MIN_FREE_BYTES": 10**15}
    picture = jpeg()
    answer = send_files(http, event_body(picture=picture), frame=picture)
    refused(answer, 503, "storage_full")
    assert int(answer["Retry-After"]) > 0


# Multipart that is none


def test_two_event_parts_are_refused(http: Client) -> None:
    text = json.dumps(event_body())
    refused(http.post(EVENTS, {"event": [text, text]}), 422, "bad_multipart")


def test_a_file_that_stands_twice_is_refused(http: Client) -> None:
    picture = jpeg()
    files = [SimpleUploadedFile("a.jpg", picture), SimpleUploadedFile("b.jpg", picture)]
    answer = http.post(EVENTS, {"event": json.dumps(event_body(picture=picture)), "frame": files})
    refused(answer, 422, "bad_multipart")


def test_a_file_that_was_not_announced_is_refused(http: Client) -> None:
    problem = refused(send_files(http, event_body(), other=jpeg()), 422, "evidence_not_announced")
    assert paths(problem) == ["$.evidence[other]"]


def test_bytes_with_another_digest_are_refused(http: Client) -> None:
    refused(send_files(http, event_body(picture=jpeg()), frame=jpeg((1, 1, 1))), 422, "digest_mismatch")


def test_stray_fields_are_refused(http: Client) -> None:
    refused(http.post(EVENTS, {"event": json.dumps(event_body()), "site": "other"}), 422, "bad_multipart")


@pytest.mark.parametrize(
    "kind,body",
    [
        (MULTIPART_CONTENT, b""),
        (MULTIPART_CONTENT, b"--nonsense"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=" + "x" * 500, b"x"),
        ("multipart/form-data; boundary=\xff", b"x"),
        (MULTIPART_CONTENT, b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="event"\r\n\r\n{'),
        (MULTIPART_CONTENT, b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="event"; filename="x"\r\n'),
        (
            MULTIPART_CONTENT,
            b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="event"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--BoUnDaRyStRiNg--\r\n",
        ),
        (MULTIPART_CONTENT, b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\n\r\n'),
        (
            MULTIPART_CONTENT,
            b"".join(
                b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % number
                for number in range(3000)
            )
            + b"--BoUnDaRyStRiNg--\r\n",
        ),
        (
            MULTIPART_CONTENT,
            b"".join(
                b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="f%d"; filename="x"\r\n\r\n1\r\n' % number
                for number in range(50)
            )
            + b"--BoUnDaRyStRiNg--\r\n",
        ),
    ],
)
def test_a_broken_envelope_is_refused(http: Client, kind: str, body: bytes) -> None:
    answer = http.generic("POST", EVENTS, body, content_type=kind)
    refused(answer, 422, answer.json()["code"])


@pytest.mark.parametrize(
    "charset", ["base64", "unicode_escape", "utf-16", "utf-7", "idna", "rot13", "latin-1", "nonsense"]
)
def test_another_charset_than_utf8_is_no_way_in(http: Client, charset: str) -> None:
    part = b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="event"\r\n\r\n{"a": "\\ud800 \xff"}\r\n'
    part += b"--BoUnDaRyStRiNg--\r\n"
    answer = http.generic("POST", EVENTS, part, content_type=f"{MULTIPART_CONTENT}; charset={charset}")
    assert answer.status_code in {415, 422}
    assert counts() == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/html", "image/jpeg", "x"])
def test_another_content_type_is_refused(http: Client, kind: str) -> None:
    refused(http.generic("POST", EVENTS, json.dumps(event_body()), content_type=kind), 415, "unsupported_type")


# Pictures that are none

FOREIGN = {
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": lambda: b"<!doctype html><script>alert(1)</script>",
    "pdf": lambda: pictures.encoded("PDF"),
    "gif": lambda: pictures.encoded("GIF"),
    "tiff": lambda: pictures.encoded("TIFF"),
    "bmp": lambda: pictures.encoded("BMP"),
    "ico": lambda: pictures.encoded("ICO"),
    "mpo": lambda: pictures.animated("MPO"),
    "jpeg2000": lambda: pictures.encoded("JPEG2000"),
    "empty": lambda: b"",
    "zip": lambda: b"PK\x03\x04" + b"\0" * 60,
    "playlist": lambda: b"#EXTM3U\nfile:///etc/passwd\n",
}


@pytest.mark.parametrize("name", list(FOREIGN))
def test_a_foreign_format_named_jpg_is_refused(http: Client, name: str) -> None:
    data = FOREIGN[name]()
    refused(
        send_files(http, event_body(picture=data), frame=data) if data else put_empty(http), 415, "unsupported_type"
    )


def put_empty(http: Client) -> Any:
    """An empty file cannot be told from none in a multipart body of this client; raw bytes can be empty."""
    body = (
        b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="event"\r\n\r\n%s\r\n'
        % json.dumps(event_body(picture=b"")).encode()
    )
    body += b'--BoUnDaRyStRiNg\r\nContent-Disposition: form-data; name="frame"; filename="a.jpg"\r\n\r\n\r\n'
    return http.generic("POST", EVENTS, body + b"--BoUnDaRyStRiNg--\r\n", content_type=MULTIPART_CONTENT)


@pytest.mark.parametrize("kind,said", [("PNG", "image/jpeg"), ("WEBP", "image/png"), ("JPEG", "image/webp")])
def test_a_picture_of_another_type_than_announced_is_refused(http: Client, kind: str, said: str) -> None:
    data = pictures.encoded(kind)
    body = event_body(picture=data)
    body["evidence"][0]["content_type"] = said
    refused(send_files(http, body, frame=data), 415, "unsupported_type")


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "image/gif", "application/pdf", "video/x-msvideo"])
def test_a_type_that_is_not_taken_cannot_even_be_announced(http: Client, kind: str) -> None:
    refused(send(http, changed("evidence.0.content_type", kind)), 415, "unsupported_type")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_three_formats_are_taken(http: Client, kind: str) -> None:
    data = pictures.encoded(kind)
    body = event_body(picture=data)
    body["evidence"][0]["content_type"] = f"image/{kind.lower()}"
    assert send_files(http, body, frame=data).status_code == 201


@pytest.mark.parametrize("size", [(20_000, 20_000), (13_000, 13_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(http: Client, size: tuple[int, int]) -> None:
    bomb = pictures.png_claiming(*size)
    body = event_body(picture=bomb)
    body["evidence"][0]["content_type"] = "image/png"
    refused(send_files(http, body, frame=bomb), 422, "too_many_pixels")


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(http: Client, kind: str) -> None:
    data = pictures.animated(kind)
    body = event_body(picture=data)
    body["evidence"][0]["content_type"] = f"image/{kind.lower()}"
    refused(send_files(http, body, frame=data), 422, "animated")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_of_a_picture_is_that_of_the_upright_one(http: Client, orientation: int) -> None:
    data = pictures.turned(orientation)
    send_files(http, event_body(picture=data), frame=data)
    evidence = Evidence.objects.get()
    assert (evidence.width, evidence.height) == ((240, 320) if orientation >= 5 else (320, 240))


@pytest.mark.parametrize(
    "payload", [b"", b"I", b"II*\0", b"MM\0*\0", b"II*\0\x08\0\0\0\xff\xff", b"\xff" * 40, b"II*\0\xff\xff\xff\xff"]
)
def test_broken_exif_is_no_crash(http: Client, payload: bytes) -> None:
    data = pictures.with_exif(payload)
    answer = send_files(http, event_body(picture=data), frame=data)
    assert answer.status_code in {201, 422}


def test_a_cut_off_picture_is_kept(http: Client) -> None:
    data = jpeg(size=(640, 480))[:-600]
    assert send_files(http, event_body(picture=data), frame=data).status_code == 201


# Tokens


@pytest.fixture
def doors(place: Place, operator: User) -> dict[str, dict[str, str]]:
    """Every way to come without the right token."""
    revoked, revoked_token = create_source(site=place.site, name="revoked", maker=None)
    revoke_source(source=revoked, person=None, now=datetime.now(UTC))
    _late, expired = create_source(site=place.site, name="late", maker=None, ends_at=datetime.now(UTC) - timedelta(1))
    basic = base64.b64encode(f":{place.token}".encode()).decode()
    return {
        "none": {},
        "empty": {"HTTP_AUTHORIZATION": ""},
        "bare": {"HTTP_AUTHORIZATION": "Bearer"},
        "blank": bearer(""),
        "nonsense": bearer("x"),
        "long": bearer("x" * 100_000),
        "strange": {"HTTP_AUTHORIZATION": "Bearer \xff\x01"},
        "basic": {"HTTP_AUTHORIZATION": f"Basic {basic}"},
        "without the word": {"HTTP_AUTHORIZATION": place.token},
        "another word": {"HTTP_AUTHORIZATION": f"Token {place.token}"},
        "hash": bearer(place.source.token_hash),
        "revoked": bearer(revoked_token),
        "expired": bearer(expired),
        "personal": bearer(make_token(operator)),
        "upper case": bearer(place.token.upper()),
    }


def test_without_a_live_source_token_nothing_opens(place: Place, doors: dict[str, dict[str, str]]) -> None:
    for name, header in doors.items():
        answer = send(Client(**header), full_body())
        assert answer.status_code == 401, name
        assert answer.json()["code"] == "unauthenticated", name
        assert answer["WWW-Authenticate"] == "Bearer"
        assert "id" not in answer.json(), name
    assert not Event.objects.exists()


def test_a_session_opens_nothing_on_the_api(http: Client, operator: User) -> None:
    signed_in = Client()
    signed_in.force_login(operator)
    assert send(signed_in, full_body()).status_code == 401
    assert signed_in.get(EVENTS).status_code == 401


def test_a_source_token_opens_no_door_of_people(place: Place) -> None:
    source = Client(**bearer(place.token))
    assert source.get(EVENTS).status_code == 401
    assert source.get("/api/v1/queues").status_code == 401
    assert source.post(f"/api/v1/queues/{place.queue.pk}/claims").status_code == 401
    assert source.get("/queues/").status_code == 302


def test_a_personal_token_ends_with_the_person(operator: User) -> None:
    client = Client(**bearer(make_token(operator)))
    assert client.get(EVENTS).status_code == 200
    User.objects.filter(pk=operator.pk).update(is_active=False)
    assert client.get(EVENTS).status_code == 401


def test_a_token_without_the_scope_is_told_which(operator: User) -> None:
    answer = Client(**bearer(make_token(operator, ["releases:read"]))).get(EVENTS)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_site_and_source_come_from_the_token_only(http: Client, elsewhere: Place) -> None:
    for extra in (
        {"site": str(elsewhere.site.pk)},
        {"source": "x"},
        {"received_at": "2020-01-01T00:00:00Z"},
        {"id": "x"},
    ):
        refused(send(http, full_body() | extra), 422, "schema")


# Needs mapping


def test_an_unknown_camera_is_parked_and_comes_through_once_it_is_there(place: Place, supervisor: User) -> None:
    _source, token = create_source(site=place.site, name="roaming", maker=None)
    http = Client(**bearer(token))
    for name in ("Line 3 (top)", "カメラ", "cam_9", "!!!", "x" * 100):
        assert send(http, event_body(camera=name)).status_code == 201
        assert not Item.objects.filter(event__camera_name=name).exists()
        came = create_missing(
            site=place.site, cause=ParkingCause.CAMERA, value=name, person=supervisor, now=datetime.now(UTC)
        )
        assert came == 1
        assert Item.objects.filter(event__camera_name=name).count() == 1
        send(http, event_body(camera=name))
        assert not Parking.objects.filter(value=name, resolved_at=None).exists(), f"{name} is parked for ever"
        assert Item.objects.filter(event__source__name="roaming").count() % 2 == 0


def test_an_event_waits_until_everything_that_it_names_is_known(http: Client, place: Place, supervisor: User) -> None:
    body = event_body(model={"name": "new", "version": "9"})
    body["predictions"][0]["class"] = "unicorn"
    send(http, body)
    now = datetime.now(UTC)
    causes = {(ParkingCause.MODEL, "new 9"), (ParkingCause.CLASS, "unicorn")}
    assert set(Parking.objects.values_list("cause", "value")) == causes
    came = [
        create_missing(site=place.site, cause=cause, value=value, person=supervisor, now=now)
        for cause, value in sorted(causes)
    ]
    assert came == [0, 1]
    assert not Parking.objects.filter(resolved_at=None).exists()
    assert Event.objects.get().routings.count() == 1


def test_a_site_may_register_versions_by_their_first_event(http: Client, place: Place) -> None:
    place.site.registers_models = True
    place.site.save()
    send(http, full_body() | {"model": {"name": "fresh", "version": "1", "sha256": "e" * 64}})
    assert not Parking.objects.exists()
    answer = send(http, full_body() | {"model": {"name": "fresh", "version": "1", "sha256": "f" * 64}})
    assert answer.json()["code"] == "model_digest_mismatch"


# Anything at all

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63 - 2, max_value=2**65)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["unsure", "detection", "frame", "p1", "a" * 64, "2026-11-23T08:15:30Z", str(uuid.uuid4())]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body at which something can stand."""
    if way:
        yield way
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*way, key))


PLACES = list(places(full_body() | {"hold": {"deadline_s": 8, "fallback": "x"}}))


@hypothesis_settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), anything), min_size=1, max_size=3))
def test_nothing_that_can_be_posted_is_a_crash(http: Client, changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    body: Any = full_body() | {"hold": None}
    for way, value in changes:
        target = body
        try:
            for part in way[:-1]:
                target = target[part]
            target[way[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue
    before = counts()
    answer = send(http, json.dumps(body).encode())
    assert answer.status_code in {200, 201, 409, 413, 415, 422}, answer.content
    assert (counts() == before) == (answer.status_code != 201)


# At once


@pytest.mark.django_db(transaction=True)
def test_sixteen_posts_of_one_event_at_once_make_one_event(at_once: Any) -> None:
    place, picture = factories.make_place("yard"), jpeg()
    body = event_body(picture=picture)
    answers = at_once(16, lambda _number: send_files(Client(**bearer(place.token)), body, frame=picture))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert counts() == (1, 1, 1, 1, 0)


@pytest.mark.django_db(transaction=True)
def test_sixteen_events_with_one_picture_at_once_all_come_in(at_once: Any) -> None:
    place, picture = factories.make_place("yard"), jpeg()
    answers = at_once(
        16, lambda _number: send_files(Client(**bearer(place.token)), event_body(picture=picture), frame=picture)
    )
    assert [answer.status_code for answer in answers] == [201] * 16
    assert counts() == (16, 16, 1, 16, 0)


@pytest.mark.django_db(transaction=True)
def test_two_bodies_under_one_id_at_once_make_one_event_and_one_conflict(at_once: Any) -> None:
    place, body = factories.make_place("yard"), event_body()
    kinds = ["unsure", "flagged"]
    answers = at_once(2, lambda number: send(Client(**bearer(place.token)), body | {"kind": kinds[number]}))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_posting_costs_the_same_however_much_is_there(http: Client, django_assert_max_num_queries: Any) -> None:
    picture = jpeg()
    send_files(http, event_body(picture=picture), frame=picture)
    Source.objects.update(last_used_at=datetime.now(UTC))
    with django_assert_max_num_queries(22):
        send_files(http, event_body(picture=jpeg((1, 2, 3))), frame=jpeg((1, 2, 3)))
    assert connection.vendor in {"sqlite", "postgresql"}


def test_a_site_is_named_by_its_id_or_its_short_name(client: Client, place: Place, supervisor: User) -> None:
    factories.post(place)
    headers = bearer(make_token(supervisor))
    for name in (str(place.site.pk), place.site.slug):
        assert len(client.get(f"/api/v1/events?site={name}", **headers).json()["results"]) == 1
    assert client.get("/api/v1/events?site=nowhere", **headers).json()["results"] == []


def test_a_repeat_brings_the_bytes_that_the_first_post_announced(client: Client, place: Place) -> None:
    picture = jpeg()
    body = event_body(picture=picture)
    headers = bearer(place.token)
    first = client.post(EVENTS, json.dumps(body), content_type="application/json", **headers)
    assert first.json()["evidence"] == {"frame": "pending"}
    parts = {"event": json.dumps(body), "frame": SimpleUploadedFile("frame.jpg", picture, "image/jpeg")}
    again = client.post(EVENTS, parts, **headers)
    assert again.json() == first.json() | {"status": "duplicate", "evidence": {"frame": "stored"}}
    assert Evidence.objects.get().sha256 == sha256(picture)
