"""The plant that the examples of openapi.json come from, with the ids that they name."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from inference.actions.sites import create_camera, create_source, register_model_version
from review import schemas
from review.actions.intake import take_in
from review.actions.sequencer import sequence_outcomes
from review.api.description import examples as ex
from review.models import Claim, Event, Queue, Release, Verdict
from tests import factories
from tests.doors import ready_release
from tests.factories import Place, bearer, give_answer, make_token

V1 = "/api/v1/"
FRAME = base64.b64decode(ex.FRAME)
# Which row gets which id when it is made.
IDS = {
    (Queue, "id"): ex.QUEUE,
    (Claim, "id"): ex.CLAIM,
    (Claim, "token"): ex.CLAIM_TOKEN,
    (Verdict, "id"): ex.VERDICT,
    (Release, "id"): ex.RELEASE,
}


@contextmanager
def named_as_in_the_examples() -> Iterator[None]:
    """The rows that are made inside get the ids that the examples name."""
    with ExitStack() as stack:
        for (model, name), value in IDS.items():
            field = model._meta.get_field(name)
            stack.enter_context(patch.object(field, "_get_default", lambda value=value: UUID(value)))
        stack.enter_context(patch("review.actions.intake.new_id", lambda: UUID(ex.EVENT)))
        stack.enter_context(patch("review.actions.routing.new_id", lambda: UUID(ex.ITEM)))
        yield


@dataclass
class Plant:
    """The site, a source of it, and a person who may do everything there."""

    place: Place
    person: User

    def __post_init__(self) -> None:
        self.tokens = {"sourceToken": self.place.token, "personalToken": make_token(self.person)}

    def event(self) -> Event:
        """The event whose picture comes later."""
        return self.take(ex.LATER)

    def take(self, body: dict[str, Any], **files: bytes) -> Event:
        posted = schemas.read(schemas.EventIn, body)
        with named_as_in_the_examples():
            return take_in(source=self.place.source, posted=posted, body=body, files=files, now=timezone.now()).event

    def claim(self) -> Claim:
        self.event()
        with named_as_in_the_examples():
            return factories.claim(self.place, self.person)

    def outcome(self, answer: str = "confirm") -> Verdict:
        """An outcome with a picture that nobody can take back any more."""
        self.take(ex.LATER, frame=FRAME)
        with named_as_in_the_examples():
            verdict = give_answer(factories.claim(self.place, self.person), answer).verdict
        sequence_outcomes(now=timezone.now() + timedelta(hours=1))
        return verdict

    def release(self) -> Release:
        with named_as_in_the_examples():
            return ready_release(self.place, self.person)

    def first_part(self) -> None:
        self.event()
        part = ex.FILES["first_part"]
        kept = self.call("PUT", f"evidence/{ex.FRAME_SHA256}", base64.b64decode(str(part.base64)), part.headers)
        assert kept.status_code == 202

    def call(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        """A call of the source: a document as JSON, bytes as a picture."""
        raw, kind = (body, "image/png") if isinstance(body, bytes) else (json.dumps(body).encode(), "application/json")
        client = Client(raise_request_exception=False, **bearer(self.tokens["sourceToken"]))
        return client.generic(method, V1 + path, raw, kind, headers=headers)


def make_plant() -> Plant:
    with named_as_in_the_examples():
        place = factories.make_place("plant-7", undo_window=timedelta(0))
    create_camera(site=place.site, slug="line-3-top", name="Line 3, from above", maker=None)
    for name, version, classes in (
        ("person-detector", "1.2.0", ["person", "bird", "car"]),
        ("scratch-classifier", "2.0", ["scratch", "dent"]),
        ("leaf-segmenter", "0.9", ["leaf"]),
    ):
        register_model_version(site=place.site, name=name, version=version, maker=None, classes=classes)
    source, token = create_source(site=place.site, name="line 3 gateway", maker=None)
    person = factories.make_person("olu")
    for role in Role:
        factories.give_role(person, role, place.site)
    return Plant(replace(place, source=source, token=token), person)


# What must be there before an example can be sent: by operation, and by example where one needs more than the others.
GIVEN: dict[str, Callable[[Plant], Any]] = {
    "put_evidence": Plant.event,
    "put_evidence last_part": Plant.first_part,
    "get_evidence": Plant.event,
    "get_answer": lambda plant: plant.take(ex.HELD),
    "list_events": Plant.event,
    "get_event": Plant.event,
    "list_queues": Plant.event,
    "post_claim": Plant.event,
    "put_claim": Plant.claim,
    "delete_claim": Plant.claim,
    "post_verdict": Plant.claim,
    "list_verdicts": Plant.outcome,
    "post_release": Plant.outcome,
    "list_releases": Plant.release,
    "get_release": Plant.release,
    "get_release_file": Plant.release,
    "get_release_archive": Plant.release,
}
