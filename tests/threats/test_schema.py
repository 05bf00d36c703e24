"""The whole API as its schema describes it, asked by a machine: never a fault, never an answer that is not described,
always a problem document, no canary."""

import io
import json
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core import NOT_SET
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from accounts.roles import Role
from tests import factories
from tests.doors import SHARED, make_world
from tests.factories import bearer, make_item, make_person, make_token
from tests.review.api.described import closed, document

THEIRS = "canary-of-the-other-site"
schema = schemathesis.openapi.from_dict(closed())
OPERATIONS = {f"{one.ok().method.upper()} {one.ok().path}": one.ok() for one in schema.get_all_operations()}
# For each operation; the whole takes well under a minute.
EXAMPLES = 8
# What an answer is held against: that its status is described, and then its type, its headers and its body.
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
ASKED = requests.Request("GET", "http://testserver/").prepare()


def callers() -> dict[str, Any]:
    """A person of site A with every role there, a source of site A; and site B, full of canaries."""
    world = make_world()
    other = factories.make_place(THEIRS)
    make_item(other)
    person = make_person("all-of-a")
    for role in Role:
        factories.give_role(person, role, world.place.site)
    # By what stands before the id in an address.
    own = {
        "queues": world.place.queue.pk,
        "claims": world.claim.pk,
        "items": world.claim.item_id,
        "events": world.event.pk,
        "releases": world.release.pk,
    }
    foreign = [other.queue.pk, other.site.pk, make_item(other).pk, other.source.pk]
    return {
        "headers": [bearer(make_token(person)), bearer(world.place.token)],
        "fitting": {name: str(pk) for name, pk in own.items()},
        "ids": [str(pk) for pk in own.values()],
        "foreign": [str(pk) for pk in foreign],
    }


def sent(case: Any, world: dict[str, Any], pk: str, who: dict[str, str]) -> Any:
    """Make the call that schemathesis thought of, in this process."""
    client = Client(raise_request_exception=False, **who)
    client.handler = SHARED
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", pk if name == "pk" else str(value))
    body, kind = wire(case)
    query = {str(name): str(value) for name, value in (case.query or {}).items()}
    # Not the token that was made up for the schema's sake.
    headers = {name: str(value) for name, value in (case.headers or {}).items() if name != "Authorization"}
    path = path.encode("ascii", "replace").decode()
    return client.generic(case.method, path, body, kind, query_params=query, headers=headers)


def wire(case: Any) -> tuple[bytes, str]:
    """The body of a call and its type, as a client would send them."""
    kind = case.media_type or "application/json"
    if case.body is NOT_SET:
        return b"", kind
    if isinstance(case.body, bytes):
        return case.body, kind
    if kind != "multipart/form-data" or not isinstance(case.body, dict):
        return json.dumps(case.body, default=str).encode(), kind
    event = json.dumps(case.body.get("event"), default=str)
    files = {name: io.BytesIO(part) for name, part in case.body.items() if isinstance(part, bytes)}
    return encode_multipart(BOUNDARY, {"event": event} | files), MULTIPART_CONTENT


def require_described(answer: Any, body: bytes, case: Any) -> None:
    headers = {name: [value] for name, value in answer.items()}
    said = Response(answer.status_code, headers, body, ASKED, elapsed=0.0, verify=False)
    case.validate_response(said, checks=CHECKS)


def require_sound(answer: Any, case: Any) -> None:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    require_described(answer, body, case)
    assert answer.status_code < 500, (case.method, case.path, body[:300])
    assert THEIRS.encode() not in body
    assert THEIRS not in str(dict(answer.items()))
    if answer.status_code >= 400 and answer.status_code != 416:
        assert answer["Content-Type"] == "application/problem+json", (answer.status_code, body[:200])
        assert json.loads(body)["code"]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_call_that_the_schema_allows_is_a_fault_or_a_leak(db: None, name: str) -> None:
    """A02: with a personal token and with a source's, on ids of the own site, of the other one, and of none."""
    told: set[int] = set()
    world = callers()
    cases, kind = OPERATIONS[name].as_strategy(), name.split("/")[3]

    @seed(20)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, number=st.integers(0, 99))
    def ask(case: Any, number: int) -> None:
        for ids in (world["ids"], world["foreign"], ["00000000-0000-4000-8000-000000000000"]):
            for who in world["headers"]:
                with transaction.atomic():
                    pk = ids[number % len(ids)]
                    if ids is world["ids"] and number % 4:
                        pk = world["fitting"].get(kind, pk)
                    answer = sent(case, world, pk, who)
                    require_sound(answer, case)
                    told.add(answer.status_code)
                    if ids is world["foreign"] and "{pk}" in case.path:
                        assert answer.status_code in {401, 404, 403}
                        assert answer.status_code != 403 or who is world["headers"][1]
                    transaction.set_rollback(True)

    ask()
    assert told - {401}, "no token opened it, so nothing was asked"


def test_every_operation_of_the_schema_is_asked() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in document()["paths"].values())
    assert len(OPERATIONS) > 15
