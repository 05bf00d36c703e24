"""The whole API as its schema describes it, asked by a machine: never a fault, always a problem document, no canary."""

import json
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core import NOT_SET

from accounts.roles import Role
from review.api.root import api
from tests import factories
from tests.doors import SHARED, make_world
from tests.factories import bearer, make_item, make_person, make_token

THEIRS = "canary-of-the-other-site"
schema = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema(), default=str)))
OPERATIONS = {f"{one.ok().method.upper()} {one.ok().path}": one.ok() for one in schema.get_all_operations()}
# For each operation; the whole takes well under a minute.
EXAMPLES = 8


def callers() -> dict[str, Any]:
    """A person of site A with every role there, a source of site A; and site B, full of canaries."""
    world = make_world()
    other = factories.make_place(THEIRS)
    make_item(other)
    person = make_person("all-of-a")
    for role in Role:
        factories.give_role(person, role, world.place.site)
    ids = [world.place.queue.pk, world.claim.pk, world.claim.item_id, world.event.pk, world.release.pk]
    foreign = [other.queue.pk, other.site.pk, make_item(other).pk, other.source.pk]
    return {
        "headers": [bearer(make_token(person)), bearer(world.place.token)],
        "ids": [str(pk) for pk in ids],
        "foreign": [str(pk) for pk in foreign],
    }


def sent(case: Any, world: dict[str, Any], pk: str, who: dict[str, str]) -> Any:
    """Make the call that schemathesis thought of, in this process."""
    client = Client(raise_request_exception=False, **who)
    client.handler = SHARED
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", pk if name == "pk" else str(value))
    body, kind = b"", case.media_type or "application/json"
    if case.body is not NOT_SET:
        body = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str).encode()
    query = {str(name): str(value) for name, value in (case.query or {}).items()}
    return client.generic(case.method, path.encode("ascii", "replace").decode(), body, kind, query_params=query)


def require_sound(answer: Any, case: Any) -> None:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code < 500, (case.method, case.path, body[:300])
    assert THEIRS.encode() not in body
    assert THEIRS not in str(dict(answer.items()))
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json", (answer.status_code, body[:200])
        assert json.loads(body)["code"]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_call_that_the_schema_allows_is_a_fault_or_a_leak(db: None, name: str) -> None:
    """A02: with a personal token and with a source's, on ids of the own site, of the other one, and of none."""
    world = callers()
    cases = OPERATIONS[name].as_strategy()

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
                    answer = sent(case, world, ids[number % len(ids)], who)
                    require_sound(answer, case)
                    if ids is world["foreign"] and "{pk}" in case.path:
                        assert answer.status_code in {401, 404, 403}
                        assert answer.status_code != 403 or who is world["headers"][1]
                    transaction.set_rollback(True)

    ask()


def test_every_operation_of_the_schema_is_asked() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in api.get_openapi_schema()["paths"].values())
    assert len(OPERATIONS) > 15
