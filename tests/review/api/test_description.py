"""openapi.json says everything, and what it says is true: each example is sent as it stands there."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from inference.models import Source
from inference.tokens import forget_tokens
from review.api.description import examples as ex
from review.api.description.codes import ALWAYS, CODES
from review.models import Queue
from tests.factories import bearer
from tests.review.api.described import (
    Operation,
    closed,
    content_examples,
    document,
    examples_of,
    operation,
    operations,
    require_as_said,
    require_valid,
    resolved,
    shape,
    wire,
)
from tests.review.api.plant import FRAME, GIVEN, V1, Plant, make_plant, named_as_in_the_examples

# Clients generate their methods from these: whoever renames a view keeps its id.
IDS = {
    "delete_claim",
    "get_answer",
    "get_event",
    "get_evidence",
    "get_release",
    "get_release_archive",
    "get_release_file",
    "get_source",
    "list_events",
    "list_queues",
    "list_releases",
    "list_verdicts",
    "post_claim",
    "post_counts",
    "post_event",
    "post_event_batch",
    "post_release",
    "post_verdict",
    "put_claim",
    "put_evidence",
}
ALL = operations()
OPERATIONS = [pytest.param(one, id=one.id) for one in ALL]
# Each example of a body; an operation without a body is called with the examples of its parameters.
SENT = [
    pytest.param(one, kind, name, example, id=f"{one.id} {name}")
    for one in ALL
    for kind, content in (one.taken() or {"": {"examples": {"as_it_is": None}}}).items()
    for name, example in content_examples(content)
]


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def ask(plant: Plant, one: Operation, kind: str, example: Any, token: str = "") -> Any:
    """Send an example as it stands in the document."""
    body, content_type = wire(kind, example) if example else (b"", "")
    secret = plant.tokens[token or next(iter(one.said["security"][0]))]
    client = Client(raise_request_exception=False, **bearer(secret))
    headers = (example or {}).get("x-headers")
    return client.generic(one.method, one.address(), body, content_type, query_params=one.query(), headers=headers)


def prepared(plant: Plant, one: Operation, name: str) -> None:
    GIVEN.get(f"{one.id} {name}", GIVEN.get(one.id, lambda _plant: None))(plant)


# Everything is said


def test_what_is_served_is_what_these_tests_read() -> None:
    served = Client().get(V1 + "openapi.json")
    assert served["Content-Type"].startswith("application/json")
    assert served.json() == document()
    assert served.json()["openapi"] == "3.1.0"


def test_ids_of_operations_do_not_change() -> None:
    assert sorted(one.id for one in operations()) == sorted(IDS)


@pytest.mark.parametrize("one", OPERATIONS)
def test_nothing_of_an_operation_is_left_unsaid(one: Operation) -> None:
    assert one.said["summary"]
    assert one.said["description"]
    assert one.said["tags"][0] in {tag["name"] for tag in document()["tags"]}
    schemes = document()["components"]["securitySchemes"]
    assert one.said["security"]
    assert all(name in schemes for entry in one.said["security"] for name in entry)
    for parameter in one.said["parameters"]:
        assert parameter["description"], parameter["name"]
        assert parameter["schema"], parameter["name"]
        assert parameter["in"] != "path" or parameter["example"]


@pytest.mark.parametrize("one", OPERATIONS)
def test_no_body_is_without_an_example(one: Operation) -> None:
    if one.method in {"POST", "PUT"} and one.id not in {"post_claim", "put_claim"}:
        assert one.taken()
        assert examples_of(one.said["requestBody"])
    assert one.successes()
    for status, answer in one.successes().items():
        assert answer["description"]
        if "application/json" in answer.get("content", {}):
            assert examples_of(answer), (one.id, status)


@pytest.mark.parametrize("one", OPERATIONS)
def test_every_refusal_says_its_codes(one: Operation) -> None:
    told = set()
    for status in one.said["responses"]:
        if int(status) >= 400 and status != "416":
            schema = one.answer(int(status))["content"]["application/problem+json"]["schema"]
            codes = schema["properties"]["code"]["enum"]
            assert all(CODES[code][0] == int(status) for code in codes)
            told |= set(codes)
    assert told >= set(ALWAYS)


def test_every_component_and_field_is_described() -> None:
    schemas = closed()["components"]["schemas"]
    shapes = {name: one for name, one in schemas.items() if one.get("type") == "object"}
    assert not [name for name, one in shapes.items() if not one.get("description")]
    taken = {name: one for name, one in shapes.items() if name.endswith("In") or name == "Frame"}
    silent = [
        f"{name}.{field}"
        for name, one in taken.items()
        for field, said in one["properties"].items()
        if not said.get("description")
    ]
    assert (len(taken), silent) == (14, [])


def test_every_text_of_a_request_has_a_bound() -> None:
    """What is longer is refused, and the document says from which length on."""
    loose = []
    for name in ("EventIn", "PredictionIn", "EvidenceIn", "VerdictIn", "LabelIn", "CountIn"):
        for field, said in document()["components"]["schemas"][name]["properties"].items():
            for kind in said.get("anyOf", [said]):
                if kind.get("type") == "string" and not {"maxLength", "pattern", "enum", "format"} & kind.keys():
                    loose.append(f"{name}.{field}")
                if kind.get("type") == "array" and "maxItems" not in kind:
                    loose.append(f"{name}.{field}")
    assert loose == []


# What is said is true


@pytest.mark.parametrize("one", OPERATIONS)
def test_examples_are_as_their_schemas_say(one: Operation) -> None:
    contents = [*one.taken().values()]
    for status in one.said["responses"]:
        contents += one.answer(int(status)).get("content", {}).values()
    for content in contents:
        for _name, example in content_examples(content):
            require_valid(content["schema"], example["value"])


@pytest.mark.parametrize(("one", "kind", "name", "example"), SENT)
def test_an_example_is_taken_as_it_stands(plant: Plant, one: Operation, kind: str, name: str, example: Any) -> None:
    prepared(plant, one, name)
    answer = ask(plant, one, kind, example)
    assert answer.status_code in one.expected(name), answer.content
    require_as_said(one, answer)
    if told := examples_of(one.answer(answer.status_code)).get(name):
        assert shape(answer.json()) == shape(told["value"])


@pytest.mark.parametrize("one", OPERATIONS)
def test_only_the_tokens_that_are_named_open_it(plant: Plant, one: Operation) -> None:
    kind, name, example = next(tuple(case.values[1:]) for case in SENT if case.values[0] is one)
    prepared(plant, one, name)
    named = {scheme for entry in one.said["security"] for scheme in entry}
    for token in plant.tokens:
        answer = ask(plant, one, kind, example, token)
        assert (answer.status_code == 401) == (token not in named), (token, answer.content)
        require_as_said(one, answer)


# Answers that no single request shows


def test_answers_that_need_more_than_one_call(plant: Plant) -> None:
    """The examples of 200 where a repeat is not 201, and of states that come later."""
    picture = operation("post_event").taken()["multipart/form-data"]["examples"]["with_picture"]
    first, again = (ask(plant, operation("post_event"), "multipart/form-data", picture) for _time in range(2))
    require_shown("post_event", again, "again")
    assert first.json()["id"] == again.json()["id"]
    counts = operation("post_counts").taken()["application/json"]["examples"]["an_hour"]
    _first, again = (ask(plant, operation("post_counts"), "application/json", counts) for _time in range(2))
    require_shown("post_counts", again, "again")


def test_how_an_upload_goes_on(plant: Plant) -> None:
    state = operation("get_evidence")
    plant.event()
    require_shown("get_evidence", ask(plant, state, "", None), "pending")
    for name, shown in (("first_part", "partial"), ("last_part", "stored")):
        example = operation("put_evidence").taken()["image/png"]["examples"][name]
        ask(plant, operation("put_evidence"), "image/png", example)
        require_shown("get_evidence", ask(plant, state, "", None), shown)
    whole = operation("put_evidence").taken()["image/png"]["examples"]["whole"]
    require_shown("put_evidence", ask(plant, operation("put_evidence"), "image/png", whole), "again")


def test_what_a_machine_that_waits_is_told(plant: Plant) -> None:
    plant.take(ex.HELD)
    require_shown("get_answer", ask(plant, operation("get_answer"), "", None), "waiting")
    with named_as_in_the_examples():
        ask(plant, operation("post_claim"), "", None)
    said = operation("post_verdict").taken()["application/json"]["examples"]["confirm"]
    given = [ask(plant, operation("post_verdict"), "application/json", said) for _time in range(2)]
    assert [one.status_code for one in given] == [201, 200]
    require_shown("post_verdict", given[1], "again")
    require_shown("get_answer", ask(plant, operation("get_answer"), "", None), "answered")


def test_what_a_claim_and_an_empty_queue_look_like(plant: Plant) -> None:
    plant.event()
    require_shown("post_claim", ask(plant, operation("post_claim"), "", None), "claimed")
    require_shown("post_claim", ask(plant, operation("post_claim"), "", None), "nothing")


def test_a_list_and_one_thing_of_each_kind(plant: Plant) -> None:
    plant.event()
    for name, shown in (
        ("list_events", "page"),
        ("get_event", "event"),
        ("list_queues", "queues"),
        ("get_source", "source"),
    ):
        require_shown(name, ask(plant, operation(name), "", None), shown)
    plant.release()
    require_shown("list_releases", ask(plant, operation("list_releases"), "", None), "page")


def test_the_feed_of_outcomes_is_as_it_is_shown(plant: Plant) -> None:
    plant.outcome()
    require_shown("list_verdicts", ask(plant, operation("list_verdicts"), "", None), "page")


def require_shown(name: str, answer: Any, example: str) -> None:
    """Fail unless an answer is as it is described, and has the members and types of this example of it."""
    one = operation(name)
    require_as_said(one, answer)
    shown = examples_of(one.answer(answer.status_code))[example]["value"]
    assert shape(answer.json()) == shape(shown)


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 200), ({"Range": "bytes=0-4"}, 206), ({"Range": "bytes=99999-"}, 416)]
)
@pytest.mark.parametrize("name", ["get_release_file", "get_release_archive"])
def test_downloads_come_whole_and_in_ranges(plant: Plant, name: str, headers: dict[str, str], status: int) -> None:
    plant.release()
    one = operation(name)
    answer = ask(plant, one, "", {"x-headers": headers} if headers else None)
    assert answer.status_code == status
    require_as_said(one, answer)
    known = ask(plant, one, "", {"x-headers": {"If-None-Match": answer["ETag"]}})
    assert known.status_code == 304
    require_as_said(one, known)


# Refusals


def twice(body: dict[str, Any]) -> bytes:
    """A body with one of its keys twice."""
    name = next(iter(body))
    return f"{{{json.dumps(name)}: 1, {json.dumps(body)[1:]}".encode()


def with_key_twice(name: str) -> Callable[[Plant], Any]:
    def provoke(plant: Plant) -> Any:
        one = operation(name)
        example = next(iter(one.taken()["application/json"]["examples"].values()))
        client = Client(**bearer(plant.tokens["sourceToken"]))
        return client.generic(one.method, one.address(), twice(example["value"]), "application/json")

    return provoke


def bad_value(plant: Plant) -> Any:
    return plant.call("POST", "events", ex.event(1, predictions=[ex.BIRD | {"confidence": 7.0}]))


def conflict(plant: Plant) -> Any:
    plant.call("POST", "events", ex.event(1))
    return plant.call("POST", "events", ex.event(1, kind="flagged"))


def wrong_picture(plant: Plant) -> Any:
    part = {"value": ex.PARTS["with_picture"].value, "x-base64": {"frame": ex.CROP}}
    return ask(plant, operation("post_event"), "multipart/form-data", part)


def too_fast(plant: Plant) -> Any:
    Source.objects.filter(pk=plant.place.source.pk).update(events_per_second=0)
    forget_tokens()
    return plant.call("POST", "events", ex.event(1))


def wrong_bytes(plant: Plant) -> Any:
    plant.event()
    return plant.call("PUT", f"evidence/{ex.FRAME_SHA256}", FRAME[:-1] + b"x")


def gap(plant: Plant) -> Any:
    plant.first_part()
    return plant.call(
        "PUT", f"evidence/{ex.FRAME_SHA256}", FRAME[100:], {"Content-Range": f"bytes 100-113/{ex.FRAME_BYTES}"}
    )


def verdict(**changes: Any) -> Callable[[Plant], Any]:
    def provoke(plant: Plant) -> Any:
        plant.claim()
        said = {"value": ex.answer("correct", complete=True) | changes}
        return ask(plant, operation("post_verdict"), "application/json", said)

    return provoke


def decided(plant: Plant) -> Any:
    plant.claim()
    for key in (ex.KEY, ex.POSTED):
        said = {"value": ex.answer("confirm", complete=True) | {"key": key}}
        answer = ask(plant, operation("post_verdict"), "application/json", said)
    return answer


def without_a_reason(plant: Plant) -> Any:
    Queue.objects.filter(pk=plant.place.queue.pk).update(needs_reason=["bad_image"])
    return verdict(answer="bad_image", complete=None)(plant)


def nothing_to_release(plant: Plant) -> Any:
    plant.outcome("unsure")
    recipe = operation("post_release").taken()["application/json"]["examples"]["everything"]
    return ask(plant, operation("post_release"), "application/json", recipe)


REFUSALS: dict[tuple[str, str], Callable[[Plant], Any]] = {
    ("post_event", "duplicate_key"): with_key_twice("post_event"),
    ("post_event", "schema"): bad_value,
    ("post_event", "event_conflict"): conflict,
    ("post_event", "digest_mismatch"): wrong_picture,
    ("post_event", "source_rate"): too_fast,
    ("post_event_batch", "duplicate_key"): with_key_twice("post_event_batch"),
    ("post_counts", "duplicate_key"): with_key_twice("post_counts"),
    ("put_evidence", "digest_mismatch"): wrong_bytes,
    ("put_evidence", "offset_mismatch"): gap,
    ("post_verdict", "stale_version"): verdict(version=7),
    ("post_verdict", "already_decided"): decided,
    ("post_verdict", "unknown_class"): verdict(labels=[{"class": "unicorn", "box": [1, 1, 5, 5]}]),
    ("post_verdict", "index_mismatch"): verdict(labels=[{"class": "bird", "index": 0, "box": [1, 1, 5, 5]}]),
    ("post_verdict", "reason_required"): without_a_reason,
    ("post_release", "nothing_to_release"): nothing_to_release,
}


def shown_refusals() -> set[tuple[str, str]]:
    return {
        (one.id, name)
        for one in operations()
        for status in one.said["responses"]
        if int(status) >= 400
        for name in examples_of(one.answer(int(status)))
    }


def test_every_refusal_that_is_shown_is_provoked() -> None:
    assert shown_refusals() == set(REFUSALS)


@pytest.mark.parametrize(("name", "code"), sorted(REFUSALS))
def test_a_refusal_is_as_it_is_shown(plant: Plant, name: str, code: str) -> None:
    one, answer = operation(name), REFUSALS[name, code](plant)
    assert (answer.status_code, answer.json()["code"]) == (CODES[code][0], code), answer.content
    require_as_said(one, answer)
    shown = examples_of(one.answer(answer.status_code))[code]["value"]
    assert shape(answer.json()) == shape(shown)
    assert answer.json()["title"] == shown["title"]


def test_another_method_is_refused_as_it_is_said(plant: Plant) -> None:
    said = resolved({"$ref": "#/components/responses/WrongMethod"})["content"]["application/problem+json"]["schema"]
    client = Client(**bearer(plant.tokens["sourceToken"]))
    for one in ALL:
        there = {name.upper() for name in document()["paths"][one.path]}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - there:
            answer = client.generic(method, one.address())
            assert answer.status_code == 405
            assert set(answer["Allow"].split(", ")) >= there
            require_valid(said, answer.json())


# For people


def test_the_page_shows_every_call_with_its_examples(db: None) -> None:
    page = Client().get(V1 + "docs").content.decode()
    for one in ALL:
        assert f'<code class="wrap">{one.path}</code>' in page
        assert escape(one.said["summary"]) in page
        for example in examples_of(one.said.get("requestBody", {})).values():
            assert escape(example["summary"]) in page
    assert escape(ex.TOO_FAST.summary) in page
